"""The key numbers, against a little story that was counted by hand.

From 12:00 to 13:00, two cells of one family. press-1 works, asks once at 12:10, is
answered at 12:12 (claimed 12:11), and works on. press-2 is held at 12:30 and let go by
ben at 12:45. Six windows: four decided alone, one asked, one held.
"""

from datetime import datetime, timedelta

import pytest

from coordinator.history import (
    Past,
    PastDecision,
    PastMove,
    PastRelease,
    PastRequest,
)
from coordinator.insight.numbers import PARTS, measure, quantile, rows, spent
from coordinator.terms import (
    Action,
    CellId,
    CellState,
    Decision,
    DecisionId,
    Outcome,
    RequestId,
    RequestKind,
)
from tests.builders import FAMILY, NOON

ONE, TWO = CellId("press-1"), CellId("press-2")
S = CellState


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def decided(minute: float, cell: CellId, what: Decision, part: str, guess="ok"):
    return PastDecision(
        at(minute), DecisionId(f"d-{minute:g}"), cell, what, part, guess
    )


def asked(minute: float, **changes) -> PastRequest:
    facts = {
        "request_id": RequestId(f"r-{minute:g}"),
        "cell_id": ONE,
        "decision_id": DecisionId(f"d-{minute:g}"),
        "kind": RequestKind.QUESTION,
        "outcome": Outcome.ANSWERED,
        "raised_at": at(minute),
        "seen_at": at(minute + 0.5),
        "claimed_at": at(minute + 1),
        "resolved_at": at(minute + 2),
        "label": "ok",
        "guess": "misaligned",
    }
    return PastRequest(**{**facts, **changes})


def action_of(cell: CellId, label: str) -> Action | None:
    found = FAMILY.label(label)
    return None if found is None else found.action


STORY = Past(
    since=NOON,
    until=at(60),
    decisions=[
        decided(5, ONE, Decision.ACT, "a"),
        decided(10, ONE, Decision.ASK, "b", "misaligned"),
        decided(20, ONE, Decision.ACT, "c", "misaligned"),
        decided(25, ONE, Decision.ACT, "c"),
        decided(29, TWO, Decision.ACT, "x"),
        decided(30, TWO, Decision.HOLD, "y", ""),
    ],
    requests=[asked(10)],
    moves=[
        PastMove(at(10), ONE, S.WORKING, S.ASKING),
        PastMove(at(12), ONE, S.ASKING, S.WORKING),
        PastMove(at(30), TWO, S.WORKING, S.HELD),
        PastMove(at(45), TWO, S.HELD, S.IDLE),
    ],
    releases=[PastRelease(at(45), TWO, "ben")],
    now={ONE: S.WORKING, TWO: S.IDLE},
)


def test_the_numbers_of_the_story():
    found = measure(STORY, [ONE, TWO], action_of)

    assert found["questions_per_hour"] == 1.0
    assert found["answers_per_hour"] == 1.0
    assert found["time_to_answer_p50_s"] == found["time_to_answer_p95_s"] == 120.0
    assert found["corrections_share"] == 1.0
    assert found["automation_share"] == pytest.approx(4 / 6)
    assert found["interventions_count"] == 2.0  # one question, one release by hand
    assert found["at_work_s"] == 7200.0
    assert found["between_interventions_s"] == 3600.0
    assert found["asking_share"] == pytest.approx(2 / 120)
    assert found["waiting_for_human_share"] == pytest.approx(17 / 120)
    assert found["idle_share"] == pytest.approx(15 / 120)
    assert found["human_time_s"] == 60.0
    assert found["decided_per_human_minute"] == 5.0
    # a, b and x are good at first; c was misaligned first, y was held.
    assert found["parts_count"] == 5.0
    assert found["first_pass_share"] == pytest.approx(3 / 5)


def test_what_cannot_be_measured_is_left_out():
    found = measure(Past(NOON, at(60)), [], action_of)

    assert "automation_share" not in found
    assert "first_pass_share" not in found
    assert "time_to_answer_p50_s" not in found
    assert "between_interventions_s" not in found
    assert "working_share" not in found


def test_time_out_of_work_is_nobodys_loss():
    past = Past(
        NOON,
        at(60),
        moves=[PastMove(at(30), ONE, S.WORKING, S.MAINTENANCE)],
        now={ONE: S.MAINTENANCE},
    )

    assert spent(past, [ONE])[S.WORKING] == 1800.0
    assert measure(past, [ONE], action_of)["working_share"] == 1.0


def test_a_cell_that_did_not_move_was_all_the_time_where_it_is_now():
    assert spent(Past(NOON, at(10), now={ONE: S.HELD}), [ONE])[S.HELD] == 600.0


def test_what_a_policy_lets_go_is_no_intervention():
    past = Past(NOON, at(60), releases=[PastRelease(at(1), ONE, "policy:autostart")])

    assert measure(past, [ONE], action_of)["interventions_count"] == 0.0


@pytest.mark.parametrize(
    ("outcome", "label", "share"),
    [
        (Outcome.ANSWERED, "ok", 1.0),
        (Outcome.ANSWERED, "misaligned", 0.0),
        (Outcome.TIMED_OUT, "", 0.0),
        (Outcome.OPEN, "", None),
    ],
)
def test_a_part_is_good_when_a_person_says_so_at_its_first_window(
    outcome, label, share
):
    past = Past(
        NOON,
        at(60),
        decisions=[decided(10, ONE, Decision.ASK, "b")],
        requests=[asked(10, outcome=outcome, label=label)],
    )

    assert measure(past, [ONE], action_of).get("first_pass_share") == share


def test_rows_are_all_then_each_family_then_its_cells():
    found = rows(STORY, {ONE: "peg", TWO: "peg"}, action_of)

    assert [(r.family, r.cell_id) for r in found] == [
        ("", ""),
        ("peg", ""),
        ("peg", "press-1"),
        ("peg", "press-2"),
    ]
    assert found[2].numbers["automation_share"] == pytest.approx(3 / 4)
    assert found[3].numbers["held_share"] == pytest.approx(15 / 60)


def test_a_trend_is_the_same_numbers_part_by_part():
    whole = rows(STORY, {ONE: "peg", TWO: "peg"}, action_of)[0]
    questions = whole.trends["questions_per_hour"]
    waiting = whole.trends["waiting_for_human_share"]

    assert len(questions) == PARTS
    assert sum(questions) == pytest.approx(PARTS)  # one question in an hour
    assert questions[4] == pytest.approx(PARTS)  # 12:10 is in the fifth part
    assert waiting[0] == 0.0
    assert waiting[12] == pytest.approx(0.5)  # 12:30 to 12:32.5: one of two is held
    assert waiting[-1] == 0.0
    assert whole.trends["automation_share"][0] != whole.trends["automation_share"][0]


def test_a_quantile_is_one_of_the_values():
    values = [float(n) for n in range(1, 21)]

    assert quantile(values, 0.5) == 10.0
    assert quantile(values, 0.95) == 19.0
    assert quantile([7.0], 0.95) == 7.0
