"""`andon dataset agreement` and `decide`, against a server that answers."""

import json

import pytest

from andon.v1 import learning_pb2
from coordinator.__main__ import main
from tests.coordinator.cli.test_cli_client import FakeLearning, learning


class FakeParty(FakeLearning):
    """Two people who agree about nine windows of ten."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet
        self.decided: list[learning_pb2.DecideLabelRequest] = []

    def GetAgreement(self, request, context):
        if self.quiet:
            return learning_pb2.GetAgreementResponse(family=request.family)
        return learning_pb2.GetAgreementResponse(
            family=request.family,
            windows=10,
            people=2,
            percent=0.9,
            coefficient="cohen",
            value=0.78,
            pairs=[
                learning_pb2.LabelPair(one="ok", other="slip", count=1),
                learning_pb2.LabelPair(one="ok", other="ok", count=9),
            ],
            disputes=[
                learning_pb2.Dispute(
                    window_id="w-7",
                    view_digest="ab" * 32,
                    said=[
                        learning_pb2.LabelCount(label="ok", people=1),
                        learning_pb2.LabelCount(label="slip", people=1),
                    ],
                )
            ],
            cannot_tell=2,
        )

    def DecideLabel(self, request, context):
        self.decided.append(request)
        return learning_pb2.DecideLabelResponse()


def test_agreement_is_told_in_numbers_and_names(capsys: pytest.CaptureFixture[str]):
    with learning(FakeParty()) as server:
        code = main(["dataset", "agreement", "--family", "peg", "--server", server])

    told = capsys.readouterr().out
    assert code == 0
    assert "10 windows, 2 people" in told
    assert "90%" in told
    assert "Cohen's kappa" in told
    assert "0.78" in told
    assert "w-7" in told
    assert "1 ok, 1 slip" in told


def test_without_a_second_opinion_nothing_is_claimed(
    capsys: pytest.CaptureFixture[str],
):
    with learning(FakeParty(quiet=True)) as server:
        main(["dataset", "agreement", "--family", "peg", "--server", server])

    told = capsys.readouterr().out
    assert told.count("not known: no window was seen by two people") == 2
    assert "%" not in told


def test_agreement_for_a_program_is_json(capsys: pytest.CaptureFixture[str]):
    with learning(FakeParty()) as server:
        main(["dataset", "agreement", "--family", "peg", "--server", server, "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (told["percent"], told["value"], told["coefficient"]) == (0.9, 0.78, "cohen")
    assert told["disputes"][0]["window_id"] == "w-7"


@pytest.mark.parametrize("label", ["slip", ""])
def test_an_engineer_decides_about_exactly_what_was_shown(
    capsys: pytest.CaptureFixture[str], label: str
):
    fake = FakeParty()
    with learning(fake) as server:
        said = [label] if label else []
        code = main(
            ["dataset", "decide", "w-7", *said, "--family", "peg", "--server", server]
        )

    [request] = fake.decided
    assert code == 0
    assert (request.window_id, request.view_digest) == ("w-7", "ab" * 32)
    assert (request.label, request.nobody_can_tell) == (label, not label)
    assert "w-7" in capsys.readouterr().out


def test_what_nobody_disputes_cannot_be_decided(capsys: pytest.CaptureFixture[str]):
    fake = FakeParty()
    with learning(fake) as server:
        code = main(
            ["dataset", "decide", "w-8", "ok", "--family", "peg", "--server", server]
        )

    assert code != 0
    assert fake.decided == []
    assert "nobody disputes window w-8" in capsys.readouterr().err
