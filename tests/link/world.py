"""A plant with bad lines: one coordinator, robots, nodes, a proxy a node, one person.

Everything but the person and the lines runs in processes of its own. What happened is
read afterwards from what each of them wrote down.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from andon.v1 import operator_pb2, operator_pb2_grpc, terms_pb2
from tests.link.proxy import Line, Proxy

ROOT = Path(__file__).resolve().parents[2]
SERVES_WITHIN_S = 60.0
"""More than a cold import of torch takes on a busy machine, s."""
PERSON = operator_pb2.Actor(person="ana", device="panel-1")
POLICY_CLEARS = frozenset(
    {terms_pb2.HOLD_REASON_LINK_LOST, terms_pb2.HOLD_REASON_STALE_DATA}
)
POLICY_WITHIN_S = 6.0
"""Time in which a policy has released what it may, s."""
OFFLINE, HELD = terms_pb2.CELL_STATE_OFFLINE, terms_pb2.CELL_STATE_HELD
AT_WORK = frozenset(
    {
        terms_pb2.CELL_STATE_WORKING,
        terms_pb2.CELL_STATE_DECIDING,
        terms_pb2.CELL_STATE_ASKING,
    }
)

FAMILY = """
[families.peg]
rows = 16
monitor_rows = 4
default_label = "ok"
labels = [
  { name = "misaligned", action = "rework" },
  { name = "ok", action = "continue" },
]
channels = [
  { name = "elbow_pos", unit = "rad", minimum = -6.3, maximum = 6.3, source = "joints:position:elbow" },
  { name = "elbow_effort", unit = "N*m", minimum = -99.0, maximum = 99.0, source = "joints:effort:elbow" },
  { name = "force_z", unit = "N", minimum = -99.0, maximum = 99.0, source = "wrench:force:z" },
]
"""  # noqa: E501 - as andon.toml writes it


def andon_toml(listen: str, cells: Sequence[str], *, autostart: bool = True) -> str:
    """The configuration of a plant with one joint and one force a cell."""
    head = f"""
[coordinator]
listen = "{listen}"
data_dir = "data"
device = "cpu"
[gate]
mode = "provisional"
provisional_by = "eva"
audit_share = 0.0
[policies]
autostart = {str(autostart).lower()}
[requests]
undo_s = 0.0
[learning]
first_after = 1000000
"""
    tables = "".join(f'[cells.{cell}]\nfamily = "peg"\n' for cell in cells)
    return head + FAMILY + tables


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """What andon's programs need to run from here."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")]),
        "OMP_NUM_THREADS": "1",
        "GRPC_VERBOSITY": "NONE",
    }


async def gathered(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do several things at once; the first that fails ends all."""
    async with asyncio.TaskGroup() as tasks:
        for one in work:
            tasks.create_task(one)


class Program:
    """One process of the plant; its complaints go to `<name>.err`."""

    def __init__(self, process: asyncio.subprocess.Process, complaints: Path) -> None:
        self.process = process
        self.complaints = complaints
        self.ended = False
        """Somebody wanted it to end."""

    @classmethod
    async def start(
        cls, folder: Path, name: str, *words: str, within: Sequence[str] = ()
    ) -> Program:
        """Start `python -m words...`."""
        path = folder / f"{name}.err"
        with path.open("ab") as complaints:
            process = await asyncio.create_subprocess_exec(
                *(*within, sys.executable, "-m", *words),
                cwd=folder,
                env=environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
            )
        return cls(process, path)

    def tell(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def end(self, number: int = signal.SIGTERM) -> int:
        """End it, and wait until it has."""
        self.ended = True
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
                self.process.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(15.0):
                await self.process.communicate()
        except TimeoutError:
            self.process.kill()
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@dataclass(frozen=True, slots=True)
class Shown:
    """What the coordinator showed of a cell, and when a watcher saw it.

    Attributes:
        seen_ns: Monotonic clock of the machine.
        cell: The cell.
        state: Its state.
        reason: Its most severe reason.
        epoch: Its session; 0 while offline.
    """

    seen_ns: int
    cell: str
    state: int
    reason: int
    epoch: int


class Person:
    """Watches, answers every question, and releases what a policy may not.

    Args:
        address: Of the coordinator, reached without any proxy.
        rng: How long a person thinks.
    """

    def __init__(self, address: str, rng: random.Random) -> None:
        self.shown: list[Shown] = []
        self.now: dict[str, Shown] = {}
        self._gave_up = ""
        self.answers = 0
        self.releases = 0
        self._address = address
        self._random = rng
        self._changed = asyncio.Event()
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._stub: Any = None

    async def work(self) -> None:
        """Watch until cancelled, whatever becomes of the coordinator."""
        try:
            while True:
                async with grpc.aio.insecure_channel(
                    self._address, options=[("grpc.use_local_subchannel_pool", 1)]
                ) as channel:
                    self._stub = operator_pb2_grpc.OperatorServiceStub(channel)
                    with suppress(grpc.aio.AioRpcError):
                        await self._watch()
                await asyncio.sleep(0.1)
        finally:
            for task in self._doing.values():
                task.cancel()
            await asyncio.gather(*self._doing.values(), return_exceptions=True)

    async def until(
        self, fact: Callable[[], object], within_s: float, what: Callable[[], str]
    ) -> None:
        """Wait until a fact about what is shown holds."""
        try:
            async with asyncio.timeout(within_s):
                while not fact():
                    assert not self._gave_up, self._gave_up
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within_s:g} s: {what()}") from None

    def give_up(self, why: str) -> None:
        """Let whoever waits know that it is in vain."""
        self._gave_up = why
        self._changed.set()

    async def _watch(self) -> None:
        watching = self._stub.Watch(
            operator_pb2.WatchRequest(actor=PERSON, answering=True)
        )
        async for told in watching:
            kind = told.WhichOneof("change")
            if kind == "snapshot":
                for cell in told.snapshot.cells:
                    self._see(cell)
                for request in told.snapshot.requests:
                    self._asked(request)
            elif kind == "cell":
                self._see(told.cell)
            elif kind == "request":
                self._asked(told.request)

    def _see(self, cell: operator_pb2.CellStatus) -> None:
        shown = Shown(
            time.monotonic_ns(),
            cell.cell_id,
            cell.state,
            cell.reason,
            cell.session_epoch,
        )
        self.shown.append(shown)
        self.now[shown.cell] = shown
        self._changed.set()
        if shown.state == HELD:
            self._do(f"release {shown.cell}", self._release(shown.cell))

    def _asked(self, request: operator_pb2.RequestSummary) -> None:
        if request.outcome == terms_pb2.OUTCOME_UNSPECIFIED:
            self._do(f"answer {request.request_id}", self._answer(request.request_id))

    def _do(self, name: str, work: Any) -> None:
        running = self._doing.get(name)
        if running is not None and not running.done():
            work.close()
            return
        self._doing[name] = asyncio.create_task(work)

    async def _answer(self, request_id: str) -> None:
        await asyncio.sleep(self._random.uniform(0.05, 0.6))
        with suppress(grpc.aio.AioRpcError):
            got = await self._stub.GetRequest(
                operator_pb2.GetRequestRequest(request_id=request_id, actor=PERSON)
            )
            claimed = await self._stub.Claim(
                operator_pb2.ClaimRequest(
                    request_id=request_id,
                    actor=PERSON,
                    idempotency_key=uuid.uuid4().hex,
                    take_over=True,
                )
            )
            await self._stub.Answer(
                operator_pb2.AnswerRequest(
                    request_id=request_id,
                    actor=PERSON,
                    claim_epoch=claimed.claim_epoch,
                    idempotency_key=uuid.uuid4().hex,
                    view_digest=got.view_digest,
                    label="ok",
                )
            )
            self.answers += 1

    async def _release(self, cell: str) -> None:
        await asyncio.sleep(self._random.uniform(0.2, 0.5))
        shown = self.now[cell]
        if shown.state == HELD and shown.reason in POLICY_CLEARS:
            # Left to the policy, unless a lesser reason lies below that it may not.
            await asyncio.sleep(POLICY_WITHIN_S)
            shown = self.now[cell]
        if shown.state != HELD:
            return
        with suppress(grpc.aio.AioRpcError):
            await self._stub.ReleaseHold(
                operator_pb2.ReleaseHoldRequest(
                    cell_id=cell,
                    actor=PERSON,
                    idempotency_key=uuid.uuid4().hex,
                    expected_reason=shown.reason,  # type: ignore[arg-type]
                )
            )
            self.releases += 1


class World:
    """The plant; start() it, do harm, stop() it, then judge what was written."""

    def __init__(self, folder: Path, *, seed: int = 0, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.seed = seed
        self.host, self.port = host, free_port()
        self.lines: dict[str, Line] = {}
        self.nodes: dict[str, Program] = {}
        self.cell_of: dict[str, str] = {}
        thinks = random.Random(seed)  # noqa: S311 - how long, no secret
        self.person = Person(f"{host}:{self.port}", thinks)
        self.coordinator: Program | None = None
        self._cells: list[str] = []
        self._robots: Program | None = None
        self._working: asyncio.Task[None] | None = None
        self._crowd = 0
        self._minding: list[asyncio.Task[None]] = []

    @property
    def config(self) -> Path:
        """The plant's configuration."""
        return self.folder / "andon.toml"

    @property
    def data_dir(self) -> Path:
        """The coordinator's data."""
        return self.folder / "data"

    async def configure(self, cells: Sequence[str], *, autostart: bool = True) -> None:
        """Write the configuration, start the robots and let the person watch."""
        self._cells = list(cells)
        self.config.write_text(
            andon_toml(f"{self.host}:{self.port}", cells, autostart=autostart),
            encoding="utf-8",
        )
        self._robots = await Program.start(
            self.folder, "robots", "tests.link.robots", str(self.folder), *cells
        )
        self.watch()

    def watch(self) -> None:
        """Let the person watch, and answer."""
        self._working = asyncio.create_task(self.person.work())

    async def serve(self) -> None:
        """Start the coordinator and wait until it serves."""
        self.coordinator = await Program.start(
            self.folder, "coordinator", "tests.link.plant", str(self.config)
        )
        await self.serves()

    async def serves(self) -> None:
        """Wait until the coordinator that was started says that it serves."""
        assert self.coordinator is not None
        assert self.coordinator.process.stdout is not None
        async with asyncio.timeout(SERVES_WITHIN_S):
            line = await self.coordinator.process.stdout.readline()
        assert line, self.coordinator.complaints.read_text(encoding="utf-8")

    async def pause_coordinator(self, seconds: float) -> tuple[int, int]:
        """Stop the coordinator's process for a while; returns from when to when."""
        assert self.coordinator is not None
        self.coordinator.tell(signal.SIGSTOP)
        since_ns = time.monotonic_ns()
        await asyncio.sleep(seconds)
        until_ns = time.monotonic_ns()
        self.coordinator.tell(signal.SIGCONT)
        return since_ns, until_ns

    async def set_clocks(self, *, coordinator_s: float, nodes_s: float) -> None:
        """Set the wall clocks, in seconds ahead of the true one, both at once."""
        assert self.coordinator is not None
        (self.folder / "wall.coordinator").write_text(str(coordinator_s))
        (self.folder / "wall.nodes").write_text(str(nodes_s))
        for program in {id(p): p for p in self.nodes.values()}.values():
            program.tell(signal.SIGUSR1)
        self.coordinator.tell(signal.SIGUSR1)

    async def node(
        self,
        name: str,
        cell: str,
        *,
        through: Line | None = None,
        within: Sequence[str] = (),
    ) -> None:
        """Start one node in a process of its own, behind a proxy of its own."""
        await self.crowd({name: cell}, through=through, within=within)

    async def crowd(
        self,
        cells: dict[str, str],
        *,
        through: Line | None = None,
        within: Sequence[str] = (),
    ) -> None:
        """Start one process with the nodes of several cells: name -> cell.

        Args:
            cells: Cell of each node, by the node's name.
            through: One line for all of them; None: a proxy for each.
            within: A command that runs another, for example in another namespace.
        """
        words = []
        self.cell_of |= cells
        for name, cell in cells.items():
            if through is None:
                proxy = Proxy(self.port, seed=self.seed + len(self.lines))
                await proxy.start()
                self.lines[name] = proxy
            else:
                self.lines[name] = through
            line = self.lines[name]
            words.append(f"{name}={cell}@{line.host}:{line.port}")
        self._crowd += 1
        program = await Program.start(
            self.folder,
            f"nodes-{self._crowd}",
            *("tests.link.nodes", str(self.config), str(self.folder), *words),
            within=within,
        )
        self._minding.append(asyncio.create_task(self._mind(program)))
        for name in cells:
            self.nodes[name] = program

    async def _mind(self, program: Program) -> None:
        """Say at once when a program ended that nobody ended."""
        await program.process.wait()
        if not program.ended:
            complaints = program.complaints.read_text(encoding="utf-8")[-2000:]
            self.person.give_up(f"a program died: {complaints}")

    async def at_work(
        self, cell: str, *, after_epoch: int = 0, within_s: float = 20.0
    ) -> None:
        """Wait until the coordinator shows a cell at work, in a newer session."""

        def works() -> bool:
            now = self.person.now.get(cell)
            return now is not None and now.state in AT_WORK and now.epoch > after_epoch

        await self.person.until(
            works, within_s, lambda: f"{cell} at work: {self.state(cell)}"
        )

    def state(self, cell: str) -> str:
        """What the coordinator shows of a cell, for people."""
        now = self.person.now.get(cell)
        if now is None:
            return "never shown"
        state = terms_pb2.CellState.Name(now.state)  # type: ignore[arg-type]
        reason = terms_pb2.HoldReason.Name(now.reason)  # type: ignore[arg-type]
        return f"{state} {reason} epoch {now.epoch}"

    async def stop(self) -> None:
        """End everything; the coordinator last, in order."""
        programs = {id(p): p for p in self.nodes.values()}.values()
        await asyncio.gather(*(program.end() for program in programs))
        for line in {id(one): one for one in self.lines.values()}.values():
            await line.close()
        if self.coordinator is not None:
            await self.coordinator.end()
        if self._robots is not None:
            await self._robots.end()
        await asyncio.gather(*self._minding)
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working


@asynccontextmanager
async def plant(
    folder: Path,
    cells: Sequence[str],
    *,
    seed: int = 0,
    autostart: bool = True,
    host: str = "127.0.0.1",
) -> AsyncIterator[World]:
    """A plant whose coordinator serves; nodes are the test's."""
    world = World(folder, seed=seed, host=host)
    try:
        await world.configure(cells, autostart=autostart)
        await world.serve()
        yield world
    finally:
        await world.stop()
