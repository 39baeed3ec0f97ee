"""How long the labelling of stored windows takes the event loop and the person.

    python -m benchmarks.teach_queue [WINDOWS]

A store on disk gets WINDOWS judged windows of 128 rows x 24 channels (10,000 unless
told otherwise). Then a party begins: the windows are read, people are lent windows and
label them. Printed are the time until everything is read, the longest and the 99th
percentile stand-still of the event loop meanwhile (what a cell's loop would have
waited), and the times to lend a window and to take an opinion.
"""

from __future__ import annotations

import asyncio
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from coordinator import software
from coordinator.clock import SECOND_NS, SystemClock
from coordinator.learning.correction.party import Party
from coordinator.learning.correction.records import Said
from coordinator.learning.correction.teach import Teaching, view_digest
from coordinator.learning.training.dataset import frozen
from coordinator.store import Store
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Actor,
    AuditCoin,
    CellId,
    Channel,
    Decision,
    DecisionId,
    Digest,
    Family,
    FamilyId,
    IdempotencyKey,
    Label,
    PersonId,
    Prediction,
    SensorWindow,
    Verdict,
    WindowId,
    WindowKind,
    events,
    window_digest,
)

ROWS, CHANNELS = 128, 24
FAMILY = Family(
    FamilyId("peg"),
    tuple(Channel(f"c{i}", "N", -10.0, 10.0) for i in range(CHANNELS)),
    (Label("wedged", Action.REWORK), Label("ok", Action.CONTINUE)),
    "ok",
)
OPINIONS = 300


def make(number: int, rng: np.random.Generator) -> tuple[SensorWindow, Prediction]:
    """A window of one of forty kinds, and what a model said of it."""
    kind = np.sin(np.linspace(0, 1 + number % 40, ROWS))[:, None]
    samples = (kind + rng.normal(0, 0.1, (ROWS, CHANNELS))).astype(np.float32)
    present = np.ones(CHANNELS, np.bool_)
    window = SensorWindow(
        window_id=WindowId(f"w-{number}"),
        cell_id=CellId("press-1"),
        kind=WindowKind.DECISION,
        session_epoch=1,
        seq=number,
        cycle=number,
        step="insert",
        part_id=f"part-{number}",
        start_ns=0,
        period_ns=10_000_000,
        samples=samples,
        present=present,
        digest=window_digest(FAMILY.schema_digest, samples, present),
        age_ns=0,
        received_ns=0,
        cut_at=SystemClock().utc_now(),
    )
    sure = float(rng.uniform(0.5, 1.0))
    said = Prediction(
        Digest("5e" * 32), ("wedged", "ok"), (0.0, 1.0), (1 - sure, sure), 0.5
    )
    return window, said


async def fill(store: Store, count: int) -> None:
    """Put judged windows into the store."""
    rng = np.random.default_rng(7)
    waiting = []
    for number in range(1, count + 1):
        window, said = make(number, rng)
        decided = events.WindowDecided(
            decision_id=DecisionId(f"d-{number}"),
            window_id=window.window_id,
            cell_id=window.cell_id,
            family=FAMILY.family_id,
            epoch=1,
            kind=window.kind,
            cycle=number,
            step="insert",
            part_id=window.part_id,
            window_digest=window.digest,
            verdict=Verdict(Decision.ACT, "ACT", "sure.", said),
            coin=AuditCoin(0.05, drawn=False),
            gate_digest=NO_DIGEST,
            age_ns=0,
        )
        waiting.append(store.commit(decided, window=window))
        if len(waiting) == 100:
            await asyncio.gather(*waiting)
            waiting = []
    await asyncio.gather(*waiting)


class Pulse:
    """Measures how late the event loop is, a thousand times a second."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            self.late_ms.append(1000 * (time.monotonic() - before) - 1.0)

    def stop(self) -> str:
        """Say how late it was."""
        self._task.cancel()
        late = np.array(self.late_ms or [0.0])
        return (
            f"loop late p99 {np.quantile(late, 0.99):.1f} ms, most {late.max():.1f} ms"
        )


async def measure(count: int) -> None:
    """Read, lend and label, and print how long it took."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder), clock=clock, commit_deadline_s=60)
        await fill(store, count)
        party = Party(
            FAMILY.family_id,
            clock=clock,
            lease_ns=120 * SECOND_NS,
            kept_apart=frozen,
            busy=list,
        )
        teaching = Teaching(
            {FAMILY.family_id: party},
            store=store,
            clock=clock,
            family_of=lambda _: FAMILY,
        )
        pulse, began = Pulse(), time.monotonic()
        calls = 0
        while teaching.news.unread:
            await teaching.news.refresh()
            calls += 1
        read_s = time.monotonic() - began
        print(
            f"read {len(party.pool)} windows in {read_s:.1f} s, {calls} calls;", end=" "
        )
        print(pulse.stop())
        pulse = Pulse()
        lend_ms, say_ms = [], []
        for number in range(OPINIONS):
            who = Actor(PersonId(f"person-{number % 3}"), "desk")
            began = time.perf_counter()
            [lent] = party.lend(who.person, 1)
            lend_ms.append(1000 * (time.perf_counter() - began))
            window = lent.window
            view = view_digest(window.window_digest, FAMILY)
            said = Said(window.window_id, "ok", view)
            once = IdempotencyKey(who.person, f"k-{number}", Digest(f"{number:064d}"))
            began = time.perf_counter()
            await teaching.say("peg", said, who, once)
            say_ms.append(1000 * (time.perf_counter() - began))
        for name, times in (("lend", lend_ms), ("say", say_ms)):
            p50, p95 = np.quantile(times, [0.5, 0.95])
            print(
                f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, most {max(times):.1f} ms"
            )
        print(pulse.stop())
        await store.close()


def main() -> None:
    """Measure, and say where."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{platform.platform()}, Python {platform.python_version()},", end=" ")
    print(f"commit {software.commit()[:12]}")
    asyncio.run(measure(count))


if __name__ == "__main__":
    main()
