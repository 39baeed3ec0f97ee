"""The numbers of demo-report.json, from small records whose answer can be counted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.cli import demo_report as dr
from coordinator.cli.demo_gate import gate_story
from coordinator.cli.demo_records import (
    ConsumedPermit,
    Move,
    NodeTrace,
    Recorded,
    Records,
    Truth,
)
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Actor,
    AuditCoin,
    CellId,
    Certificate,
    CertifiedGroup,
    Closing,
    Decision,
    DecisionId,
    Digest,
    FamilyId,
    ModelRecord,
    ModelState,
    OperatorRequest,
    Outcome,
    Permit,
    PermitId,
    PermitPurpose,
    PersonId,
    Prediction,
    RequestId,
    RequestKind,
    RunId,
    Verdict,
    WindowId,
    WindowKind,
)
from coordinator.terms import events as ev

START = datetime(2025, 1, 1, tzinfo=UTC)
PRESS = CellId("press-1")
PEG = FamilyId("peg")
ANA = Actor(PersonId("ana"))
KEYS = {
    "windows", "acted", "asked", "held", "answered", "corrections", "audits",
    "retrains", "promotions", "promotions_refused", "questions_per_100_cycles",
    "automated_error", "missed_faults", "latency_ms", "seconds_to_first_question",
    "dropped", "gate", "lost", "moves_without_permit",
}  # fmt: skip
"""What the demo promises to write, and nothing else."""


def journal(*events: ev.Event) -> list[Recorded]:
    """One entry a second."""
    return [Recorded(START + timedelta(seconds=n), e) for n, e in enumerate(events)]


def decided(
    cycle: int,
    decision: Decision,
    label: str = "ok",
    *,
    cell: CellId = PRESS,
    kind: WindowKind = WindowKind.DECISION,
    epoch: int = 1,
) -> ev.WindowDecided:
    prediction = Prediction(Digest("m"), ("ok", "burr"), (0.0, 0.0), (0.9, 0.1), 0.1)
    if label == "burr":
        prediction = replace(prediction, probabilities=(0.1, 0.9))
    return ev.WindowDecided(
        decision_id=DecisionId(f"d-{cell}-{cycle}-{epoch}"),
        window_id=WindowId(f"w-{cell}-{cycle}"),
        cell_id=cell,
        family=PEG,
        epoch=epoch,
        kind=kind,
        cycle=cycle,
        step="insert",
        part_id=f"part-{cycle}",
        window_digest=digest(cycle),
        verdict=Verdict(decision, "CODE", "why", prediction if label else None),
        coin=AuditCoin(0.05, drawn=False),
        gate_digest=Digest("g"),
        age_ns=0,
    )


def digest(cycle: int) -> Digest:
    return Digest(f"digest-{cycle}")


def opened(
    cycle: int, kind: RequestKind = RequestKind.QUESTION, name: str = ""
) -> ev.RequestOpened:
    return ev.RequestOpened(
        OperatorRequest(
            request_id=RequestId(name or f"r-{cycle}"),
            cell_id=PRESS,
            family=PEG,
            kind=kind,
            decision_id=DecisionId(f"d-{PRESS}-{cycle}-1"),
            window_id=WindowId(f"w-{PRESS}-{cycle}"),
            window_digest=digest(cycle),
            session_epoch=1,
            cycle=cycle,
            part_id=f"part-{cycle}",
            guess="ok",
            reason="why",
            propensity=1.0,
            raised_at=START,
            deadline_ns=0,
            time_allowed_ns=0,
        )
    )


def answered(cycle: int, label: str = "ok", *, correction: bool = False) -> ev.Event:
    return ev.RequestAnswered(
        request_id=RequestId(f"r-{cycle}"),
        cell_id=PRESS,
        actor=ANA,
        claim_epoch=1,
        label=label,
        correction=correction,
        view_digest=NO_DIGEST,
    )


def issued(cycle: int, *, cell: CellId = PRESS) -> ev.PermitIssued:
    return ev.PermitIssued(
        Permit(
            permit_id=PermitId(f"p-{cycle}"),
            cell_id=cell,
            purpose=PermitPurpose.NEXT_STEP,
            action=Action.CONTINUE,
            label="ok",
            session_epoch=1,
            decision_id=DecisionId(f"d-{PRESS}-{cycle}-1"),
            window_digest=digest(cycle),
            cycle=cycle,
            start_within_ns=1_000_000_000,
            heartbeat_seq=1,
            maximum_execution_ns=60_000_000_000,
        )
    )


def consumed(
    cycle: int, at_ns: int = 1_000, start_by_ns: int = 2_000
) -> ConsumedPermit:
    return ConsumedPermit(PRESS, PermitId(f"p-{cycle}"), at_ns, at_ns, start_by_ns)


def move(cycle: int, at_ns: int = 1_500, cell: CellId = PRESS) -> Move:
    return Move(cell, PermitId(f"p-{cycle}"), at_ns)


def truths(*labels: str) -> dict[tuple[CellId, int], Truth]:
    return {(PRESS, cycle): Truth(label) for cycle, label in enumerate(labels)}


# ------------------------------------------------------------------------------ windows


def test_a_window_offered_again_counts_once_and_stays_a_question() -> None:
    windows = dr.judged_windows(
        journal(
            decided(0, Decision.ASK),
            decided(1, Decision.ACT),
            decided(0, Decision.ACT, epoch=2),
        )
    )

    assert [(w.cycle, w.decision) for w in windows] == [
        (0, Decision.ASK),
        (1, Decision.ACT),
    ]


def test_a_window_that_was_held_and_then_judged_counts_as_judged() -> None:
    windows = dr.judged_windows(
        journal(decided(0, Decision.HOLD), decided(0, Decision.ACT, epoch=2))
    )

    assert [w.decision for w in windows] == [Decision.ACT]


def test_monitor_windows_are_not_decisions() -> None:
    windows = dr.judged_windows(
        journal(decided(0, Decision.ACT, kind=WindowKind.MONITOR))
    )

    assert windows == []


def test_the_same_evidence_of_two_cells_is_two_windows() -> None:
    windows = dr.judged_windows(
        journal(
            decided(0, Decision.ACT), decided(0, Decision.ACT, cell=CellId("press-2"))
        )
    )

    assert len(windows) == 2


# ------------------------------------------------------------------------------- blocks


@given(st.integers(0, 400), st.integers(1, 60))
def test_blocks_hold_every_window_once_and_in_order(count: int, size: int) -> None:
    windows = dr.judged_windows(
        journal(*(decided(cycle, Decision.ASK) for cycle in range(count)))
    )

    blocks = dr.blocks_of(windows, size)

    assert [w for block in blocks for w in block] == windows
    assert all(len(block) == size for block in blocks[:-1])
    assert len(blocks) <= 1 or size / 2 <= len(blocks[-1]) < 1.5 * size


@given(st.lists(st.sampled_from(Decision), min_size=1))
def test_questions_per_100_are_between_none_and_all(decisions: list[Decision]) -> None:
    windows = dr.judged_windows(
        journal(*(decided(cycle, d) for cycle, d in enumerate(decisions)))
    )

    questions = dr.questions_per_100(windows)

    assert 0.0 <= questions <= 100.0
    assert questions == 100.0 * decisions.count(Decision.ASK) / len(decisions)


def test_the_learning_curve_is_cut_into_blocks() -> None:
    decisions = [Decision.ASK] * 4 + [Decision.ASK, Decision.ACT] * 2
    records = Records(
        journal(*(decided(cycle, d) for cycle, d in enumerate(decisions))),
        truth=truths(*["ok"] * 7, "burr"),
    )

    told = dr.report(records, block=4)

    assert told["questions_per_100_cycles"] == [100.0, 50.0]
    assert told["automated_error"] == [None, 0.5]


# ------------------------------------------------------------------------------- errors


def test_only_windows_decided_alone_can_be_wrong_alone() -> None:
    windows = dr.judged_windows(
        journal(
            decided(0, Decision.ACT, "ok"),
            decided(1, Decision.ACT, "burr"),
            decided(2, Decision.ASK, "ok"),
            decided(3, Decision.HOLD, "ok"),
        )
    )
    truth = truths("ok", "ok", "burr", "burr")

    assert dr.automated_error(windows, truth) == 0.5
    assert dr.missed_faults(windows, truth, "ok") == 0


def test_a_fault_let_pass_as_good_is_missed() -> None:
    windows = dr.judged_windows(
        journal(decided(0, Decision.ACT, "ok"), decided(1, Decision.ACT, "burr"))
    )

    assert dr.missed_faults(windows, truths("burr", "scratch"), "ok") == 1


def test_a_window_whose_truth_nobody_wrote_down_is_not_scored() -> None:
    windows = dr.judged_windows(journal(decided(7, Decision.ACT, "ok")))

    assert dr.automated_error(windows, truths("ok")) is None
    assert dr.missed_faults(windows, truths("ok"), "ok") == 0


@given(st.lists(st.tuples(st.sampled_from(["ok", "burr"]), st.booleans()), min_size=1))
def test_the_error_is_a_share_and_never_less_than_the_missed_faults(
    cases: list[tuple[str, bool]],
) -> None:
    windows = dr.judged_windows(
        journal(
            *(
                decided(cycle, Decision.ACT if alone else Decision.ASK)
                for cycle, (_, alone) in enumerate(cases)
            )
        )
    )
    truth = truths(*(label for label, _ in cases))

    error = dr.automated_error(windows, truth)
    missed = dr.missed_faults(windows, truth, "ok")

    alone = sum(alone for _, alone in cases)
    if error is None:
        assert alone == 0
    else:
        assert 0.0 <= error <= 1.0
        assert missed <= error * alone + 1e-9


# ------------------------------------------------------------------------------ latency


def test_latency_is_from_cut_to_permit_of_windows_decided_alone() -> None:
    entries = journal(
        decided(0, Decision.ACT), issued(0), decided(1, Decision.ASK), issued(1)
    )
    trace = NodeTrace(
        cut_ns={(PRESS, digest(0)): 1_000_000, (PRESS, digest(1)): 1_000_000},
        consumed=(consumed(0, at_ns=13_000_000), consumed(1, at_ns=99_000_000)),
    )

    assert dr.decision_latencies_ms(entries, trace) == [12.0]


def test_an_outage_is_not_latency() -> None:
    entries = journal(decided(0, Decision.ACT), issued(0))
    trace = NodeTrace(
        cut_ns={(PRESS, digest(0)): 0},
        offered_again=frozenset({(PRESS, digest(0))}),
        consumed=(consumed(0, at_ns=9_000_000_000),),
    )

    assert dr.decision_latencies_ms(entries, trace) == []


@given(st.lists(st.floats(0, 1e6), min_size=1).map(sorted), st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    rising: list[float], share: float
) -> None:
    value = dr.percentile(rising, share)

    assert value in rising
    assert sum(one <= value for one in rising) >= share * len(rising)


def test_nothing_has_no_percentile() -> None:
    assert dr.percentile([], 0.5) is None


def test_an_audit_is_not_the_first_question() -> None:
    records = Records(
        journal(opened(0, RequestKind.AUDIT), opened(1)),
        serving_at=START - timedelta(seconds=2),
    )

    assert dr.seconds_to_first_question(records) == 3.0


# --------------------------------------------------------------------------------- lost


def test_an_acknowledged_answer_that_is_in_the_journal_is_not_lost() -> None:
    records = Records(
        journal(opened(0), answered(0, "burr")),
        acknowledged=[(RequestId("r-0"), "burr")],
    )

    assert dr.lost(records) == 0


@pytest.mark.parametrize("label", ["ok", "scratch"])
def test_an_acknowledged_answer_with_another_label_is_lost(label: str) -> None:
    records = Records(
        journal(opened(0), answered(0, "burr")),
        acknowledged=[(RequestId("r-0"), label)],
    )

    assert dr.lost(records) == 1


def test_a_request_is_open_or_ended_or_lost() -> None:
    ended = ev.RequestEnded(RequestId("r-1"), PRESS, Outcome.TIMED_OUT, "nobody")
    records = Records(
        journal(opened(0), opened(1), opened(2), ended),
        open_requests=frozenset({RequestId("r-0")}),
    )

    assert dr.lost(records) == 1


def test_a_window_that_was_sent_is_judged_or_refused_or_lost() -> None:
    sent = frozenset((PRESS, digest(cycle)) for cycle in range(4))
    records = Records(
        journal(decided(0, Decision.HOLD)),
        trace=NodeTrace(sent=sent, refused=frozenset({(PRESS, digest(1))})),
        in_flight=frozenset({(PRESS, digest(2))}),
    )

    assert dr.lost(records) == 1


@given(
    st.sets(st.integers(0, 20)),
    st.sets(st.integers(0, 20)),
    st.sets(st.integers(0, 20)),
)
def test_every_request_that_is_neither_open_nor_ended_is_counted_once(
    raised: set[int], ended: set[int], still_open: set[int]
) -> None:
    events = [opened(n) for n in raised] + [answered(n) for n in ended]
    records = Records(
        journal(*events),
        open_requests=frozenset(RequestId(f"r-{n}") for n in still_open),
    )

    assert dr.lost(records) == len(raised - ended - still_open)


# -------------------------------------------------------------------------------- moves


def test_a_move_under_a_journalled_consumed_permit_has_leave() -> None:
    trace = NodeTrace(consumed=(consumed(0),), moves=(move(0),))

    assert dr.moves_without_permit(journal(issued(0)), trace) == 0


@pytest.mark.parametrize(
    ("entries", "trace"),
    [
        pytest.param(
            [],
            NodeTrace(consumed=(consumed(0),), moves=(move(0),)),
            id="not-journalled",
        ),
        pytest.param([issued(0)], NodeTrace(moves=(move(0),)), id="not-consumed"),
        pytest.param(
            [issued(0)],
            NodeTrace(consumed=(consumed(0), consumed(0)), moves=(move(0),)),
            id="consumed-twice",
        ),
        pytest.param(
            [issued(0)],
            NodeTrace(consumed=(consumed(0, at_ns=2_000),), moves=(move(0, 2_500),)),
            id="expired",
        ),
        pytest.param(
            [issued(0)],
            NodeTrace(consumed=(consumed(0),), moves=(move(0, at_ns=999),)),
            id="began-before",
        ),
        pytest.param(
            [issued(0, cell=CellId("press-2"))],
            NodeTrace(consumed=(consumed(0),), moves=(move(0),)),
            id="another-cell's",
        ),
        pytest.param([], NodeTrace(moves=(Move(PRESS, PermitId(""), 1),)), id="none"),
    ],
)
def test_any_other_move_has_none(entries: list[ev.Event], trace: NodeTrace) -> None:
    assert dr.moves_without_permit(journal(*entries), trace) == 1


def test_a_permit_is_leave_for_one_move() -> None:
    trace = NodeTrace(consumed=(consumed(0),), moves=(move(0), move(0, 1_600)))

    assert dr.moves_without_permit(journal(issued(0)), trace) == 1


@given(
    st.lists(st.integers(0, 5)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5))
)
def test_each_consumed_and_journalled_permit_excuses_one_move(
    moves: list[int], permits: set[int], uses: set[int]
) -> None:
    trace = NodeTrace(
        consumed=tuple(consumed(n) for n in uses), moves=tuple(move(n) for n in moves)
    )

    without = dr.moves_without_permit(journal(*(issued(n) for n in permits)), trace)

    assert without == len(moves) - len(set(moves) & permits & uses)


def test_the_first_hold_after_a_kill_counts() -> None:
    trace = NodeTrace(
        holds_ns={PRESS: (5_000_000, 12_000_000, 90_000_000)},
        consumed=(consumed(0, at_ns=6_000_000),),
    )

    assert dr.holds_after_ms(trace, 10_000_000) == {PRESS: 2.0}


def test_a_cell_that_was_held_already_held_at_once() -> None:
    trace = NodeTrace(
        holds_ns={PRESS: (5_000_000,)}, consumed=(consumed(0, at_ns=4_000_000),)
    )

    assert dr.holds_after_ms(trace, 10_000_000) == {PRESS: 0.0}


def test_a_cell_that_goes_on_after_a_kill_never_held() -> None:
    trace = NodeTrace(
        holds_ns={PRESS: (5_000_000,)}, consumed=(consumed(0, at_ns=6_000_000),)
    )

    assert dr.holds_after_ms(trace, 10_000_000) == {PRESS: None}


# ------------------------------------------------------------------------------- report


def model(version: int) -> ModelRecord:
    return ModelRecord(
        digest=Digest(f"m-{version}"),
        family=PEG,
        version=version,
        state=ModelState.CANDIDATE,
        run_id=RunId("run"),
        trained_at=START,
        training_s=1.0,
        examples=40,
        snapshot_digest=Digest("s"),
        parent=NO_DIGEST,
        network="small",
    )


def test_the_report_has_the_promised_keys_and_is_json() -> None:
    told = dr.report(Records([]))

    assert set(told) == KEYS
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_report_counts_what_the_journal_says() -> None:
    trained = ev.TrainingEnded(RunId("run"), PEG, "trained", "good", Digest("m-1"))
    failed = replace(trained, outcome="failed")
    records = Records(
        journal(
            decided(0, Decision.ASK),
            opened(0),
            answered(0, "burr", correction=True),
            decided(1, Decision.ACT),
            opened(1, RequestKind.AUDIT),
            answered(1),
            decided(2, Decision.HOLD),
            trained,
            failed,
            ev.ModelRegistered(model(1)),
            ev.ModelPromoted(Digest("m-1"), PEG, NO_DIGEST, ANA),
            ev.ModelRefused(Digest("m-2"), PEG, ("worse",)),
        ),
        truth=truths("burr", "ok", "ok"),
        trace=NodeTrace(dropped={"EXPIRED": 2}),
        serving_at=START,
    )

    told = dr.report(records)

    assert told == {
        "windows": 3,
        "acted": 1,
        "asked": 1,
        "held": 1,
        "answered": 2,
        "corrections": 1,
        "audits": 1,
        "retrains": 1,
        "promotions": 1,
        "promotions_refused": 1,
        "questions_per_100_cycles": [33.3],
        "automated_error": [0.0],
        "missed_faults": 0,
        "latency_ms": {"p50": None, "p99": None},
        "seconds_to_first_question": 1.0,
        "dropped": {"EXPIRED": 2},
        "gate": [],
        "lost": 0,
        "moves_without_permit": 0,
    }


def certified() -> ev.GateCertified:
    groups = (CertifiedGroup(("ok", "burr"), 0.8, 60, 0.0, 0),)
    return ev.GateCertified(
        Certificate(
            family=PEG,
            model_digest=Digest("m"),
            rule_digest=Digest("r"),
            alpha=0.05,
            delta=0.05,
            alpha_missed=0.05,
            groups=groups,
            audited=64,
            look=1,
            coverage=0.5,
            issued_at=START,
            until=START + timedelta(days=1),
        )
    )


def test_the_story_of_the_gate_says_after_how_many_windows_and_why() -> None:
    told = gate_story(
        journal(
            ev.ProvisionalGranted(PEG, ANA, 0.9, START + timedelta(hours=1)),
            decided(1, Decision.ASK),
            decided(1, Decision.ACT, epoch=2),
            decided(2, Decision.ASK, kind=WindowKind.MONITOR),
            certified(),
            decided(3, Decision.ACT),
            ev.GateClosed(PEG, Closing.DRIFT, "force has moved."),
            ev.EvidenceRestarted(PEG, "the rule is another."),
        )
    )

    assert [(one["windows"], one["happened"]) for one in told] == [
        (0, "provisional"),
        (1, "certified"),
        (2, "closed"),
        (2, "restarted"),
    ]
    assert told[0]["text"] == "on the word of ana from 0.90; no risk is certified."
    assert told[1]["text"] == (
        "at most 5.0% wrong with probability 95%, on 64 audited cases: ok and burr "
        "from 0.80."
    )
    assert told[2]["text"] == "drift: force has moved."


def test_a_gate_to_which_nothing_happened_has_no_story() -> None:
    assert gate_story(journal(decided(1, Decision.ASK))) == []
