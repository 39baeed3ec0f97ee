"""Events as a cell would make them; a test overrides only what it is about."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from coordinator.terms import (
    NO_DIGEST,
    NOBODY,
    Action,
    Actor,
    AuditCoin,
    CellId,
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
    IdempotencyKey,
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
    SensorWindow,
    StoredClip,
    Verdict,
    WindowId,
    WindowKind,
    window_digest,
)
from coordinator.terms import events as e
from coordinator.terms.teaching import Opinion, OpinionId, Pick

CELL = CellId("press-1")
PEG = FamilyId("peg")
ANA = Actor(PersonId("ana"), "panel-1")
BEN = Actor(PersonId("ben"), "tablet-2")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMA = Digest("ab" * 32)


def digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def make_window(number: int = 1, *, rows: int = 8, channels: int = 3) -> SensorWindow:
    grid = np.arange(rows * channels, dtype=np.float32).reshape(rows, channels)
    samples = grid * np.float32(0.1) + np.float32(number)
    present = np.ones(channels, dtype=np.bool_)
    present[-1] = False
    return SensorWindow(
        window_id=WindowId(f"w-{number}"),
        cell_id=CELL,
        kind=WindowKind.DECISION,
        session_epoch=1,
        seq=number,
        cycle=number,
        step="insert",
        part_id=f"part-{number}",
        start_ns=1_000,
        period_ns=10_000_000,
        samples=samples,
        present=present,
        digest=window_digest(SCHEMA, samples, present),
        age_ns=5,
        received_ns=2_000,
        cut_at=NOON,
    )


def decided(
    number: int = 1, decision: Decision = Decision.ASK, *, epoch: int = 1
) -> e.WindowDecided:
    window = make_window(number)
    guess = Prediction(digest("model"), ("ok", "slip"), (2.0, 1.0), (0.7, 0.3), 0.4)
    return e.WindowDecided(
        decision_id=DecisionId(f"d-{number}"),
        window_id=window.window_id,
        cell_id=CELL,
        family=PEG,
        epoch=epoch,
        kind=WindowKind.DECISION,
        cycle=number,
        step="insert",
        part_id=window.part_id,
        window_digest=window.digest,
        verdict=Verdict(decision, "CODE", "because.", guess),
        coin=AuditCoin(0.1, drawn=False),
        gate_digest=digest("gate"),
        age_ns=5,
    )


def make_request(number: int = 1, /, **changes: Any) -> OperatorRequest:
    window = make_window(number)
    request = OperatorRequest(
        request_id=RequestId(f"r-{number}"),
        cell_id=CELL,
        family=PEG,
        kind=RequestKind.QUESTION,
        decision_id=DecisionId(f"d-{number}"),
        window_id=window.window_id,
        window_digest=window.digest,
        session_epoch=1,
        cycle=number,
        part_id=window.part_id,
        guess="ok",
        reason="confidence 0.70 < 0.90",
        propensity=1.0,
        raised_at=NOON,
        deadline_ns=7,
        time_allowed_ns=120_000_000_000,
    )
    return replace(request, **changes)


def opened(number: int = 1, /, **changes: Any) -> e.RequestOpened:
    return e.RequestOpened(make_request(number, **changes))


def known(
    number: int = 1, request_id: RequestId | None = None, /, **changes: Any
) -> e.RequestOpened:
    """Window `number`, shown again as a known case; k-<number> unless it is named."""
    facts: dict[str, Any] = {
        "request_id": request_id or RequestId(f"k-{number}"),
        "kind": RequestKind.AUDIT,
        "propensity": 0.0,
        "known_label": "slip",
    }
    return opened(number, **{**facts, **changes})


def claimed(
    number: int = 1,
    actor: Actor = ANA,
    claim_epoch: int = 1,
    taken_from: PersonId = NOBODY,
) -> e.RequestClaimed:
    return e.RequestClaimed(RequestId(f"r-{number}"), actor, claim_epoch, taken_from)


def answered(
    number: int = 1, actor: Actor = ANA, claim_epoch: int = 1, label: str = "slip"
) -> e.RequestAnswered:
    return e.RequestAnswered(
        request_id=RequestId(f"r-{number}"),
        cell_id=CELL,
        actor=actor,
        claim_epoch=claim_epoch,
        label=label,
        correction=True,
        view_digest=NO_DIGEST,
    )


def ended(number: int = 1, outcome: Outcome = Outcome.TIMED_OUT) -> e.RequestEnded:
    return e.RequestEnded(RequestId(f"r-{number}"), CELL, outcome, "nobody came.")


CLIP = b"not really MCAP"


def clip(number: int = 1, /, **changes: Any) -> e.ClipStored:
    """A clip of request r-<number>; its bytes are CLIP."""
    stored = StoredClip(
        clip_id=ClipId(f"c-{number}"),
        cell_id=CELL,
        request_id=RequestId(f"r-{number}"),
        window_id=WindowId(f"w-{number}"),
        digest=Digest(hashlib.sha256(CLIP).hexdigest()),
        bytes=len(CLIP),
        start_at=NOON,
        stored_at=NOON,
    )
    return e.ClipStored(replace(stored, **changes))


def released(number: int = 1) -> e.HoldReleased:
    return e.HoldReleased(
        decision_id=DecisionId(f"release-{number}"),
        cell_id=CELL,
        actor=ANA,
        reasons=(HoldReason.LINK_LOST,),
        disposition="start",
    )


def session(epoch: int = 1) -> e.SessionOpened:
    return e.SessionOpened(CELL, epoch, "node-1", "boot-1", "andon 0.1.0")


def permit(number: int = 1, /, **changes: Any) -> e.PermitIssued:
    made = Permit(
        permit_id=PermitId(f"p-{number}"),
        cell_id=CELL,
        purpose=PermitPurpose.NEXT_STEP,
        action=Action.CONTINUE,
        label="ok",
        session_epoch=1,
        decision_id=DecisionId(f"d-{number}"),
        window_digest=make_window(number).digest,
        cycle=number,
        start_within_ns=1_000_000_000,
        heartbeat_seq=3,
        maximum_execution_ns=8_000_000_000,
    )
    return e.PermitIssued(replace(made, **changes))


def consumed(number: int = 1, epoch: int = 1) -> e.PermitConsumed:
    return e.PermitConsumed(PermitId(f"p-{number}"), CELL, epoch)


def example(number: int = 1, /, **changes: Any) -> e.ExampleAdded:
    window = make_window(number)
    made = Example(
        example_id=ExampleId(f"e-{number}"),
        family=PEG,
        cell_id=CELL,
        window_id=window.window_id,
        window_digest=window.digest,
        group=f"press-1/{number}",
        label="slip",
        person=ANA.person,
        device=ANA.device,
        labelled_at=NOON,
        source=ExampleSource.QUESTION,
        propensity=1.0,
        model_digest=digest("model"),
        guess="ok",
    )
    return e.ExampleAdded(replace(made, **changes))


def opinion(number: int = 1, /, **changes: Any) -> e.OpinionGiven:
    """A word about window `number`; the example that is made of it is e-`number`."""
    window = make_window(number)
    made = Opinion(
        opinion_id=OpinionId(f"o-{number}"),
        family=PEG,
        window_id=window.window_id,
        window_digest=window.digest,
        person=ANA.person,
        device=ANA.device,
        said_at=NOON,
        label="slip",
        view_digest=digest("view"),
        pick=Pick.MOST,
        chance=1.0,
        example_id=ExampleId(f"e-{number}"),
    )
    return e.OpinionGiven(replace(made, **changes), ANA)


def label_decided(number: int = 1) -> e.LabelDecided:
    window = make_window(number)
    return e.LabelDecided(PEG, window.window_id, window.digest, "ok", ANA, "seen.")


def registered(version: int = 1, /, **changes: Any) -> e.ModelRegistered:
    made = ModelRecord(
        digest=digest(f"model {version}"),
        family=PEG,
        version=version,
        state=ModelState.CANDIDATE,
        run_id=RunId(f"run-{version}"),
        trained_at=NOON,
        training_s=12.5,
        examples=40,
        snapshot_digest=digest("snapshot"),
        parent=NO_DIGEST,
        network="small",
        metrics={"accuracy": 0.9},
    )
    return e.ModelRegistered(replace(made, **changes))


def validated(version: int = 1) -> e.ModelValidated:
    return e.ModelValidated(
        digest(f"model {version}"), PEG, "better.", {"accuracy": 0.95, "ece": 0.02}
    )


def promoted(version: int = 1, previous: int = 0) -> e.ModelPromoted:
    before = digest(f"model {previous}") if previous else NO_DIGEST
    return e.ModelPromoted(digest(f"model {version}"), PEG, before, ANA, "promoted.")


def once(
    key: str = "key-1", content: str = "answer", by: Actor = ANA
) -> IdempotencyKey:
    return IdempotencyKey(by.person, key, digest(content))


def certified(version: int = 1, /, **changes: Any) -> e.GateCertified:
    made = Certificate(
        family=PEG,
        model_digest=digest(f"model {version}"),
        rule_digest=digest("rule"),
        alpha=0.02,
        delta=0.05,
        alpha_missed=0.01,
        groups=(CertifiedGroup(("ok",), 0.93, 400, 2.0, 0),),
        audited=549,
        look=2,
        coverage=0.7,
        issued_at=NOON,
        until=NOON + timedelta(days=7),
    )
    return e.GateCertified(replace(made, **changes))


def granted(**changes: Any) -> e.ProvisionalGranted:
    made = e.ProvisionalGranted(PEG, ANA, 0.9, NOON + timedelta(hours=8), "a trial.")
    return replace(made, **changes)


def shut(why: Closing = Closing.ALARM) -> e.GateClosed:
    return e.GateClosed(PEG, why, "3 of 9 were wrong.", ("lot L7: 3 of 3.",))
