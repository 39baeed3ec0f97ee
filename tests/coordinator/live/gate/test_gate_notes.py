"""The gate's notes: cases, the pace of audits, signals, places and words."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from coordinator.clock import SECOND_NS
from coordinator.config import parse
from coordinator.errors import ConfigError
from coordinator.live.gate import words
from coordinator.live.gate.alarm import Alarm, where
from coordinator.live.gate.audit import LEAST_SHARE, AuditPlan, Pace, audit_share
from coordinator.live.gate.cases import SILENT, Case, CaseBook
from coordinator.live.gate.looks import Found, Looks, is_wanted
from coordinator.live.gate.plan import GatePlan, Mode, Word, plan_of
from coordinator.live.gate.signals import lot_of, measure, names, shift_of
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise
from coordinator.terms import (
    AutomatedError,
    Certificate,
    DecisionId,
    GateState,
    PersonId,
    WindowId,
)
from tests.builders import FAMILY, MODEL, NOON, PEG, make_prediction, make_window

HOUR_NS = 3600 * SECOND_NS
LABELS = FAMILY.label_names


def make_case(number: int, **changes) -> Case:
    facts = {
        "decision_id": DecisionId(f"d-{number}"),
        "window_id": WindowId(f"w-{number}"),
        "said": "ok",
        "confidence": 0.95,
        "probability": 0.2,
        "alone": True,
        "regime": 1,
        "place": ("L1", "early", "press-1"),
    }
    return Case(**{**facts, **changes})


# -- how often -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "pace", "share"),
    [
        pytest.param(GateState.ASK_ALL, 900.0, 0.8, id="everything-is-asked-anyway"),
        pytest.param(GateState.CLOSED, 900.0, 0.8, id="closed"),
        pytest.param(GateState.PROVISIONAL, 900.0, 0.05, id="on-a-word"),
        pytest.param(GateState.CERTIFIED, 600.0, 0.01, id="by-the-hour"),
        pytest.param(
            GateState.CERTIFIED, 4.0, 0.8, id="slow-cells-are-not-all-audited"
        ),
        pytest.param(GateState.CERTIFIED, 1e6, LEAST_SHARE, id="never-nothing"),
        pytest.param(GateState.CERTIFIED, 0.0, 0.05, id="pace-unknown"),
        pytest.param(GateState.CERTIFIED, float("nan"), 0.05, id="pace-nonsense"),
    ],
)
def test_the_audit_rate_follows_what_the_gate_rests_on(state, pace, share):
    assert audit_share(state, AuditPlan(), pace) == pytest.approx(share)


def test_the_pace_is_that_of_the_last_hour():
    pace = Pace()
    assert pace.per_hour(0) == 0.0
    for second in range(0, 7200, 10):
        pace.note(second * SECOND_NS)

    assert pace.per_hour(7200 * SECOND_NS) == pytest.approx(360, rel=0.02)
    assert pace.per_hour(7200 * SECOND_NS + 2 * HOUR_NS) == 0.0


def test_the_pace_is_not_told_from_one_moment():
    pace = Pace()
    pace.note(0)

    assert pace.per_hour(SECOND_NS) == 0.0


# -- cases ---------------------------------------------------------------------------


def test_only_drawn_windows_are_cases_and_only_the_others_are_the_stream():
    book = CaseBook(LABELS, Costs())
    for number in range(40):
        book.add(make_case(number), drawn=number % 4 == 0)
    for number in range(0, 40, 4):
        book.settle(DecisionId(f"d-{number}"), "ok")

    assert book.ready == 10
    assert len(book.evidence(10)) == 10
    assert len(book.stream(10)) == 2
    assert len(book.stream(400)) == 30


def test_no_more_of_the_stream_is_kept_than_a_look_will_use(monkeypatch):
    monkeypatch.setattr("coordinator.live.gate.cases.MOST_STREAM", 5)
    book = CaseBook(LABELS, Costs())
    for number in range(40):
        book.add(make_case(number), drawn=False)

    assert len(book.stream(400)) == 5


def test_a_window_that_is_told_twice_is_noted_once():
    book = CaseBook(LABELS, Costs())
    for _ in range(2):
        book.add(make_case(1), drawn=True)
        book.settle(DecisionId("d-1"), "ok")

    assert book.ready == 1
    assert book.error(1, 0.05).decided == 1


def test_an_answer_about_no_case_is_nothing():
    book = CaseBook(LABELS, Costs())

    assert book.settle(DecisionId("d-9"), "ok") is None
    book.reopen(DecisionId("d-9"))
    book.take_back(WindowId("w-9"))
    assert book.ready == 0


def test_evidence_that_begins_anew_forgets_cases_but_not_audits():
    book = CaseBook(LABELS, Costs())
    for number in range(20):
        book.add(make_case(number), drawn=number % 2 == 0)
        book.settle(DecisionId(f"d-{number}"), "ok")
    book.restart()

    assert book.ready == 0
    assert len(book.stream(100)) == 0
    assert book.error(1, 0.05).audited == 10
    book.settle(DecisionId("d-0"), SILENT)
    book.reopen(DecisionId("d-0"))
    assert book.ready == 0


def test_an_open_or_silent_audit_is_left_out_of_the_error():
    book = CaseBook(LABELS, Costs())
    for number, truth in enumerate(["ok", "misaligned", SILENT, None]):
        book.add(make_case(number), drawn=True)
        if truth is not None:
            book.settle(DecisionId(f"d-{number}"), truth)
    for number in range(10, 16):
        book.add(make_case(number), drawn=False)

    told = book.error(1, 0.05)

    assert (told.share, told.audited, told.decided) == (0.5, 2, 8)
    assert book.error(2, 0.05).share is None


def test_audits_at_two_rates_are_weighed():
    book = CaseBook(LABELS, Costs())
    for number, rate in enumerate([0.1, 0.5]):
        book.add(make_case(number, probability=rate), drawn=True)
        book.settle(DecisionId(f"d-{number}"), "ok" if rate == 0.5 else "misaligned")

    assert book.error(1, 0.05).share == pytest.approx(10 / 12)


# -- looks ---------------------------------------------------------------------------


def make_certificate(**changes) -> Certificate:
    facts = {
        "family": PEG,
        "model_digest": MODEL,
        "rule_digest": GatePlan().digest,
        "alpha": 0.05,
        "delta": 0.05,
        "alpha_missed": 0.05,
        "groups": (),
        "audited": 144,
        "look": 1,
        "coverage": 0.8,
        "issued_at": NOON,
        "until": NOON + timedelta(hours=100),
    }
    return Certificate(**{**facts, **changes})


@pytest.mark.parametrize(
    ("coverage", "hours", "renewing", "wanted"),
    [
        pytest.param(0.81, 1, False, True, id="same-evidence-covers-more"),
        pytest.param(0.80, 1, False, False, id="same-evidence-covers-the-same"),
        pytest.param(0.99, 100, False, False, id="same-evidence-prolongs-nothing"),
        pytest.param(0.77, 60, True, True, id="renewal-is-about-as-wide"),
        pytest.param(0.40, 60, True, False, id="narrow-renewal-waits"),
        pytest.param(0.40, 90, True, True, id="narrow-renewal-is-better-than-none"),
    ],
)
def test_which_result_is_better_than_what_is_in_force(
    coverage, hours, renewing, wanted
):
    found = Found(2, 216, (), coverage)
    now = NOON + timedelta(hours=hours)

    assert is_wanted(found, make_certificate(), now, renewing=renewing) is wanted
    assert is_wanted(found, None, now, renewing=renewing)


def test_the_widest_look_is_kept():
    book = CaseBook(LABELS, Costs())
    looks = Looks(Promise(), Costs(), book)
    for number in range(700):
        book.add(make_case(number, confidence=0.9), drawn=number % 5 != 0)
        book.settle(DecisionId(f"d-{number}"), "ok" if number < 400 else "misaligned")
    looks.take()

    assert looks.widest is not None
    assert looks.widest.audited in {144, 216}
    assert looks.in_sight() is None


# -- the alarm -----------------------------------------------------------------------


def test_one_bad_group_rings_though_all_together_are_good():
    alarm = Alarm(Promise(), Costs(), [("ok",), ("misaligned",)])
    for number in range(300):
        alarm.see(make_case(number, truth="ok"))
        if number % 10 == 0:
            bad = make_case(number, said="misaligned", truth="ok")
            alarm.see(bad if number % 20 == 0 else replace(bad, truth="misaligned"))

    assert alarm.rings(0.05)


def test_missed_labels_ring_before_ordinary_errors_do():
    costs = Costs({}, frozenset({"collision"}))
    promise = Promise(0.3, 0.05, 0.01)
    loud, quiet = (Alarm(promise, c, []) for c in (costs, Costs()))
    for number in range(100):
        case = make_case(number, truth="collision" if number % 12 == 0 else "ok")
        loud.see(case)
        quiet.see(case)

    assert loud.rings(0.05)
    assert not quiet.rings(0.05)


def test_an_answer_ends_a_silence():
    alarm = Alarm(Promise(), Costs(), [])
    for number in range(40):
        alarm.see(make_case(number, truth="ok" if number == 20 else SILENT))
    assert not alarm.unheard()

    alarm.see(make_case(99, truth=SILENT))
    alarm.see(make_case(100, truth=SILENT))
    assert alarm.unheard()
    assert not alarm.rings(0.05)


def test_a_place_is_named_only_when_errors_gather_there():
    spread = [
        make_case(
            i, truth="misaligned" if i % 4 == 0 else "ok", place=("", "s", str(i % 2))
        )
        for i in range(40)
    ]
    one = [
        make_case(1, truth="misaligned"),
        make_case(2, truth="ok", place=("", "", "")),
    ]

    assert where(one) == []
    told = where(spread)
    assert where([make_case(i, truth="misaligned") for i in range(4)]) == []
    even = [
        make_case(i, truth="ok" if i % 4 else "misaligned", place=("", "s", str(i % 3)))
        for i in range(60)
    ]
    assert where(even) == []
    assert told == ["cell 0: 10 of 20 audits wrong, elsewhere 0 of 20"]


# -- signals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "lot"),
    [("L7-0012", "L7"), ("L7/a_13", "L7/a"), ("0012", ""), ("plain", "plain")],
)
def test_a_lot_is_the_serial_number_without_its_end(part, lot):
    assert lot_of(part) == lot


@pytest.mark.parametrize(
    ("hour", "shift"),
    [
        (6, "2026-03-01 06:00 UTC"),
        (13, "2026-03-01 06:00 UTC"),
        (23, "2026-03-01 22:00 UTC"),
        (2, "2026-02-28 22:00 UTC"),
    ],
)
def test_a_shift_is_named_by_its_beginning(hour, shift):
    assert shift_of(NOON.replace(hour=hour)) == shift


def test_signals_name_each_channel_and_skip_the_absent():
    present = np.array([True, True, False, True])
    seen = measure(make_window(present=present), make_prediction(confidence=0.9))

    assert len(seen) == len(names(FAMILY)) == 10
    assert seen[0] == pytest.approx(0.9)
    assert np.isnan(seen[[4, 8]]).all()
    assert np.isfinite(np.delete(seen, [4, 8])).all()


# -- words ---------------------------------------------------------------------------


def test_shares_are_told_without_noise():
    assert [words.share(x) for x in (0.02, 0.005, 0.123456, 1.0)] == [
        "2 %",
        "0.5 %",
        "12.3 %",
        "100 %",
    ]


def test_an_alarm_is_told_with_or_without_a_share():
    none = AutomatedError(None, 0.0, 1.0, 0, 0)

    assert words.alarm(none, 0.05) == "more were wrong, and at most 5 % may be."
    assert "20 % of 10 audited decisions" in words.alarm(
        AutomatedError(0.2, 0.1, 0.4, 10, 90), 0.05
    )


def test_a_plan_is_another_when_anything_promised_is():
    plans = [
        GatePlan(),
        GatePlan(promise=Promise(0.02, 0.05, 0.02)),
        GatePlan(costs=Costs({("ok", "misaligned"): 2.0})),
        GatePlan(costs=Costs({}, frozenset({"collision"}))),
        GatePlan(novelty_limit=2.0),
    ]

    assert len({plan.digest for plan in plans}) == len(plans)
    assert GatePlan().digest == plans[0].digest


def test_the_same_word_is_the_same_source():
    word = Word(PersonId("eva"), 0.9, timedelta(hours=8))

    assert word.source == replace(word).source
    assert word.source != replace(word, threshold=0.8).source


# -- configuration -------------------------------------------------------------------

CONFIG = """
[gate]
{gate}
[families.peg]
default_label = "ok"
labels = [
  {{ name = "collision", action = "stop", must_never_miss = true }},
  {{ name = "ok", action = "continue" }},
]
channels = [ {{ name = "force_z", unit = "N", minimum = -1.0, maximum = 1.0 }} ]
{costs}
[cells.press-1]
family = "peg"
"""


def plan(gate: str = "", costs: str = "") -> GatePlan:
    return plan_of(parse(CONFIG.format(gate=gate, costs=costs)), PEG)


def test_without_a_word_the_configuration_promises_five_percent_and_asks_until_then():
    found = plan()

    assert found.mode is Mode.CERTIFIED
    assert found.promise == Promise(0.05, 0.05, 0.05)
    assert found.costs == Costs({}, frozenset({"collision"}))
    assert found.audits == AuditPlan()
    assert (found.life, found.word) == (timedelta(hours=168), None)


def test_the_configuration_gives_costs_limits_and_a_word():
    found = plan(
        'mode = "provisional"\nprovisional_by = " eva "\nprovisional_hours = 8.0\n'
        "threshold = 0.8\nalpha = 0.02\nalpha_missed = 0.01\naudits_per_hour = 2.0",
        'costs = [ { said = "ok", truth = "collision", cost = 10.0 } ]',
    )

    assert found.word == Word(PersonId("eva"), 0.8, timedelta(hours=8))
    assert found.promise == Promise(0.02, 0.05, 0.01)
    assert found.costs.by_confusion == {("ok", "collision"): 10.0}
    assert found.audits.per_hour == 2.0


@pytest.mark.parametrize(
    ("gate", "costs", "said"),
    [
        ('mode = "provisional"', "", "provisional_by must name one"),
        ('mode = "provisional"\nprovisional_by = "  "', "", "must name one"),
        ("alpha = 0.02\nalpha_missed = 0.03", "", "must not be above alpha"),
        ("alpha = 0.0", "", "gate.alpha"),
        ("delta = 0.6", "", "gate.delta"),
        ("audit_share_asking = 1.0", "", "gate.audit_share_asking"),
        ("", 'costs = [ { said = "ok", truth = "ok", cost = 1.0 } ]', "costs"),
        ("", 'costs = [ { said = "ok", truth = "x", cost = 1.0 } ]', "'x' is not a"),
        ("", 'costs = [ { said = "ok", truth = "collision", cost = 0.0 } ]', "cost"),
        (
            "",
            'costs = [ { said = "ok", truth = "collision", cost = 1.0 }, '
            '{ said = "ok", truth = "collision", cost = 2.0 } ]',
            "occurs twice",
        ),
    ],
)
def test_a_configuration_that_promises_nonsense_is_refused(gate, costs, said):
    with pytest.raises(ConfigError, match=said):
        plan(gate, costs)
