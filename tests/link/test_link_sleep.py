"""A coordinator that stands still: what lies in its buffers is never taken for now."""

import asyncio
import time
from pathlib import Path

import pytest

from coordinator.terms import Decision, events
from tests.link.cuts import judge
from tests.link.judge import Findings, read_journal
from tests.link.sender import Sender
from tests.link.traces import SECOND_NS
from tests.link.world import plant

pytestmark = pytest.mark.slow
FRESH_NS = SECOND_NS // 4 + SECOND_NS // 20
"""gate.maximum_age_s, and the time to read a message that is there."""


async def test_no_window_from_before_a_stop_is_classified_as_current(
    tmp_path: Path,
) -> None:
    found = Findings()
    cells = ["c0", "c1"]
    async with plant(tmp_path, [*cells, "raw"], seed=3) as world:
        await world.crowd({cell: cell for cell in cells})
        sender, enough = Sender(f"127.0.0.1:{world.port}", "raw"), asyncio.Event()
        async with sender.session():
            sending = asyncio.create_task(sender.windows(every_s=0.01, until=enough))
            for cell in (*cells, "raw"):
                await world.at_work(cell)
            await asyncio.sleep(0.5)
            # Shorter than a lease, so that the session lives and its windows are read.
            short = await world.pause_coordinator(1.2)
            await asyncio.sleep(1.0)
            await world.at_work("raw")
            epochs = {cell: world.person.now[cell].epoch for cell in cells}
            long = await world.pause_coordinator(5.0)
            for cell in cells:
                await world.at_work(cell, after_epoch=epochs[cell])
            enough.set()
            await sending
            assert sender.over.is_set(), "a session outlived the stop"
    judge(world, found, away=[short, long])

    assert found.violations == []
    assert found.counts["lost_leases"] >= 2
    classified = {
        str(written.event.window_digest)
        for written in read_journal(world.data_dir)
        if isinstance(written.event, events.WindowDecided)
        and written.event.cell_id == "raw"
        and written.event.verdict.decision in (Decision.ACT, Decision.ASK)
    }
    for since_ns, until_ns in (short, long):
        stale = {
            digest
            for digest, sent_ns in sender.sent_ns.items()
            if since_ns <= sent_ns <= until_ns - FRESH_NS
        }
        assert len(stale) > 50, "nothing ran ahead: the test tests nothing"
        assert stale & classified == set()
    assert classified, "nothing was classified at all"
    # By age where it was read in time, else the session ended first: never as fresh.
    assert sender.heard["STALE"] >= 1 or sender.over.is_set()
    log = (world.data_dir / "coordinator.log").read_text()
    assert "stood_still" in log
    assert time.monotonic_ns() > long[1]
