"""Real packets: two network namespaces, and between them a wire that can do harm.

Each end of the wire is a TUN device in a namespace of its own; this process carries the
packets from one to the other and loses, delays, repeats, reorders or spoils some. TCP,
its checksums, its retransmissions and its time-outs are the kernel's own.

The coordinator serves on loopback addresses alone as long as there is no TLS, so the
wire's addresses are of 127.0.0.0/8, which the kernel routes when it is told to.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.link.proxy import SECOND_NS, Harm, Line, Way

TUN = Path("/dev/net/tun")
_SET_NAME = 0x400454CA
_TUN, _NO_HEADER = 0x0001, 0x1000
LARGEST = 65_536
HALL = "127.77.0.1"
"""Where the coordinator serves, at the hall's end of every wire."""


def run(*words: str) -> str:
    """Run a command that must succeed."""
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout


def why_not() -> str:
    """Why there can be no wire here; "" when there can be one."""
    if not TUN.exists():
        return "there is no TUN device here"
    try:
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", f"ip link set lo up && true < {TUN}"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except OSError as error:
        return f"no network namespaces here: {error.strerror}"
    return "" if done.returncode == 0 else "no network namespaces may be made here"


def loopback_over_wires() -> None:
    """Let this namespace route loopback addresses: of all of them two stay its own."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "addr", "add", f"{HALL}/32", "dev", "lo")
    run("ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
    Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")


def tun(name: str) -> int:
    """Make a TUN device; returns its file."""
    file = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(
        file, _SET_NAME, struct.pack("16sH14x", name.encode(), _TUN | _NO_HEADER)
    )
    return file


class Wire(Line):
    """One node's namespace, and the wire from it to this one.

    Args:
        number: Of the wire, from 1; the node's address is 127.77.0.number + 1.
        port: The coordinator's.
        seed: Of everything random.
    """

    def __init__(self, number: int, port: int, *, seed: int = 0) -> None:
        super().__init__(HALL, port)
        self.passed: dict[Way, int] = dict.fromkeys(Way, 0)
        self.hurt: dict[Way, int] = dict.fromkeys(Way, 0)
        self._random = random.Random(seed)  # noqa: S311 - weather, no secret
        self._node = f"127.77.0.{number + 1}"
        # Its first child keeps the namespace alive.
        self._keeper = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        self._ends = {Way.DOWN: tun(f"node{number}"), Way.UP: tun(f"hall{number}")}
        """Where each way comes out."""
        self._free_ns = dict.fromkeys(Way, 0)
        """When the wire has room for the next packet, each way."""
        self._connect(f"hall{number}", f"node{number}")

    @property
    def within(self) -> tuple[str, ...]:
        """A command that runs another in the node's namespace."""
        return ("nsenter", "-t", str(self._keeper.pid), "-n")

    def _connect(self, hall: str, node: str) -> None:
        keeper = Path(f"/proc/{self._keeper.pid}/ns/net")
        deadline_ns = time.monotonic_ns() + 5 * SECOND_NS
        here = Path("/proc/self/ns/net").readlink()
        while keeper.readlink() == here and time.monotonic_ns() < deadline_ns:
            time.sleep(0.01)
        address = ("ip", "addr", "add")
        run("ip", "link", "set", node, "netns", str(self._keeper.pid))
        run(*address, self.host, "peer", self._node, "dev", hall)
        run("ip", "link", "set", hall, "up")
        inside = self.within
        run(*inside, *address, self._node, "peer", self.host, "dev", node)
        run(*inside, "ip", "link", "set", node, "up")
        allow = "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"
        run(*inside, "sh", "-c", allow)

    def start(self) -> None:
        """Carry packets; on the running event loop."""
        loop = asyncio.get_running_loop()
        # What comes into one end goes out of the other.
        loop.add_reader(self._ends[Way.DOWN], self._read, Way.UP)
        loop.add_reader(self._ends[Way.UP], self._read, Way.DOWN)

    async def close(self) -> None:
        """Take the wire down, and the namespace with it."""
        loop = asyncio.get_running_loop()
        for file in self._ends.values():
            loop.remove_reader(file)
            os.close(file)
        self._keeper.kill()
        await asyncio.to_thread(self._keeper.wait)

    def _read(self, way: Way) -> None:
        into = self._ends[Way.DOWN if way is Way.UP else Way.UP]
        with suppress(BlockingIOError):
            while True:
                self._carry(way, os.read(into, LARGEST))

    def _carry(self, way: Way, packet: bytes) -> None:  # noqa: C901 - a table
        """Let one packet meet the weather."""
        weather = self.weather
        if packet[0] >> 4 != 4:
            return  # the kernel's IPv6 greetings
        if weather is None or way not in weather.ways:
            self._deliver(way, packet)
            return
        chance = self._random.random() < weather.amount
        loop = asyncio.get_running_loop()
        match weather.harm:
            case Harm.SILENCE | Harm.STALL:
                self.hurt[way] += 1
            case Harm.LOSE:
                self.hurt[way] += chance
                if not chance:
                    self._deliver(way, packet)
            case Harm.DELAY:
                loop.call_later(weather.amount, self._deliver, way, packet)
            case Harm.NARROW:
                self._squeeze(way, packet, weather.amount)
            case Harm.REPEAT:
                self._deliver(way, packet)
                if chance:
                    self.hurt[way] += 1
                    self._deliver(way, packet)
            case Harm.SWAP if chance:
                self.hurt[way] += 1
                loop.call_later(0.02, self._deliver, way, packet)
            case Harm.FLIP if chance:
                self.hurt[way] += 1
                # Behind the addresses: somebody must get it.
                spoilt = bytearray(packet)
                at = self._random.randrange(20, len(packet))
                spoilt[at] ^= 1 << self._random.randrange(8)
                self._deliver(way, bytes(spoilt), spoilt=True)
            case _:
                self._deliver(way, packet)

    def _squeeze(self, way: Way, packet: bytes, rate: float) -> None:
        """Let a packet wait until the ones before it are through, bytes/s."""
        now_ns = time.monotonic_ns()
        begin_ns = max(now_ns, self._free_ns[way])
        if begin_ns - now_ns > SECOND_NS // 2:
            self.hurt[way] += 1  # a full queue drops, as every router's does
            return
        end_ns = begin_ns + round(len(packet) / rate * SECOND_NS)
        self._free_ns[way] = end_ns
        wait_s = (end_ns - now_ns) / SECOND_NS
        asyncio.get_running_loop().call_later(wait_s, self._deliver, way, packet)

    def _deliver(self, way: Way, packet: bytes, *, spoilt: bool = False) -> None:
        with suppress(OSError):  # the wire was taken down, or a queue is full
            os.write(self._ends[way], packet)
            self.passed[way] += 1
            if not spoilt:
                self.noted(way)
