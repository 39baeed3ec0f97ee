"""Runs a demo: starts its programs, watches them, stops them in order, reports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typer

from coordinator.cli import (
    client,
    demo_evidence,
    demo_plan,
    demo_progress,
    demo_report,
    demo_table,
)
from coordinator.cli.demo_plan import Folder
from coordinator.cli.demo_programs import (
    Program,
    in_foreground,
    require_alive,
    start,
)
from coordinator.cli.demo_progress import Picture
from coordinator.cli.demo_records import Records
from coordinator.cli.exits import Exit
from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import UnavailableError
from coordinator.terms import CellId, RequestId

SERVING_WITHIN_S: Final = 60.0
"""Time for the coordinator to serve; importing torch on a cold disk takes most, s."""
LOOK_EVERY_S: Final = 1.0
LOOK_CLOSELY_S: Final = 0.02
"""Before a kill, which is to meet a question that is open only for a moment, s."""
STANDSTILL_S: Final = 180.0
"""Without any new cycle for so long, the demo has failed, s."""
SETTLE_S: Final = 30.0
"""Time for the last questions after the last cycle, s."""
KILL_PATIENCE: Final = 10
"""Cycles to wait for an open request, so that the kill meets one."""
DOWN_S: Final = 4.0
"""How long the coordinator stays away after it was killed: two leases, s."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line; cycles 0: without end."""

    cells: int
    cycles: int
    time_factor: float
    seed: int
    error_rate: float
    reaction_s: float
    parent: Path
    keep: bool
    report: Path
    kill_at: int
    shift_at: int
    certified: bool = False


@dataclass(slots=True)
class Demo:
    """A demo under way.

    Attributes:
        after_seq: Journal entries up to here are an earlier demo's.
        serving_at: UTC at which the coordinator was first seen to serve.
        killed_ns: When it was killed, monotonic; 0 for never.
        open_at_kill: The requests that waited then, by the store's own tables.
        numbers: What the coordinator counted, asked just before it is stopped.
    """

    plan: Plan
    clock: Clock
    folder: Folder
    cells: tuple[CellId, ...]
    server: str
    after_seq: int = 0
    programs: list[Program] = field(default_factory=list)
    serving_at: datetime | None = None
    killed_ns: int = 0
    open_at_kill: frozenset[RequestId] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)

    async def start(self, name: str, *command: str) -> Program:
        """Start a program; it is stopped with the demo."""
        program = await start(name, self.folder.logs / f"{name}.log", *command)
        self.programs.append(program)
        return program

    async def start_coordinator(self) -> Program:
        """Start the coordinator and wait until it serves.

        Raises:
            UnavailableError: it ended, or did not serve in time.
        """
        config = str(self.folder.config)
        program = await self.start("coordinator", "coordinator", "serve", "-c", config)
        deadline_ns = self.clock.monotonic_ns() + int(SERVING_WITHIN_S * SECOND_NS)
        while not await asyncio.to_thread(client.is_serving, self.server):
            require_alive([program])
            if self.clock.monotonic_ns() > deadline_ns:
                raise UnavailableError(
                    f"the coordinator did not serve within {SERVING_WITHIN_S:g} s: "
                    f"{program.last_words()}"
                )
            await self.clock.sleep(0.1)
        return program

    async def start_cells(self) -> None:
        """Start every cell's nodes, each cell in a process of its own."""
        plan, folder = self.plan, self.folder
        each = demo_plan.share_out(plan.cycles, self.cells)
        for cell in self.cells:
            await self.start(
                cell,
                *("ros_nodes", "up", "--config", str(folder.config), "--cell", cell),
                *("--simulate", "--seed", str(plan.seed)),
                *("--time-factor", str(plan.time_factor), "--cycles", str(each[cell])),
                *("--shift-at-cycle", str(plan.shift_at)),
                *("--truth", str(folder.truth), "--trace", str(folder.trace)),
            )

    async def start_operator(self) -> None:
        """Start the simulated operator."""
        plan, folder = self.plan, self.folder
        await self.start(
            "operator",
            *("tui.operator", "--server", self.server, "--truth", str(folder.truth)),
            *("--error-rate", str(plan.error_rate), "--seed", str(plan.seed)),
            *("--reaction-s", str(plan.reaction_s), "--report", str(folder.operator)),
        )

    async def stop(self) -> None:
        """Stop the operator first, then the cells together, the coordinator last."""
        cells = set(self.cells)
        for program in [p for p in reversed(self.programs) if p.name == "operator"]:
            await program.stop()
        await asyncio.gather(*(p.stop() for p in self.programs if p.name in cells))
        for program in [p for p in reversed(self.programs) if p.name == "coordinator"]:
            await program.stop()

    def has_worked_its_cycles(self) -> bool:
        """Whether every robot has ended its last cycle."""
        each = demo_plan.share_out(self.plan.cycles, self.cells)
        return all(
            demo_evidence.cycles_worked(self.folder.trace, cell) >= wanted
            for cell, wanted in each.items()
        )

    async def picture(self) -> Picture | None:
        """Where the demo stands, or None while the coordinator does not answer."""
        return await asyncio.to_thread(
            demo_progress.take_picture, self.server, self.folder.truth
        )


@asynccontextmanager
async def _demo(plan: Plan, clock: Clock) -> AsyncIterator[Demo]:
    """A demo with its coordinator serving; everything is stopped at the end."""
    folder = demo_plan.open_folder(plan.parent, clock, keep=plan.keep)
    cells = demo_plan.cell_names(plan.cells)
    server = demo_plan.free_address()
    domains = demo_plan.free_domains(len(cells))
    alone = plan.cycles > 0
    page = demo_plan.page_port()
    folder.config.write_text(
        demo_plan.configuration(
            *(cells, server, domains),
            alone=alone,
            web_port=page,
            certified=plan.certified,
        )
    )
    after_seq = demo_evidence.newest_seq(folder.data) if plan.keep else 0
    demo = Demo(plan, clock, folder, cells, server, after_seq)
    try:
        typer.echo(f"starting the coordinator and {len(cells)} simulated cells")
        await demo.start_coordinator()
        typer.echo(f"the page for tablets: http://127.0.0.1:{page}")
        demo.serving_at = clock.utc_now()
        yield demo
    finally:
        await demo.stop()


async def with_person(plan: Plan, clock: Clock) -> int:
    """Cells without end; a person answers in this terminal until it is quit."""
    async with _demo(plan, clock) as demo:
        await demo.start_cells()
        log = str(demo.folder.logs / "tui.log")
        code = await in_foreground("tui", "--server", demo.server, "--log", log)
    if code != Exit.OK or not demo_evidence.all_have_begun(
        demo.folder.trace, demo.cells
    ):
        return code  # it has said why, or was quit before there was anything to tell
    records = _records(demo, in_flight_is_excused=True)
    demo_table.show(demo_report.report(records), records)
    typer.echo(f"everything is kept in {demo.folder.path}")
    return code


async def headless(plan: Plan, clock: Clock) -> int:
    """So many cycles with a simulated operator, then the report."""
    async with _demo(plan, clock) as demo:
        await demo.start_operator()
        await demo.start_cells()
        with demo_progress.Display(plan.cycles, clock) as display:
            await _follow(demo, display)
        await _settle(demo)
        demo.numbers = await asyncio.to_thread(dropped_at_coordinator, demo.server)
    records = _records(demo, in_flight_is_excused=False)
    told = demo_report.report(records)
    plan.report.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    demo_table.show(told, records)
    if demo.killed_ns:
        _tell_of_the_kill(demo, records)
    typer.echo(f"report in {plan.report}; everything else is in {demo.folder.path}")
    proved = told["lost"] == 0 and told["moves_without_permit"] == 0
    return Exit.OK if proved else Exit.NEGATIVE


async def _follow(demo: Demo, display: demo_progress.Display) -> None:
    """Show how far it is until every cell has worked its cycles.

    Raises:
        UnavailableError: a program died, or nothing moves any more.
    """
    cycles, moved_ns = 0, demo.clock.monotonic_ns()
    while not demo.has_worked_its_cycles():
        will_kill = 0 < demo.plan.kill_at <= cycles and not demo.killed_ns
        await demo.clock.sleep(LOOK_CLOSELY_S if will_kill else LOOK_EVERY_S)
        require_alive(demo.programs)
        picture = await demo.picture()
        now_ns = demo.clock.monotonic_ns()
        if picture is not None:
            display.show(picture)
            if picture.cycles > cycles:
                cycles, moved_ns = picture.cycles, now_ns
        if now_ns - moved_ns > STANDSTILL_S * SECOND_NS:
            raise UnavailableError(
                f"no cell has moved for {STANDSTILL_S:g} s after {cycles} cycles; "
                f"the logs are in {demo.folder.logs}.",
                "STANDSTILL",
            )
        if picture is not None and _is_time_to_kill(demo, picture):
            await _kill_and_restart(demo)


def _is_time_to_kill(demo: Demo, picture: Picture) -> bool:
    """Whether to kill now: preferably while somebody waits for an answer.

    The picture may be a moment old, so the store itself is asked.
    """
    at = demo.plan.kill_at
    if demo.killed_ns or not 0 < at <= picture.cycles:
        return False
    if picture.cycles >= at + KILL_PATIENCE:
        return True
    waiting = picture.open_requests > 0
    return waiting and bool(demo_evidence.read_open_requests(demo.folder.data))


async def _kill_and_restart(demo: Demo) -> None:
    """Kill -9 the coordinator in mid-demo, and start it again on the same data."""
    (coordinator,) = [p for p in demo.programs if p.name == "coordinator"]
    demo.programs.remove(coordinator)
    demo.killed_ns = demo.clock.monotonic_ns()
    await coordinator.kill()
    demo.open_at_kill = demo_evidence.read_open_requests(demo.folder.data)
    waiting = len(demo.open_at_kill)
    typer.echo(f"killed the coordinator with {waiting} open requests")
    await demo.clock.sleep(DOWN_S)
    await coordinator.stop()
    await demo.start_coordinator()
    back_s = (demo.clock.monotonic_ns() - demo.killed_ns) / SECOND_NS
    typer.echo(f"the coordinator serves again, {back_s:.1f} s after it was killed")


async def _settle(demo: Demo) -> None:
    """Wait until nothing is pending, as long as that takes a while and not for ever."""
    until_ns = demo.clock.monotonic_ns() + int(SETTLE_S * SECOND_NS)
    while demo.clock.monotonic_ns() < until_ns:
        picture = await demo.picture()
        if picture is not None and picture.open_requests == 0:
            return
        await demo.clock.sleep(LOOK_EVERY_S / 4)


def dropped_at_coordinator(server: str) -> dict[str, int]:
    """Windows that the coordinator's inboxes dropped, by reason; since it started."""
    from andon.v1 import insight_pb2, insight_pb2_grpc

    with client.connect(server) as channel:
        stub = insight_pb2_grpc.InsightServiceStub(channel)
        reply = client.ask(stub.GetNumbers, insight_pb2.GetNumbersRequest())
    return {
        name.removeprefix("dropped_").removesuffix("_count"): int(value)
        for name, value in reply.numbers.items()
        if name.startswith("dropped_") and value > 0
    }


def _records(demo: Demo, *, in_flight_is_excused: bool) -> Records:
    """Read everything back from the folder, now that nobody writes there."""
    folder = demo.folder
    trace = demo_evidence.read_traces(folder.trace, demo.cells, demo.numbers)
    return Records(
        journal=demo_evidence.read_journal(folder.data, after_seq=demo.after_seq),
        truth=demo_evidence.read_truth(folder.truth),
        trace=trace,
        acknowledged=demo_evidence.read_acknowledged(folder.operator),
        open_requests=demo_evidence.read_open_requests(folder.data),
        serving_at=demo.serving_at,
        in_flight=trace.last_sent if in_flight_is_excused else frozenset(),
    )


def _tell_of_the_kill(demo: Demo, records: Records) -> None:
    """Say how long each cell went on without a coordinator; keep it as JSON too."""
    lags: dict[CellId, Any] = dict.fromkeys(demo.cells)
    lags |= demo_report.holds_after_ms(records.trace, demo.killed_ns)
    path = demo.folder.evidence / "kill.json"
    kept = demo.open_at_kill - demo_report.vanished_requests(records)
    told = {
        "killed_ns": demo.killed_ns,
        "held_after_ms": lags,
        "open_at_kill": len(demo.open_at_kill),
        "open_kept": len(kept),
    }
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    typer.echo(
        f"{len(kept)} of {len(demo.open_at_kill)} requests that were open at the kill "
        "were there after the restart"
    )
    for cell, lag_ms in lags.items():
        when = "never" if lag_ms is None else f"{lag_ms:.0f} ms after the kill"
        typer.echo(f"{cell} held {when}, by its node's clock")
