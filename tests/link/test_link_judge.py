"""The judge of the link tests finds what it is there to find."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from andon.v1 import terms_pb2
from coordinator.live.cell.holds import AUTOSTART
from coordinator.terms import (
    NO_DIGEST,
    Action,
    CellEvent,
    CellId,
    CellState,
    DecisionId,
    HoldReason,
    Permit,
    PermitId,
    PermitPurpose,
    events,
)
from tests.link.judge import (
    Findings,
    Written,
    judge_journal,
    judge_leases,
    judge_motions,
    judge_permits,
    judge_shown,
    judge_windows,
)
from tests.link.proxy import Line as BadLine
from tests.link.proxy import Way
from tests.link.traces import MS, SECOND_NS, Line, Node
from tests.link.world import Shown

CELL = CellId("c0")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()
SENT = {"kind": "decision", "digest": "d", "window_id": "w-1"}
OFFLINE, WORKING = terms_pb2.CELL_STATE_OFFLINE, terms_pb2.CELL_STATE_WORKING


def at(seconds: float) -> int:
    """A moment on the machine's clock, s after the story's beginning."""
    return 1_000 * SECOND_NS + round(seconds * SECOND_NS)


def line(event: str, seconds: float, **facts: Any) -> Line:
    return {"event": event, "mono_ns": at(seconds), **facts}


def story() -> list[Line]:
    """A session of one second, a permit in it, silence, a hold when the lease ends."""
    return [
        line("session_open", 0.0, epoch=1),
        line("beat", 0.01, seq=1, sent_ns=at(0.01)),
        line("ack", 0.02, seq=1, epoch=1),
        line("permit_received", 0.03, permit_id="p-1", epoch=1),
        line("permit_started", 0.03, permit_id="p-1", start_by_ns=at(1.0)),
        line("window_cut", 0.5, digest="d", window_id="w-1"),
        line("window_sent", 0.5, **SENT, offered_again=False),
        line("hold", 2.015, reason="link_lost", text="nothing acknowledged"),
        line("session_lost", 2.02, text="nothing acknowledged"),
    ]


def judged(lines: list[Line]) -> list[str]:
    node, found = Node("c0", lines), Findings()
    judge_leases(node, found)
    judge_permits(node, found)
    judge_windows(node, found)
    return found.violations


def changed(event: str, **facts: Any) -> list[Line]:
    return [
        {**one, **facts} if one["event"] == event else one
        for one in story()
    ]  # fmt: skip


def test_a_good_story_is_good() -> None:
    assert judged(story()) == []


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        pytest.param(changed("hold", mono_ns=at(2.1)), "after the lease", id="late"),
        pytest.param(
            changed("permit_received", epoch=2), "of session 2", id="other-session"
        ),
        pytest.param(changed("ack", seq=7), "without a lease", id="without-a-lease"),
        pytest.param(
            changed("permit_started", mono_ns=at(2.5)), "was over", id="after-its-end"
        ),
        pytest.param(
            changed("permit_started", start_by_ns=at(0.01)), "too late", id="too-late"
        ),
        pytest.param([*story(), story()[4]], "2 times", id="twice"),
        pytest.param(
            [*story(), line("session_open", 3.0, epoch=1)],
            "epoch 1 after 1",
            id="epoch",
        ),
        pytest.param(
            [*story(), line("session_open", 3.0, epoch=2), story()[6]],
            "came again unsaid",
            id="old-window-as-new",
        ),
        pytest.param(
            [
                *story(),
                line("session_open", 3.0, epoch=2),
                {**story()[6], "offered_again": True},
            ],
            "came again unasked",
            id="old-window-unasked",
        ),
    ],
)
def test_a_bad_story_of_a_node_is_found(lines: list[Line], word: str) -> None:
    violations = judged(lines)

    assert any(word in violation for violation in violations), violations


def test_a_process_that_was_late_explains_a_late_hold() -> None:
    late = line("late", 2.1, gap_ns=150 * MS)

    assert judged([*changed("hold", mono_ns=at(2.1)), late]) == []


@pytest.mark.parametrize(
    ("motions", "word"),
    [
        ([("begin", 0.1), ("pause", 2.02)], ""),
        ([("begin", 0.1), ("end", 0.6)], ""),
        ([("begin", 0.1), ("end", 3.0)], "moved on"),
        ([("begin", 0.1), ("pause", 0.5), ("resume", 2.5), ("end", 3.0)], "moved on"),
        ([("begin", -0.5), ("end", -0.1)], "before any session"),
        ([("begin", 0.1), ("end", 0.2), ("begin", 0.3)], "2 cycles"),
    ],
)
def test_a_robot_that_moves_without_leave_is_found(motions, word: str) -> None:
    found = Findings()
    robot = [line(event, seconds, permit_id="p-1") for event, seconds in motions]
    judge_motions(robot, [Node("c0", story())], found)

    assert bool(found.violations) == bool(word)
    assert all(word in violation for violation in found.violations)


def permit(**changes: Any) -> Permit:
    facts: dict[str, Any] = {
        "permit_id": PermitId("p-1"),
        "cell_id": CELL,
        "purpose": PermitPurpose.START,
        "action": Action.CONTINUE,
        "label": "",
        "session_epoch": 1,
        "decision_id": DecisionId("d-1"),
        "window_digest": NO_DIGEST,
        "cycle": 0,
        "start_within_ns": 1,
        "heartbeat_seq": 1,
        "maximum_execution_ns": 1,
    }
    return Permit(**(facts | changes))


def release(number: int, *reasons: HoldReason) -> events.HoldReleased:
    cleared = reasons or (HoldReason.LINK_LOST,)
    return events.HoldReleased(DecisionId(f"d-{number}"), CELL, AUTOSTART, cleared, "")


def opened(epoch: int) -> events.SessionOpened:
    return events.SessionOpened(CELL, epoch, "node-1", "boot", "test")


def left(actor: Any) -> events.CellMoved:
    return events.CellMoved(
        CELL, 1, CellEvent.RELEASED, CellState.HELD, CellState.IDLE, actor=actor
    )


GOOD: list[tuple[float, events.Event]] = [
    (0.0, opened(1)),
    (0.0, release(1)),
    (0.0, left(AUTOSTART)),
    (0.0, events.PermitIssued(permit())),
    (0.1, events.PermitConsumed(PermitId("p-1"), CELL, 1)),
    (2.0, events.SessionClosed(CELL, 1, "cut.")),
    (3.0, opened(2)),
    (5.2, release(2)),
]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param(lambda j: j, "", id="good"),
        pytest.param(lambda j: [*j[:1], *j[2:]], "no decision", id="no-decision"),
        pytest.param(lambda j: [*j[:3], *j[4:]], "not in the journal", id="no-permit"),
        pytest.param(lambda j: [*j, j[4]], "consumed 2 times", id="consumed-twice"),
        pytest.param(lambda j: [*j[:5], *j[6:]], "beside", id="two-sessions"),
        pytest.param(lambda j: [*j, (6.0, opened(1))], "session 1 after 2", id="epoch"),
        pytest.param(
            lambda j: [*j, (7.0, release(3))], "released after 1.80", id="flapping"
        ),
        pytest.param(lambda j: [*j, (6.0, left(None))], "without a name", id="nobody"),
        pytest.param(
            lambda j: [*j, (20.0, release(3, HoldReason.BAD_DATA))],
            "policy:autostart cleared",
            id="policy-beyond-its-right",
        ),
    ],
)
def test_a_bad_journal_is_found(
    change: Callable[[list[Any]], list[Any]], word: str
) -> None:
    found = Findings()
    journal = [Written(event, NOON + seconds) for seconds, event in change(GOOD)]
    judge_journal(journal, {CELL: [Node("c0", story())]}, found)

    assert bool(found.violations) == bool(word), found.violations
    assert not word or any(word in violation for violation in found.violations)


@pytest.mark.parametrize(
    ("shown_s", "word"),
    [(1.0, ""), (3.4, ""), (3.6, "after 3600 ms"), (None, "never")],
)
def test_a_cell_that_is_shown_at_work_while_nothing_comes_is_found(
    shown_s: float | None, word: str
) -> None:
    bad, found = BadLine("127.0.0.1", 1), Findings()
    bad.through[Way.UP] += [at(-1.0), at(0.0), at(10.0)]
    shown = [Shown(at(-2.0), CELL, WORKING, 0, 1)]
    if shown_s is not None:
        shown.append(Shown(at(shown_s), CELL, OFFLINE, 0, 0))
    judge_shown(CELL, bad, shown, found)

    assert bool(found.violations) == bool(word)
    assert all(word in violation for violation in found.violations)
