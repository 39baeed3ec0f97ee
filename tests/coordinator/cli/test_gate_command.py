"""`andon gate`: for people and for programs."""

import json
from typing import Any

import grpc
import pytest

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2, operator_pb2_grpc
from coordinator.__main__ import main
from tests.coordinator.cli.test_cli_client import FakeLearning, learning, server_with


class FakeGate(FakeLearning):
    """A coordinator with one gate."""

    def __init__(self, **facts) -> None:
        super().__init__()
        self.gate = learning_pb2.GateStatus(
            family="peg",
            state="ASK_ALL",
            text="not yet certified: 23 of about 144 audited cases.",
            alpha=0.05,
            delta=0.05,
            audited=23,
            needed=144,
            audit_share=0.8,
        )
        self.gate.MergeFrom(learning_pb2.GateStatus(**facts))
        self.asked: list[Any] = []

    def GetGate(self, request, context):
        return learning_pb2.GetGateResponse(gate=self.gate)

    def GrantProvisional(self, request, context):
        self.asked.append(request)
        return learning_pb2.GrantProvisionalResponse(gate=self.gate)

    def CloseGate(self, request, context):
        self.asked.append(request)
        return learning_pb2.CloseGateResponse(gate=self.gate)


def test_a_gate_is_shown_for_people_and_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = learning_pb2.CertifiedGroup(
        labels=["ok", "bent"], threshold=0.931, cases=400, losses=2.0, missed=0
    )
    fake = FakeGate(
        groups=[group],
        wrong=0.0123,
        wrong_low=0.004,
        wrong_high=0.03,
        wrong_audited=162,
        wrong_decided=3000,
    )
    with learning(fake) as address:
        arguments = ["gate", "status", "--family", "peg", "--server", address]
        assert main(arguments) == 0
        shown = capsys.readouterr().out
        assert main([*arguments, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)

    assert "23 of about 144 audited cases" in shown
    assert "at most 5 % wrong, 95 % sure" in shown
    assert "1.23 % wrong (0.4 % to 3 %), from 162 audits of 3000 windows" in shown
    assert "ok, bent" in shown
    assert "alone from 0.931 on: 2 lost, 0 missed in 400 audited cases" in shown
    assert told["state"] == "ASK_ALL"
    assert told["needed"] == "144"


class FakePlant(operator_pb2_grpc.OperatorServiceServicer):
    """Knows which families there are, and says it once a watch."""

    def __init__(self, *families: str) -> None:
        self.families = [operator_pb2.FamilyInfo(family=one) for one in families]

    def Watch(self, request, context):
        assert not request.answering
        snapshot = operator_pb2.Snapshot(families=self.families)
        yield operator_pb2.WatchResponse(snapshot=snapshot)
        yield from iter(lambda: operator_pb2.WatchResponse(), None)


class FakeGates(FakeGate):
    """A coordinator with one gate a family."""

    def GetGate(self, request, context):
        self.gate.family = request.family
        return learning_pb2.GetGateResponse(gate=self.gate)


@pytest.mark.parametrize("families", [("peg",), ("peg", "screw")])
def test_without_a_family_every_gate_is_shown(
    capsys: pytest.CaptureFixture[str], families: tuple[str, ...]
) -> None:
    def serve(server: grpc.Server) -> None:
        learning_pb2_grpc.add_LearningServiceServicer_to_server(FakeGates(), server)
        plant = FakePlant(*families)  # type: ignore[abstract]
        operator_pb2_grpc.add_OperatorServiceServicer_to_server(plant, server)

    with server_with(serve) as address:
        assert main(["gate", "status", "--server", address]) == 0
        shown = capsys.readouterr().out
        assert main(["gate", "status", "--server", address, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)

    assert [one["family"] for one in told] == list(families)
    assert shown.count("23 of about 144 audited cases") == len(families)
    assert all(one in shown for one in families)


def test_nothing_audited_and_nothing_in_sight_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = FakeGate()
    fake.gate.needed = fake.gate.audited = 0
    with learning(fake) as address:
        assert main(["gate", "status", "--family", "peg", "--server", address]) == 0
    shown = capsys.readouterr().out

    assert "0 cases, no certificate in sight" in shown
    assert "0 windows, none audited yet" in shown


def test_a_word_names_a_person_a_threshold_and_an_end() -> None:
    fake = FakeGate()
    with learning(fake) as address:
        code = main(
            [
                *("gate", "provisional", "--family", "peg", "--server", address),
                *("--hours", "4", "--threshold", "0.95", "--note", "a trial"),
            ]
        )

    (asked,) = fake.asked
    assert code == 0
    assert asked.actor.person
    assert asked.idempotency_key
    assert (asked.threshold, asked.note) == (0.95, "a trial")
    assert asked.duration.ToSeconds() == 4 * 3600


def test_a_gate_is_shut_by_name() -> None:
    fake = FakeGate()
    with learning(fake) as address:
        code = main(["gate", "close", "--family", "peg", "--server", address])

    (asked,) = fake.asked
    assert code == 0
    assert asked.actor.person
    assert asked.family == "peg"
