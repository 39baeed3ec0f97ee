"""On what the gate rests: how it opens, what shuts it, and what never opens it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from coordinator.live.gate.cases import SILENT, Noted
from coordinator.live.gate.plan import Mode
from coordinator.live.gate.standing import EARLIER, UNKNOWN, Standing
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise
from coordinator.terms import (
    NO_DIGEST,
    AuditCoin,
    Closing,
    Decision,
    DecisionId,
    Finding,
    GateRow,
    GateState,
    Permission,
    WindowId,
    events,
)
from tests.builders import FAMILY, MODEL, NOON, PEG, make_prediction
from tests.coordinator.live.gate.standing_world import (
    ENGINEER,
    OTHER_MODEL,
    PLAN,
    StandingWorld,
)

HOUR = timedelta(hours=1)


def test_a_cold_start_asks_about_everything_and_says_what_is_missing():
    world = StandingWorld()

    verdict = world.window()

    assert (verdict.decision, verdict.code) == (Decision.ASK, "ASK_ALL")
    assert world.state() is GateState.ASK_ALL
    assert "not yet certified: 1 of about 144 audited cases" in world.standing.text(
        NOON
    )


def test_without_a_model_nothing_is_missing_but_a_model():
    standing = Standing(PEG, PLAN)

    assert standing.state(NOON) is GateState.ASK_ALL
    assert "no model serves" in standing.text(NOON)
    assert standing.due(NOON) == ()
    assert standing.error() == UNKNOWN


def test_enough_audited_cases_certify_and_then_the_gate_acts():
    world = StandingWorld()
    world.certify()

    certificate = world.certificate()
    assert certificate.audited == 144
    assert certificate.model_digest == MODEL
    assert certificate.until == certificate.issued_at + world.plan.life
    assert world.window().decision is Decision.ACT
    text = world.standing.text(world.now)
    assert "certified: at most 5 % wrong, 95 % sure, n=" in text
    assert "2026-03-08 12:00 UTC" in text


def test_a_label_without_a_certificate_is_asked_though_others_act():
    world = StandingWorld()
    world.run(120)
    world.run(1200, said="misaligned", confidence=0.6)
    world.run(1200)
    assert world.state() is GateState.CERTIFIED
    only_ok = replace(world.certificate().groups[0], labels=("ok",))
    narrower = replace(world.certificate(), groups=(only_ok,))
    world.standing.applied(events.GateCertified(narrower))

    assert world.window().decision is Decision.ACT
    assert world.window(said="misaligned").code == "NOT_CERTIFIED"


def test_a_wrong_model_is_never_certified():
    world = StandingWorld()
    world.run(1500, wrong=0.15)

    assert world.state() is GateState.ASK_ALL
    assert world.happened == []
    assert "no certificate is in sight" in world.standing.text(world.now)


def test_evidence_opens_nothing_before_it_is_durable():
    world = StandingWorld(carried=False)
    world.run(260)

    (due,) = world.standing.due(world.now)
    assert isinstance(due, events.GateCertified)
    assert world.state() is GateState.ASK_ALL
    assert world.window().decision is Decision.ASK


def test_a_window_that_a_check_asks_about_is_no_evidence():
    world = StandingWorld()
    gate = world.standing.gate(NOON)
    absent = Finding(Decision.ASK, "MISSING_CHANNEL", "channel force_z is missing.")

    assert gate(make_prediction(), [absent], FAMILY).code == "MISSING_CHANNEL"
    assert gate(make_prediction(novelty=3.0), [], FAMILY).code == "NOVEL"
    assert world.standing.audited == 0


def test_before_the_first_window_there_is_nothing_to_answer():
    world = StandingWorld()
    world.settle(1, "ok")
    world.standing.reopen(_decision(1))
    world.standing.take_back(_window(1))
    world.standing.applied(events.EvidenceRestarted(PEG, "anew."))

    assert world.standing.audited == 0
    assert world.state() is GateState.ASK_ALL


def test_an_answer_about_something_else_is_no_evidence():
    world = StandingWorld()
    world.run(3)
    audited = world.standing.audited
    world.settle(99, "ok")

    assert world.standing.audited == audited


def test_what_only_a_check_can_judge_is_no_case():
    world = StandingWorld()
    prediction = make_prediction(novelty=3.0)
    verdict = world.standing.gate(NOON)(prediction, [], FAMILY)
    noted = Noted(_decision(1), _window(1), verdict, AuditCoin(0.8, True), ("", "", ""))
    world.standing.judged(noted, FAMILY, NOON)
    world.settle(1, "ok")

    assert world.standing.audited == 0


def test_answers_of_another_model_are_no_evidence():
    world = StandingWorld()
    world.model = OTHER_MODEL
    world.run(300)

    assert world.standing.audited == 0
    assert world.state() is GateState.ASK_ALL


def test_a_look_waits_for_the_last_answer():
    world = StandingWorld()
    world.window(drawn=True, answered=False)
    world.run(300)
    assert world.state() is GateState.ASK_ALL
    assert world.standing.audited == 0

    world.settle(1, "ok")

    assert world.state() is GateState.CERTIFIED


def test_an_audit_that_nobody_answers_counts_as_wrong():
    world = StandingWorld()
    for number in range(1, 400):
        world.window(drawn=number % 5 != 0, answered=False)
        world.settle(number, SILENT if number % 10 == 1 else "ok")

    assert world.state() is GateState.ASK_ALL


def test_a_question_that_goes_on_is_waited_for():
    world = StandingWorld()
    world.window(drawn=True, answered=False)
    world.settle(1, SILENT)
    assert world.standing.audited == 1

    world.standing.reopen(_decision(1))
    assert world.standing.audited == 0

    world.settle(1, "ok")
    assert world.standing.audited == 1


def test_a_label_that_was_taken_back_counts_as_never_given():
    world = StandingWorld()
    for _ in range(100):
        world.window(drawn=True)
    for number in range(1, 30):
        world.standing.take_back(_window(number))
    world.run(300)

    assert world.state() is GateState.ASK_ALL


# -- what shuts it -------------------------------------------------------------------


def test_errors_among_audits_shut_the_gate_at_once_and_for_good():
    world = StandingWorld()
    world.certify()
    world.carried = False
    for _ in range(60):
        world.window(truth="misaligned", drawn=True, place=("L7", "late", "press-2"))
        if world.state() is GateState.CLOSED:
            break

    assert world.state() is GateState.CLOSED
    assert world.window().decision is Decision.ASK
    closed, restarted = world.standing.due(world.now)
    assert isinstance(closed, events.GateClosed)
    assert closed.why is Closing.ALARM
    assert "were wrong, and at most 5 % may be" in closed.text
    assert isinstance(restarted, events.EvidenceRestarted)
    world.carry()
    assert world.standing.certificate is None
    assert world.standing.audited == 0
    assert "closed: " in world.standing.text(world.now)


def test_after_an_alarm_new_evidence_opens_the_gate_again():
    world = StandingWorld()
    world.certify()
    while world.state() is GateState.CERTIFIED:
        world.window(truth="misaligned")

    world.run(260)
    assert world.state() is GateState.CERTIFIED
    assert world.kinds() == [
        "GateCertified",
        "GateClosed",
        "EvidenceRestarted",
        "GateCertified",
    ]


def test_an_alarm_says_where_the_errors_are():
    world = StandingWorld()
    world.certify()
    for i in range(400):
        late = i % 2 == 0
        world.window(
            truth="misaligned" if late and i > 40 else None,
            drawn=True,
            place=("L9" if late else "L8", "early", "press-1"),
        )
        if world.state() is GateState.CLOSED:
            break

    assert any(said.startswith("lot L9: ") for said in world.closed().moved)


def test_windows_that_move_away_shut_a_certified_gate():
    world = StandingWorld()
    usual = np.random.default_rng(0)
    for _ in range(260):
        world.window(signals=usual.normal(size=6))
    assert world.state() is GateState.CERTIFIED

    for _ in range(200):
        world.window(signals=usual.normal(size=6) + 4.0 * (np.arange(6) == 2))
        if world.state() is GateState.CLOSED:
            break

    assert world.closed().why is Closing.DRIFT
    assert world.closed().moved[0].startswith("c lies above ")


@pytest.mark.parametrize("erred", [False, True])
def test_what_is_usual_is_forgotten_only_when_the_model_erred(erred):
    world = StandingWorld()
    usual = np.random.default_rng(0)
    for _ in range(260):
        world.window(signals=usual.normal(size=6))
    why = Closing.ALARM if erred else Closing.DRIFT
    world.standing.close(events.GateClosed(PEG, why, "it moved."))
    for _ in range(260):
        world.window(signals=usual.normal(size=6) + 4.0)
    assert world.state() is GateState.CERTIFIED

    for _ in range(200):
        world.window(signals=usual.normal(size=6))
    assert world.kinds().count("GateClosed") == (2 if erred else 1)


def test_what_was_before_the_opening_is_not_watched_after_a_restart():
    world = StandingWorld()
    world.certify()
    verdict = world.window()
    again = Standing(PEG, world.plan, tuple("abcdef"))
    again.serve(MODEL)
    again.remember(GateRow(certificate=world.certificate(), opened_seq=900))
    usual = np.random.default_rng(0)
    for number in range(300):
        far = usual.normal(size=6) + 4.0 * (number > 150)
        seen = Noted(
            DecisionId(f"d-{number}"),
            WindowId(f"w-{number}"),
            verdict,
            AuditCoin(0.8, drawn=False),
            ("L1", "early", "press-1"),
            far,
        )
        again.judged(seen, FAMILY, world.now, earlier=True)

    assert again.state(world.now) is GateState.CERTIFIED


def test_windows_that_move_away_do_not_shut_a_provisional_gate():
    world = StandingWorld()
    usual = np.random.default_rng(0)
    for _ in range(120):
        world.window(signals=usual.normal(size=6))
    world.grant()
    for _ in range(200):
        world.window(signals=usual.normal(size=6) + 4.0)

    assert world.state() is GateState.PROVISIONAL


def test_audits_that_nobody_answers_shut_the_gate():
    world = StandingWorld()
    world.grant()
    for number in range(1, 22):
        world.window(drawn=True, answered=False)
        world.settle(number, SILENT)

    assert world.closed().why is Closing.SILENCE
    assert world.state() is GateState.CLOSED


def test_a_certificate_ends_and_old_evidence_does_not_renew_it():
    world = StandingWorld(carried=False)
    world.run(260)
    world.carry()
    assert world.state() is GateState.CERTIFIED

    world.now += world.plan.life
    assert world.state() is GateState.CLOSED
    assert world.window().decision is Decision.ASK
    world.carry()

    assert world.kinds()[-2:] == ["GateClosed", "EvidenceRestarted"]
    assert world.closed().why is Closing.EXPIRED
    assert world.state() is GateState.CLOSED
    assert "the certificate ended" in world.standing.text(world.now)


def test_half_way_the_evidence_begins_anew_and_renews_the_certificate():
    world = StandingWorld()
    world.certify()
    first = world.certificate()
    world.pass_time(hours=84)
    assert world.kinds()[-1] == "EvidenceRestarted"
    assert world.state() is GateState.CERTIFIED

    for _ in range(200):
        world.window(drawn=bool(world.rng.random() < 0.8))

    assert world.certificate().until > first.until
    assert world.state() is GateState.CERTIFIED


def test_a_renewal_that_comes_too_late_opens_the_gate_again():
    world = StandingWorld()
    world.certify()
    world.pass_time(hours=84)
    world.run(60)
    world.pass_time(hours=84)
    assert world.state() is GateState.CLOSED
    assert world.kinds()[-1] == "GateClosed"

    world.run(260)

    assert world.state() is GateState.CERTIFIED


def test_another_model_has_to_prove_itself_anew():
    world = StandingWorld()
    world.certify()

    world.standing.serve(OTHER_MODEL)
    world.model = OTHER_MODEL

    assert world.state() is GateState.ASK_ALL
    assert world.window().decision is Decision.ASK
    world.standing.serve(OTHER_MODEL)
    world.run(260)
    assert world.state() is GateState.CERTIFIED


def test_without_a_model_the_gate_asks_whatever_was_certified():
    world = StandingWorld()
    world.certify()

    world.standing.serve(NO_DIGEST)

    assert world.state() is GateState.ASK_ALL


def test_a_window_judged_by_the_model_before_is_asked():
    world = StandingWorld()
    world.certify()
    world.model = OTHER_MODEL

    assert world.window().code == "NOT_CERTIFIED"


# -- an engineer's word --------------------------------------------------------------


def test_an_engineers_word_opens_the_gate_until_its_time():
    world = StandingWorld()
    world.grant(hours=8, threshold=0.9)

    assert world.window(confidence=0.95).decision is Decision.ACT
    assert world.window(confidence=0.85).code == "LOW_CONFIDENCE"
    assert "provisional by eva until 2026-03-01 20:00 UTC" in world.standing.text(NOON)

    world.now += 8 * HOUR
    assert world.state() is GateState.CLOSED
    assert world.window().decision is Decision.ASK
    assert world.closed().why is Closing.EXPIRED
    assert "the word of eva ended" in world.standing.text(world.now)


def test_an_engineers_word_outlives_a_swap():
    world = StandingWorld()
    world.grant()
    world.standing.serve(OTHER_MODEL)

    assert world.state() is GateState.PROVISIONAL


def test_errors_take_an_engineers_word_back_and_a_new_one_opens_again():
    world = StandingWorld()
    world.grant()
    for _ in range(80):
        world.window(truth="misaligned", drawn=True)
    assert world.state() is GateState.CLOSED

    world.standing.serve(OTHER_MODEL)
    assert world.state() is GateState.CLOSED

    world.grant()
    assert world.state() is GateState.PROVISIONAL


def test_evidence_turns_a_word_into_a_certificate():
    world = StandingWorld()
    world.grant()
    for _ in range(220):
        world.window(drawn=bool(world.rng.random() < 0.8))

    assert world.state() is GateState.CERTIFIED


def test_a_person_shuts_the_gate():
    world = StandingWorld()
    world.certify()
    closing = events.GateClosed(PEG, Closing.PERSON, "closed by eva.", (), ENGINEER)
    world.standing.close(closing)
    world.standing.close(replace(closing, text="closed twice."))

    assert world.state() is GateState.CLOSED
    assert "closed by eva." in world.standing.text(world.now)
    assert world.standing.due(world.now)[0] == closing


# -- configuration -------------------------------------------------------------------


def test_a_gate_set_to_ask_asks_whatever_is_proven_or_said():
    world = StandingWorld(replace(PLAN, mode=Mode.ASK_ALL))
    world.grant()
    world.run(300)

    assert world.state() is GateState.ASK_ALL
    assert world.happened[1:] == []
    assert "set to ask" in world.standing.text(world.now)


def test_a_provisional_gate_that_shut_opens_by_name_alone():
    world = StandingWorld(replace(PLAN, mode=Mode.PROVISIONAL))
    world.grant()
    for _ in range(80):
        world.window(truth="misaligned", drawn=True)

    assert world.standing.text(world.now).endswith("Reopening takes a name.")


def test_a_word_given_beside_a_certificate_resets_no_alarm():
    world = StandingWorld()
    world.certify()
    alarm = world.standing._alarm
    world.grant()

    assert world.standing._alarm is alarm
    assert world.state() is GateState.CERTIFIED


def test_a_provisional_gate_counts_its_evidence_and_certifies_nothing():
    world = StandingWorld(replace(PLAN, mode=Mode.PROVISIONAL))
    world.grant()
    for _ in range(300):
        world.window(drawn=True)

    assert world.state() is GateState.PROVISIONAL
    assert world.standing.audited == 300


def test_a_tighter_limit_on_never_missed_labels_is_told():
    plan = replace(
        PLAN,
        promise=Promise(0.05, 0.05, 0.02),
        costs=Costs({}, frozenset({"collision"})),
    )
    world = StandingWorld(plan)
    world.run(700)

    assert world.state() is GateState.CERTIFIED
    assert "never-miss labels missed in at most 2 %" in world.standing.text(world.now)


def test_a_promise_configured_anew_shuts_the_gate():
    world = StandingWorld()
    world.certify()
    row = GateRow(world.standing.certificate, opened_seq=9, evidence_seq=3)
    stricter = Standing(PEG, replace(PLAN, promise=Promise(0.02, 0.05, 0.02)))
    stricter.serve(MODEL)
    stricter.remember(row)

    assert stricter.state(world.now) is GateState.CLOSED
    closed = stricter.due(world.now)[0]
    assert isinstance(closed, events.GateClosed)
    assert closed.why is Closing.RULE


def test_what_the_store_remembers_is_taken_over():
    until = NOON + HOUR
    standing = Standing(PEG, PLAN)
    standing.serve(MODEL)
    standing.remember(GateRow(permission=Permission(ENGINEER.person, 0.8, until)))

    assert standing.state(NOON) is GateState.PROVISIONAL
    assert standing.state(until) is GateState.CLOSED

    closed = Standing(PEG, PLAN)
    closed.serve(MODEL)
    closed.remember(GateRow(closed_text="closed by eva."))
    assert closed.state(NOON) is GateState.CLOSED


def test_a_certificate_that_is_not_asked_for_is_left_aside():
    world = StandingWorld()
    world.certify()
    row = GateRow(world.standing.certificate, opened_seq=3, evidence_seq=9)
    other = Standing(PEG, replace(PLAN, mode=Mode.PROVISIONAL))
    other.serve(MODEL)
    other.remember(row)
    renewing = Standing(PEG, PLAN)
    renewing.serve(MODEL)
    renewing.remember(row)

    assert other.state(world.now) is GateState.ASK_ALL
    assert renewing.state(world.now) is GateState.CERTIFIED
    assert renewing.due(world.now + world.plan.life / 2) == ()


def test_what_was_decided_before_the_gate_opened_is_not_held_against_it():
    assert EARLIER < 0
    world = StandingWorld()
    world.grant()
    for _ in range(40):
        world.window(drawn=True, answered=False)
    world.standing.applied(
        events.ProvisionalGranted(PEG, ENGINEER, 0.9, world.now + HOUR)
    )
    for number in range(1, 41):
        world.settle(number, "misaligned")

    assert world.state() is GateState.PROVISIONAL
    assert world.standing.error().audited == 0


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_error_of_what_was_decided_alone_is_told_with_its_interval(share):
    world = StandingWorld()
    world.grant()
    for i in range(40):
        world.window(truth="misaligned" if i < 40 * share else None, drawn=True)
        world.carried = False
    told = world.standing.error()

    assert told.audited > 0
    assert told.share is not None
    assert told.low <= told.share <= told.high


def _decision(number: int) -> DecisionId:
    return DecisionId(f"d-{number}")


def _window(number: int) -> WindowId:
    return WindowId(f"w-{number}")
