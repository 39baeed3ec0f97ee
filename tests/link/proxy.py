"""A bad line between one node and the coordinator: a TCP proxy that can do harm.

What the network does to a real line, done to real bytes: the line is cut, goes silent
one way or both ways, stalls, is slow or narrow, stutters, or mixes up bytes. The proxy
writes down when bytes last got through, by the monotonic clock of the machine.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

SECOND_NS = 1_000_000_000
CHUNK = 16_384
WAITING_BYTES = 1 << 20
"""Bytes that may be under way; more make the sender wait, as a full buffer would."""


class Way(Enum):
    """Which way bytes travel."""

    UP = "up"
    """From the node to the coordinator."""
    DOWN = "down"
    """From the coordinator to the node."""


BOTH = frozenset(Way)
UP, DOWN = frozenset({Way.UP}), frozenset({Way.DOWN})


class Harm(Enum):
    """What is done to the line."""

    RESET = "reset"
    """Every connection is reset, new ones too."""
    END = "end"
    """Every connection is closed in order; new ones are reset."""
    SILENCE = "silence"
    """Connections stay open and nothing comes out of them again, ever: half open."""
    STALL = "stall"
    """Nothing comes out until the line is healed; then all of it, as TCP resends it."""
    DELAY = "delay"
    """Everything comes later, by `amount` seconds."""
    NARROW = "narrow"
    """Everything squeezes through at `amount` bytes a second."""
    STUTTER = "stutter"
    """Stalls and bursts; `amount` is the mean length of a stall in seconds."""
    LOSE = "lose"
    """`amount` of the packets are lost; packets only."""
    FLIP = "flip"
    """One bit of what comes next is another."""
    REPEAT = "repeat"
    """Some bytes of what comes next come twice."""
    SWAP = "swap"
    """The first bytes of what comes next come after the rest of it."""


SPOILS = frozenset({Harm.FLIP, Harm.REPEAT, Harm.SWAP})


@dataclass(frozen=True, slots=True)
class Weather:
    """What is wrong with the line, which way, and how much."""

    harm: Harm
    ways: frozenset[Way] = BOTH
    amount: float = 0.0


class Connection:
    """One TCP connection of a node, and its other half to the coordinator."""

    def __init__(self, proxy: Proxy) -> None:
        self.lost: set[Way] = set()
        """Ways on which nothing comes out any more."""
        self.spoilt = False
        self.began_ns = time.monotonic_ns()
        self._proxy = proxy
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(
        self, node: asyncio.StreamReader, node_writer: asyncio.StreamWriter
    ) -> None:
        """Carry bytes both ways until one side ends."""
        self._writers.append(node_writer)
        if self._refused():
            return
        try:
            there, there_writer = await asyncio.open_connection(
                "127.0.0.1", self._proxy.upstream
            )
        except OSError:
            self.reset()
            return
        self._writers.append(there_writer)
        if not self._refused():
            ends = [
                asyncio.create_task(self._pump(Way.UP, node, there_writer)),
                asyncio.create_task(self._pump(Way.DOWN, there, node_writer)),
            ]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                # A lost way loses the end of the connection as well.
                if self.lost:
                    await asyncio.wait(ends, timeout=60.0)
            finally:
                for end in ends:
                    end.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
        self.end()

    def _refused(self) -> bool:
        weather = self._proxy.weather
        if weather is not None and weather.harm in (Harm.RESET, Harm.END):
            self.reset()
            return True
        if weather is not None and weather.harm is Harm.SILENCE:
            self.lost |= weather.ways
        return False

    def reset(self) -> None:
        """Abort both halves: the peers see RST."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
            writer.transport.abort()

    def end(self) -> None:
        """Close both halves: the peers see FIN."""
        for writer in self._writers:
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _pump(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        under_way: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(
            WAITING_BYTES // CHUNK
        )
        delivering = asyncio.create_task(self._deliver(way, under_way, writer))
        try:
            while chunk := await reader.read(CHUNK):
                await under_way.put((self._proxy.due_ns(way), chunk))
            await under_way.put((self._proxy.due_ns(way), b""))
            await delivering
        except OSError:
            # A reset of one side; where nothing comes out, the other never hears.
            if way in self.lost:
                await asyncio.Event().wait()
            self.reset()
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)

    async def _deliver(
        self,
        way: Way,
        under_way: asyncio.Queue[tuple[int, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        while True:
            due_ns, chunk = await under_way.get()
            wait_s = (due_ns - time.monotonic_ns()) / SECOND_NS
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self._proxy.pass_through(way, len(chunk))
            if way in self.lost:
                if not chunk:
                    await asyncio.Event().wait()
                continue
            if not chunk:
                return
            spoilt = self._proxy.spoil(way, chunk)
            self.spoilt |= spoilt != chunk
            writer.write(spoilt)
            self._proxy.noted(way)
            await writer.drain()


class Line:
    """What every bad line has: weather, and when bytes last came out of it.

    Args:
        host: Where a node finds the coordinator through this line.
        port: And at which port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.weather: Weather | None = None
        self.through: dict[Way, list[int]] = {way: [] for way in Way}
        """Monotonic ns at which bytes came out, each way, rising."""

    def become(self, weather: Weather) -> None:
        """Let the weather change."""
        self.weather = weather

    def heal(self) -> None:
        """Let the line be a good one."""
        self.weather = None

    async def close(self) -> None:
        """Be no line any more."""

    def last_ns(self, ways: frozenset[Way] | None = None) -> int:
        """When bytes last came out on each of these ways: the earliest of them."""
        return min(
            (self.through[way][-1] if self.through[way] else 0)
            for way in (ways or BOTH)
        )

    def silences(self, way: Way, *, longer_ns: int) -> Sequence[tuple[int, int]]:
        """Stretches in which nothing came out one way: (from, to), to 0: to the end."""
        moments = self.through[way]
        found = [
            (before, after)
            for before, after in pairwise(moments)
            if after - before > longer_ns
        ]
        if moments and time.monotonic_ns() - moments[-1] > longer_ns:
            found.append((moments[-1], 0))
        return found

    def noted(self, way: Way) -> None:
        """Write down that bytes came out."""
        moments = self.through[way]
        now_ns = time.monotonic_ns()
        # Two moments a tenth of a second say as much as a thousand.
        if len(moments) > 1 and now_ns - moments[-2] < SECOND_NS // 10:
            moments[-1] = now_ns
        else:
            moments.append(now_ns)


class Proxy(Line):
    """Listens on a port of its own and passes bytes on to the coordinator's.

    Args:
        upstream: Port of the coordinator; may be changed for later connections.
        seed: Of everything random.
    """

    def __init__(self, upstream: int, *, seed: int = 0) -> None:
        super().__init__("127.0.0.1", 0)
        self.upstream = upstream
        self.spoils = 0
        self._random = random.Random(seed)  # noqa: S311 - weather, no secret
        self._open = asyncio.Event()
        self._open.set()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        """Stop listening and reset what is left."""
        assert self._server is not None
        self._server.close()
        running = list(self._connections.values())
        for connection in list(self._connections):
            connection.reset()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection(self)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            connection.reset()
        finally:
            del self._connections[connection]

    # ------------------------------------------------------------------------ weather

    def become(self, weather: Weather) -> None:
        """Let the weather change, for the connections that are there and new ones."""
        self.heal()
        self.weather = weather
        match weather.harm:
            case Harm.RESET:
                for connection in list(self._connections):
                    connection.reset()
            case Harm.END:
                for connection in list(self._connections):
                    connection.end()
            case Harm.SILENCE:
                for connection in self._connections:
                    connection.lost |= weather.ways
            case Harm.STALL:
                self._open.clear()
            case _:
                self.spoils = 1 if weather.harm in SPOILS else 0

    def heal(self) -> None:
        """Let the line be a good one; a silent connection stays silent."""
        self.weather = None
        self.spoils = 0
        self._open.set()

    # ---------------------------------------------------- what connections ask of it

    def due_ns(self, way: Way) -> int:
        """When bytes that arrive now come out."""
        now_ns = time.monotonic_ns()
        weather = self.weather
        if weather is None or weather.harm is not Harm.DELAY or way not in weather.ways:
            return now_ns
        return now_ns + round(weather.amount * SECOND_NS)

    async def pass_through(self, way: Way, size: int) -> None:
        """Wait as the weather wants it."""
        weather = self.weather
        if weather is None or way not in weather.ways:
            return
        match weather.harm:
            case Harm.STALL:
                await self._open.wait()
            case Harm.NARROW:
                await asyncio.sleep(size / weather.amount)
            case Harm.STUTTER if self._random.random() < 0.2:
                await asyncio.sleep(self._random.expovariate(1.0 / weather.amount))
            case _:
                pass

    def spoil(self, way: Way, chunk: bytes) -> bytes:
        """Return the bytes as they come out."""
        weather = self.weather
        if weather is None or not self.spoils or way not in weather.ways:
            return chunk
        if len(chunk) < 12:
            return chunk
        self.spoils -= 1
        first = self._random.randrange(1, len(chunk) - 8)
        size = self._random.randrange(1, 8)
        match weather.harm:
            case Harm.REPEAT:
                return chunk[: first + size] + chunk[first:]
            case Harm.SWAP:
                return chunk[size:] + chunk[:size]
            case _:
                flipped = bytearray(chunk)
                flipped[first] ^= 1 << self._random.randrange(8)
                return bytes(flipped)
