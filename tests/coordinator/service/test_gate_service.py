"""The gate over gRPC: what it rests on, an engineer's word, and shutting it."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2
from coordinator.service.convert import learning_status
from coordinator.service.gates import gate_status
from coordinator.terms import (
    AutomatedError,
    Certificate,
    CertifiedGroup,
    GateLine,
    GateState,
    GateStatus,
    LearningStatus,
    events,
)
from tests.builders import MODEL, NOON, PEG
from tests.coordinator.service.service_world import ServiceWorld

EVA = operator_pb2.Actor(person="eva", device="desk-1")


def learning(world: ServiceWorld) -> Any:
    return learning_pb2_grpc.LearningServiceStub(world.channel)


def hours(count: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(hours=count))
    return duration


def grant(**changes: Any) -> learning_pb2.GrantProvisionalRequest:
    facts = {
        "family": "peg",
        "actor": EVA,
        "idempotency_key": "key-1",
        "threshold": 0.8,
        "duration": hours(2),
    }
    return learning_pb2.GrantProvisionalRequest(**{**facts, **changes})


async def test_a_gate_says_on_what_it_rests(world: ServiceWorld):
    request = learning_pb2.GetGateRequest(family="peg")
    gate = (await learning(world).GetGate(request)).gate

    assert gate.state == "PROVISIONAL"
    assert gate.provisional_by == "eva"
    assert gate.provisional_threshold == 0.9
    assert gate.until.seconds > 0
    assert (gate.audited, gate.needed) == (0, 144)
    assert gate.model_digest == MODEL
    assert "no risk is certified" in gate.text


async def test_an_engineer_shuts_and_opens_it_by_name(world: ServiceWorld):
    stub = learning(world)
    close = learning_pb2.CloseGateRequest(
        family="peg", actor=EVA, idempotency_key="key-2", note="odd noise"
    )
    shut = (await stub.CloseGate(close)).gate
    again = (await stub.CloseGate(close)).gate
    opened = (await stub.GrantProvisional(grant())).gate

    assert shut.state == again.state == "CLOSED"
    assert "closed by eva: odd noise." in shut.text
    assert not shut.HasField("until")
    assert opened.state == "PROVISIONAL"
    assert opened.provisional_threshold == 0.8
    journal = await world.journal(events.GateClosed)
    assert len(journal) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"family": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"family": "other"}, grpc.StatusCode.NOT_FOUND),
        ({"threshold": 0.2}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"duration": hours(24 * 40)}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"idempotency_key": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"actor": None}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_a_word_that_makes_no_sense_is_refused(
    world: ServiceWorld, changes, code
):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await learning(world).GrantProvisional(grant(**changes))
    assert refused.value.code() is code


def test_a_certificate_is_shown_with_its_numbers():
    proof = Certificate(
        family=PEG,
        model_digest=MODEL,
        rule_digest=MODEL,
        alpha=0.02,
        delta=0.05,
        alpha_missed=0.01,
        groups=(CertifiedGroup(("ok", "bent"), 0.93, 400, 2.0, 1),),
        audited=549,
        look=2,
        coverage=0.7,
        issued_at=NOON,
        until=NOON + timedelta(days=7),
    )
    status = GateStatus(
        family=PEG,
        state=GateState.CERTIFIED,
        text="certified.",
        alpha=0.02,
        delta=0.05,
        audited=12,
        needed=None,
        audit_share=0.01,
        error=AutomatedError(0.004, 0.001, 0.02, 80, 9000),
        model_digest=MODEL,
        certificate=proof,
    )

    told = gate_status(status)

    assert list(told.groups[0].labels) == ["ok", "bent"]
    assert (told.groups[0].threshold, told.groups[0].cases) == (0.93, 400)
    assert (told.needed, told.missed_at_most) == (0, 0.01)
    assert (told.wrong, told.wrong_audited) == (0.004, 80)
    assert told.until.ToDatetime() == proof.until.replace(tzinfo=None)


def test_every_watcher_is_told_on_what_the_gate_rests():
    line = GateLine(GateState.CERTIFIED, "certified: ...", 12, 144, NOON)
    told = learning_status(LearningStatus(PEG, gate=line))
    nothing = learning_status(LearningStatus(PEG))

    assert (told.gate, told.gate_text) == ("CERTIFIED", "certified: ...")
    assert (told.gate_audited, told.gate_needed) == (12, 144)
    assert told.gate_until.seconds == NOON.timestamp()
    assert nothing.gate == "ASK_ALL"
    assert not nothing.HasField("gate_until")
