"""The simulated people say what is true, err as often as asked, and keep count."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tui.conftest import until
from tests.tui.fake_coordinator import FakeCoordinator
from tui import simulated
from tui.ledger import Ledger
from tui.operator import Shift, main, work
from tui.simulated import Habits

EASY = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.1}


def write_truth(folder: Path, cell: str, cycle: int, label: str, **facts) -> None:
    line = {"cell": cell, "cycle": cycle, "part_id": "A-1", "label": label}
    facts = {"fault": "none", "severity": 0.0, "sensor_fault": "", **facts}
    with (folder / f"truth-{cell}.jsonl").open("a") as file:
        file.write(json.dumps({**line, "ambiguous": False, **facts}) + "\n")


@asynccontextmanager
async def people_at_work(coordinator: FakeCoordinator, truth: Path, **how):
    """Simulated people, until the block ends; yields their ledger."""
    habits = Habits(how.pop("error_rate", 0.0), how.pop("reaction_s", 0.0), 7)
    shift = Shift(f"127.0.0.1:{coordinator.port}", truth, habits, **how)
    stop = asyncio.Event()
    ledger = Ledger()
    working = asyncio.create_task(work(shift, stop, ledger))
    try:
        yield ledger
    finally:
        stop.set()
        await working


async def test_a_question_is_answered_with_the_truth(coordinator, tmp_path) -> None:
    write_truth(tmp_path, "press-1", 4, "missing_part")
    request_id = coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.answered)

    assert coordinator.answers() == {request_id: "missing_part"}
    assert (ledger.answered, ledger.corrections, ledger.mistakes) == (1, 1, 0)
    assert [(a.request_id, a.label) for a in ledger.acknowledged] == [
        (request_id, "missing_part")
    ]


async def test_a_confirmation_is_no_correction(coordinator, tmp_path) -> None:
    write_truth(tmp_path, "press-1", 4, "grip_slip")
    coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.answered)

    assert (ledger.answered, ledger.corrections) == (1, 0)


async def test_truth_that_comes_late_is_waited_for(coordinator, tmp_path) -> None:
    coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path):
        await until(lambda: coordinator.requests["r-press-1-4"].summary.claimed_by)
        write_truth(tmp_path, "press-1", 4, "ok")
        await until(coordinator.answers)

    assert coordinator.answers() == {"r-press-1-4": "ok"}


async def test_without_truth_nobody_can_tell_and_says_so_once(
    coordinator, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(simulated, "TRUTH_S", 0.0)
    request_id = coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: coordinator.requests[request_id].summary.level == 1)
        coordinator.ask("press-2", 1, EASY)
        await until(lambda: ledger.cannot_tell == 2)

    assert coordinator.answers() == {}
    assert ledger.cannot_tell == 2


@pytest.mark.slow
async def test_mistakes_come_at_about_the_rate_and_are_repeatable(
    coordinator, tmp_path
) -> None:
    said, mistakes = [], []
    for cycle in range(120):
        write_truth(tmp_path, "press-1", cycle, "ok")
    for _ in range(2):
        coordinator.requests.clear()
        for cycle in range(120):
            coordinator.ask("press-1", cycle, EASY)
        how = {"error_rate": 0.1, "people": 2}
        async with people_at_work(coordinator, tmp_path, **how) as ledger:
            await until(lambda: ledger.answered == 120, 60.0)
        said.append(coordinator.answers())
        mistakes.append(ledger.mistakes)

    wrong = sum(label != "ok" for label in said[0].values())
    # 99.9 % of binomial(120, 0.1) lies within these.
    assert 3 <= wrong <= 25
    assert mistakes == [wrong, wrong]
    assert said[0] == said[1]


async def test_an_audit_is_answered_too(coordinator, tmp_path) -> None:
    write_truth(tmp_path, "press-1", 4, "ok")
    coordinator.ask("press-1", 4, {"ok": 0.99, "grip_slip": 0.01}, audit=True)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.answered)

    assert (ledger.answered, ledger.audits) == (1, 1)


@pytest.mark.parametrize(
    ("label", "reason", "fate"),
    [
        pytest.param("collision", "STOP_LABEL", "REJECT", id="a-stop-puts-it-aside"),
        pytest.param("misaligned", "LOW_CONFIDENCE", "REWORK", id="nobody-answered"),
        pytest.param("ok", "BAD_DATA", "CONTINUE", id="only-the-sensor-was-bad"),
        pytest.param("ok", "OPERATOR_HOLD", "UNSPECIFIED", id="no-part-waits"),
        pytest.param("ok", "IDENTITY", "UNSPECIFIED", id="the-shift-lead-looked"),
    ],
)
async def test_a_held_cell_is_released_with_what_the_truth_says(
    coordinator, tmp_path, label, reason, fate
) -> None:
    write_truth(tmp_path, "press-2", 9, label)
    coordinator.put_cell("press-2", "HELD", reason, cycle=9)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.released)

    assert f"release press-2 {fate}" in coordinator.calls
    assert ledger.released == 1


async def test_a_hold_of_the_safety_system_is_left_to_a_supervisor(
    coordinator, tmp_path
) -> None:
    coordinator.put_cell("press-2", "HELD", "SAFETY_STOP_SEEN")
    write_truth(tmp_path, "press-1", 4, "ok")
    coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path):
        await until(coordinator.answers)

    assert not [call for call in coordinator.calls if call.startswith("release")]


async def test_a_lost_reply_is_asked_for_again_with_the_same_key(
    coordinator, tmp_path
) -> None:
    coordinator.lose_replies = 1
    write_truth(tmp_path, "press-1", 4, "ok")
    coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.answered)

    assert coordinator.calls.count("answer r-press-1-4 ok") == 2
    assert len(coordinator.replies) == 1
    assert (ledger.answered, ledger.retried) == (1, 1)
    assert ledger.refused == {}


async def test_a_restart_of_the_coordinator_is_survived(coordinator, tmp_path) -> None:
    for cycle in range(2):
        write_truth(tmp_path, "press-1", cycle, "ok")
    coordinator.ask("press-1", 0, EASY)

    async with people_at_work(coordinator, tmp_path) as ledger:
        await until(lambda: ledger.answered)
        await coordinator.stop()
        coordinator.ask("press-1", 1, EASY)
        await coordinator.start()
        await until(lambda: ledger.answered == 2)

    assert (ledger.answered, ledger.links_lost) == (2, 1)


async def test_a_claim_forgotten_in_a_restart_is_taken_again(
    coordinator, tmp_path
) -> None:
    write_truth(tmp_path, "press-1", 4, "ok")
    request_id = coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path, reaction_s=0.2) as ledger:
        await until(lambda: coordinator.requests[request_id].summary.claimed_by)
        coordinator.forget_claims()
        await until(lambda: ledger.answered)

    assert dict(ledger.refused) == {"NOT_YOUR_CLAIM": 1}
    assert ledger.answered == 1


async def test_several_people_answer_several_requests_at_once(
    coordinator, tmp_path
) -> None:
    for number in (1, 2, 3):
        write_truth(tmp_path, f"press-{number}", 4, "ok")
        coordinator.ask(f"press-{number}", 4, EASY)
    holders: set[str] = set()

    async with people_at_work(coordinator, tmp_path, people=3, reaction_s=0.3):
        claims = [asked.summary for asked in coordinator.requests.values()]
        await until(lambda: all(claim.claimed_by for claim in claims))
        holders = {claim.claimed_by for claim in claims}
        await until(lambda: len(coordinator.answers()) == 3)

    assert holders == {"sim-1", "sim-2", "sim-3"}


async def test_the_report_is_whole_at_every_moment(coordinator, tmp_path) -> None:
    report = tmp_path / "report.json"
    write_truth(tmp_path, "press-1", 4, "ok")
    coordinator.ask("press-1", 4, EASY)

    async with people_at_work(coordinator, tmp_path, report=report) as ledger:
        await until(report.exists)
        json.loads(report.read_text())
        await until(lambda: ledger.answered)

    told = json.loads(report.read_text())
    assert told["answered"] == 1
    assert told["refused"] == {}
    assert set(told["acknowledged"][0]) == {"request_id", "label", "at_mono_ns"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(["--error-rate", "1.5"], id="rate-above-one"),
        pytest.param(["--error-rate", "nan"], id="rate-is-nan"),
        pytest.param(["--people", "0"], id="nobody"),
        pytest.param(["--person", "Ana Q"], id="not-an-id"),
        pytest.param(["--truth", "nowhere"], id="no-such-folder"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_starts(
    wrong, tmp_path, capsys
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--truth", str(tmp_path), *wrong])

    assert refused.value.code == 2
    assert wrong[1] in capsys.readouterr().err
