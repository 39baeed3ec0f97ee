"""What is explained is what the journal recorded, in lines that a person can read."""

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import NotFoundError
from coordinator.insight.dataset import import_dataset
from coordinator.insight.explain import explain, sentence
from coordinator.insight.policies import parse_policy
from coordinator.insight.recorded_cell import as_sensor_window
from coordinator.insight.rig import Rig, RigPlan
from coordinator.insight.simulated_person import SimulatedPerson
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Actor,
    AuditCoin,
    CellEvent,
    CellId,
    CellState,
    Certificate,
    CertifiedGroup,
    ClipId,
    Closing,
    Decision,
    DecisionId,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    FamilyId,
    HoldReason,
    Label,
    ModelRecord,
    ModelState,
    OperatorRequest,
    OpinionKind,
    Outcome,
    Permit,
    PermitId,
    PermitPurpose,
    PersonId,
    Prediction,
    RequestId,
    RequestKind,
    RunId,
    StoredClip,
    Verdict,
    WindowId,
    WindowKind,
    events,
)
from coordinator.terms.why import ChannelWeight, NearExample, Why
from tests.coordinator.insight.people_sentences import PEOPLE_SENTENCES
from tests.coordinator.insight.recordings import write_separable
from tests.coordinator.insight.teaching_sentences import TEACHING_SENTENCES

CELL, FAMILY, MODEL = CellId("press-1"), FamilyId("peg"), Digest("ab" * 32)
ANA = Actor(PersonId("ana"), "tablet-1")
NOW = datetime(2025, 1, 1, 6, tzinfo=UTC)
SAID = Prediction(MODEL, ("slip", "ok"), (0.0, 1.0), (0.25, 0.75), 0.5)

REQUEST = OperatorRequest(
    RequestId("r-1"), CELL, FAMILY, RequestKind.QUESTION, DecisionId("d-1"),
    WindowId("w-1"), MODEL, 1, 7, "part-7", "ok", "not sure.", 1.0, NOW, 0,
    120_000_000_000,
)  # fmt: skip
EXAMPLE = Example(
    ExampleId("e-1"), FAMILY, CELL, WindowId("w-1"), MODEL, "press-1/7", "slip",
    PersonId("ana"), "tablet-1", NOW, ExampleSource.QUESTION, 1.0, MODEL, "ok",
)  # fmt: skip
PERMIT = Permit(
    PermitId("p-1"), CELL, PermitPurpose.NEXT_STEP, Action.REWORK, "slip", 1,
    DecisionId("d-1"), MODEL, 7, 1, 1, 1,
)  # fmt: skip
RECORD = ModelRecord(
    MODEL, FAMILY, 3, ModelState.CANDIDATE, RunId("run-1"), NOW, 2.0, 60, MODEL,
    Digest(""), "features-mlp", commit="0123456789abcdef",
)  # fmt: skip
CERTIFICATE = Certificate(
    FAMILY, MODEL, MODEL, 0.02, 0.05, 0.02,
    (CertifiedGroup(("ok",), 0.93, 400, 2.0, 0),), 549, 2, 0.7,
    datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 8, 12, tzinfo=UTC),
)  # fmt: skip

SENTENCES = [
    (
        events.CoordinatorStarted("0.1.0", "0123456789abcdef", MODEL, "cpu", True),
        "coordinator 0.1.0 (0123456789ab) started after an unclean end on cpu",
    ),
    (events.CoordinatorStopped("asked to"), "stopped: asked to."),
    (events.SessionOpened(CELL, 4, "n-1", "b", "andon 0.1"), "opened session 4"),
    (events.SessionClosed(CELL, 4, "link lost"), "session 4 ended: link lost"),
    (
        events.CellMoved(
            CELL, 4, CellEvent.HOLD, CellState.WORKING, CellState.HELD,
            (HoldReason.BAD_DATA,), "force is not finite.",
        ),
        "press-1 went from working to held: BAD_DATA; force is not finite.",
    ),
    (
        events.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, "odd noise.", ANA),
        "press-1 was held by ana, unverified, OPERATOR_HOLD: odd noise.",
    ),
    (
        events.HoldReleased(
            DecisionId("d-2"), CELL, ANA, (HoldReason.BAD_DATA,), "reject", "cable"
        ),
        'from BAD_DATA by ana, unverified, the part to reject, saying "cable".',
    ),
    (
        events.HoldUnconfirmed(CELL, 4),
        "press-1's robot did not confirm that it holds.",
    ),
    (
        events.HoldConfirmed(CELL, 4),
        "press-1's robot was known to stand, or to work, again.",
    ),
    (
        events.ClipStored(
            StoredClip(
                ClipId("c-1"), CELL, RequestId("r-1"), WindowId("w-1"), MODEL,
                5_250_000, NOW, NOW,
            )
        ),
        "clip c-1 of window w-1 was stored for r-1: 5.2 MB, abababababab.",
    ),
    (
        events.ClipRemoved(ClipId("c-1"), WindowId("w-1"), "clips may take 4096 MB"),
        "clip c-1 was removed: clips may take 4096 MB.",
    ),
    (
        events.PartRejected(CELL, 7, "part-7", RequestId("r-1")),
        "part part-7 of cycle 7 was booked as rejected: nobody answered request r-1.",
    ),
    (
        events.WindowDecided(
            DecisionId("d-1"), WindowId("w-1"), CELL, FAMILY, 1, WindowKind.DECISION, 7,
            "insert", "part-7", MODEL,
            Verdict(Decision.ASK, "LOW_CONFIDENCE", "not sure it is ok.", SAID),
            AuditCoin(0.05, True), MODEL, 0,
        ),
        "decision d-1 on window w-1 is to ask (LOW_CONFIDENCE): not sure it is ok. "
        "Model abababababab said ok with 0.750, novelty 0.50. "
        "Drawn for audit (p = 0.05).",
    ),
    (
        events.PermitIssued(PERMIT, ANA),
        "permit p-1 for the next step as slip, to do the operation again, rests on "
        "decision d-1 by ana, unverified.",
    ),
    (events.PermitConsumed(PermitId("p-1"), CELL, 1), "began the step of permit p-1."),
    (
        events.PermitDropped(PermitId("p-1"), CELL, 1, "EXPIRED", "too late."),
        "did not use permit p-1, EXPIRED: too late.",
    ),
    (
        events.RequestOpened(REQUEST),
        "question r-1 was opened about window w-1, 120 s to answer, then hold.",
    ),
    (events.RequestSeen(RequestId("r-1"), ANA), "r-1 was looked at by ana"),
    (
        events.RequestClaimed(RequestId("r-1"), ANA, 2, PersonId("bo")),
        "r-1 was claimed by ana, unverified, taken from bo.",
    ),
    (events.ClaimEnded(RequestId("r-1"), 2, "given back"), "free again: given back."),
    (
        events.RequestAnswered(
            RequestId("r-1"), CELL, ANA, 2, "slip", True, MODEL, "saw\x1b[31m it"
        ),
        'r-1 was answered slip by ana, unverified, a correction, saying "saw [31m it".',
    ),
    (
        events.RequestEnded(
            RequestId("r-1"), CELL, Outcome.TIMED_OUT, "nobody.", RequestId("r-2")
        ),
        "r-1 ended as timed_out: nobody. r-2 follows.",
    ),
    (
        events.RequestEnded(
            RequestId("r-1"), CELL, Outcome.SUPERSEDED, "bo cannot tell.", actor=ANA
        ),
        "r-1 ended as superseded by ana, unverified: bo cannot tell.",
    ),
    (
        events.RequestExplained(
            RequestId("r-1"),
            DecisionId("d-1"),
            NO_DIGEST,
            Why(
                about="slip",
                method="occlusion",
                weights=(
                    ChannelWeight("force", 0.6, 7, 9),
                    ChannelWeight("grip", 0.3, 0, 3, against=True),
                ),
                nearest=(
                    NearExample(ExampleId("x-1"), WindowId("w-1"), "slip", 0.4),
                ),
                plausible=("slip", "ok"),
                whole=2,
                coverage=0.95,
                held_out=40,
                needed=19,
            ),
        ),
        "r-1 was shown with its reasons: What moved 'slip': force 60% (rows 8-10), "
        "grip 30% (rows 1-4, against it). Most alike: slip at 0.40. Plausible in 95% "
        "of questions like it: slip, ok (by 40 held-out answers).",
    ),
    (
        events.ExampleAdded(EXAMPLE),
        "window w-1 became example e-1 of peg: slip, by ana (question), where the "
        "model had said ok.",
    ),
    (events.ExampleQuarantined(ExampleId("e-1"), "contradicts."), "e-1 was set aside"),
    (events.ExampleRetracted(ExampleId("e-1"), ANA), "e-1 was taken back by ana"),
    (
        events.LabelAdded(FAMILY, Label("bent", Action.REJECT), ANA),
        "peg got the label bent by ana, unverified, which lets the robot put the part",
    ),
    (
        events.DatasetImported(FAMILY, "ur3", MODEL, 765, ANA),
        "dataset ur3 brought 765 windows to peg by ana",
    ),
    (
        events.TrainingStarted(RunId("run-1"), FAMILY, "20 answers.", 60, MODEL, MODEL),
        "training run-1 of peg began on 60 examples (abababababab): 20 answers.",
    ),
    (
        events.TrainingEnded(RunId("run-1"), FAMILY, "failed", "too few."),
        "training run-1 ended as failed: too few.",
    ),
    (
        events.ModelRegistered(RECORD),
        "model abababababab, version 3 of peg, came out of training run-1: "
        "features-mlp, 60 examples (abababababab), commit 0123456789ab.",
    ),
    (
        events.AnswerGiven(
            events.RequestAnswered(
                RequestId("r-1"), CELL, ANA, 2, "ok", False, MODEL
            ),
            3_000_000_000,
        ),
        "r-1 was given ok by ana, unverified, final in 3 s unless taken back.",
    ),
    (
        events.ClaimHandedOver(RequestId("r-1"), ANA, 3, PersonId("ben")),
        "r-1 was handed to ben by ana, unverified.",
    ),
    (
        events.RequestArrived(RequestId("r-1"), ANA),
        "somebody stands at the cell of r-1 by ana",
    ),
    (events.RequestSkipped(RequestId("r-1"), ANA, 2), "r-1 was left to others by ana"),
    (
        events.FirstOpinion(
            events.RequestAnswered(
                RequestId("r-1"), CELL, ANA, 2, "ok", False, MODEL
            )
        ),
        "r-1 was called ok by ana, unverified, the first of two opinions.",
    ),
    (
        events.OpinionKept(RequestId("r-1"), ANA, "ok", OpinionKind.LATE, MODEL),
        "r-1 was called ok by ana, unverified without effect: late.",
    ),
    (
        events.KnownCaseEnded(RequestId("r-1"), "misaligned", "ok"),
        "r-1 was a known case: people had agreed on misaligned, and it was called ok "
        "now. Nothing is learned or measured by it.",
    ),
    (
        events.KnownCaseEnded(RequestId("r-1"), "misaligned", ""),
        "on misaligned, and it was not named now.",
    ),
    (events.FloodBegan(31, 2), "a flood began: 31 questions in 10 minutes for 2"),
    (events.FloodEnded(9, 2), "the flood ended: 9 questions in 10 minutes for 2"),
    (
        events.ModelDoubted(FAMILY, 4, 8),
        "the model of peg asks in 4 of 8 cells at once: a supervisor has to look.",
    ),
    (
        events.AnswerUndone(RequestId("r-1"), ANA),
        "the answer to r-1 was taken back by ana, unverified.",
    ),
    (events.ModelRefused(MODEL, FAMILY, ("Worse.",)), "may not serve: Worse."),
    (events.ModelValidated(MODEL, FAMILY, "Better."), "may serve: Better."),
    (
        events.ModelPromoted(MODEL, FAMILY, Digest(""), Actor(PersonId("policy:x"))),
        "model abababababab serves peg by policy:x, after none.",
    ),
    (
        events.ModelRolledBack(MODEL, FAMILY, Digest(""), ANA, "It erred."),
        "was taken back by ana, unverified; none serves peg. It erred.",
    ),
    (
        events.GateCertified(CERTIFICATE),
        "the gate of peg is certified for model abababababab until 2026-03-08 12:00 "
        "UTC: at most 2 % wrong, 95 % sure, from 549 audited cases; ok from 0.930.",
    ),
    (
        events.ProvisionalGranted(FAMILY, ANA, 0.9, CERTIFICATE.until, "A trial."),
        "may act from 0.90 on until 2026-03-08 12:00 UTC though no risk is certified "
        "by ana, unverified. A trial.",
    ),
    (
        events.GateClosed(FAMILY, Closing.ALARM, "3 of 9 wrong.", ("lot L7: 3 of 3",)),
        "the gate of peg asks about everything (alarm): 3 of 9 wrong. Moved: lot L7: 3 "
        "of 3.",
    ),
    (
        events.GateClosed(FAMILY, Closing.PERSON, "Closed.", (), ANA),
        "asks about everything by ana, unverified (person): Closed.",
    ),
    (
        events.EvidenceRestarted(FAMILY, "half of its life has passed."),
        "the evidence of peg begins anew: half of its life has passed.",
    ),
]  # fmt: skip
SENTENCES += [*PEOPLE_SENTENCES, *TEACHING_SENTENCES]


@pytest.mark.parametrize(
    ("event", "said"), SENTENCES, ids=[type(e).__name__ for e, _ in SENTENCES]
)
def test_every_event_is_one_sentence(event: events.Event, said: str) -> None:
    told = sentence(event)

    assert said in told
    assert told.isprintable()
    assert "  " not in told
    assert ".." not in told


def test_no_event_is_left_without_a_sentence() -> None:
    assert {type(event) for event, _ in SENTENCES} == set(get_args(events.Event))


async def test_the_story_of_a_window_goes_from_the_question_to_the_example(
    tmp_path: Path,
) -> None:
    csv_file, schema_file = write_separable(tmp_path, 2)
    dataset = import_dataset(csv_file, schema_file, data_dir=tmp_path)
    family, windows, clock = dataset.family, dataset.windows(), ManualClock()
    judge = parse_policy("gate", threshold=0.9, seed=0)
    person = SimulatedPerson(family.label_names)

    async with Rig(family, RigPlan(), judge, person, clock) as rig:
        window = as_sensor_window(windows, 0, "cycle 1", family, clock)
        await rig.cell.show(1, window, "bump")
        told = await explain(rig.store, "w-1")

        with pytest.raises(NotFoundError, match="nothing is recorded under 'w-2'"):
            await explain(rig.store, "w-2")

    story = "\n".join(told)
    decided = story.index("is to ask (ASK_ALL)")
    answered = story.index("was answered bump by simulated-person")
    assert decided < answered < story.index("became example")
    assert "to do the operation again" in story
    assert all(line.startswith("2025-01-01 00:00:00 #") for line in told)
