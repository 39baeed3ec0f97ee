"""What a clip on its way does to the lease, over good lines and narrow ones.

    python -m benchmarks.clip_upload

A real coordinator in a process of its own, the node's own code here, and between them a
line that lets so many bytes a second through, with a deep buffer in front of it, as
cheap radio bridges have. The node cuts a clip that cannot be compressed. Reported: how
long it took, the longest time between two acknowledged heartbeats (sent every 0.5 s),
and the least lease that was left (of 2 s; at 0 the robot stands).
"""

import asyncio
import json
import os
import platform
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import grpc

from andon.v1 import operator_pb2, operator_pb2_grpc
from ros_nodes.config import ClipSpec, RosNames
from tests.link.proxy import UP, Harm, Proxy, Weather
from tests.ros_nodes.conducted import Cell, running
from tests.ros_nodes.coordinated import ASKS_ALL, coordinating

RUNS = (
    ("loopback", 0.0, 20.0),
    ("32 Mbit/s", 4e6, 20.0),
    ("8 Mbit/s", 1e6, 20.0),
    ("2 Mbit/s", 250e3, 5.0),
)
"""Name, bytes a second from node to coordinator (0: as they come), MB of the clip."""


async def stored(port: int) -> None:
    """Return once the coordinator has a clip."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = operator_pb2_grpc.OperatorServiceStub(channel)
        listed = operator_pb2.ListClipsRequest()
        while not (await stub.ListClips(listed)).clips:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def least_lease(cell: Cell, done: asyncio.Task[None]) -> float:
    """The least lease that was left until something was done, s."""
    least = 2.0
    while not done.done():
        left_ns = cell.conductor._lease_left_ns()  # noqa: SLF001 - what is measured
        least = min(least, 0.0 if left_ns is None else left_ns / 1e9)
        await asyncio.sleep(0.002)
    return least


async def run(name: str, rate: float, megabytes: float, port: int) -> None:
    """Send one clip over one line, and print a row."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        proxy = Proxy(port)
        through = await proxy.start()
        config = folder / "andon.toml"
        config.write_text(ASKS_ALL.format(port=port), encoding="utf-8")
        spec = RosNames(clip=ClipSpec(before_s=5.0, after_s=0.1))
        async with (
            coordinating(config),
            running(through, folder, ros=spec) as cell,
        ):
            await cell.until(lambda: cell.robot.leaves)
            if rate:
                proxy.become(Weather(Harm.NARROW, UP, rate))
            cell.play(0)
            now_ns = cell.clock.monotonic_ns()
            for n in range(round(megabytes * 10)):
                cell.conductor.clips.keep("joints", os.urandom(100_000), now_ns - n)
            begun_ns = now_ns
            done = asyncio.create_task(stored(port))
            least = await least_lease(cell, done)
            took_s = (cell.clock.monotonic_ns() - begun_ns) / 1e9
        await proxy.close()
        text = (folder / "node.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    acks = [x["mono_ns"] for x in lines if x["event"] == "ack"]
    during = [at for at in acks if at >= begun_ns - 10**9]
    gap_s = max(later - sooner for sooner, later in pairwise(during)) / 1e9
    sessions = sum(x["event"] == "session_open" for x in lines)
    print(
        f"{name:<12}{megabytes:>5.0f} MB {took_s:>8.1f} s {gap_s:>10.2f} s "
        f"{least:>10.2f} s {sessions:>9}"
    )


async def main() -> None:
    """Print a row a line."""
    for number, (name, rate, megabytes) in enumerate(RUNS):
        await run(name, rate, megabytes, 50600 + number)


def machine() -> str:
    """Say where these numbers come from."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    return f"{platform.platform()}, {cores} cores, {python}, {commit}"


if __name__ == "__main__":
    print(machine())
    heads = (("line", 12), ("clip", 6), ("took", 12), ("beat gap", 13), ("lease", 12))
    print("".join(f"{head:<{width}}" for head, width in heads) + "sessions")
    asyncio.run(main())
