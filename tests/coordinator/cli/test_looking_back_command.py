"""`andon handover` and `andon numbers`: for people and for programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import grpc
import pytest

from andon.v1 import insight_pb2, insight_pb2_grpc
from coordinator.__main__ import main
from tests.coordinator.cli.test_cli_client import server_with

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeInsight(insight_pb2_grpc.InsightServiceServicer):
    """A shift with one question open and nothing held."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def GetHandover(self, request, context):
        self.asked.append(request)
        waits = insight_pb2.HandoverLine(cell_id="press-2", text="question: not sure.")
        waits.at.FromDatetime(NOON)
        reply = insight_pb2.GetHandoverResponse(
            sections=[
                insight_pb2.HandoverSection(name="waiting", lines=[waits]),
                insight_pb2.HandoverSection(name="held"),
            ]
        )
        reply.from_at.FromDatetime(NOON)
        reply.until_at.FromDatetime(NOON)
        return reply

    def GetNumbers(self, request, context):
        self.asked.append(request)
        return insight_pb2.GetNumbersResponse(
            rows=[
                insight_pb2.NumbersRow(numbers={"automation_share": 0.834}),
                insight_pb2.NumbersRow(family="peg", cell_id="press-1"),
            ]
        )


def fake_insight() -> Any:
    """Only what these commands call is there."""
    return cast(Any, FakeInsight)()


@contextmanager
def insight(fake: Any) -> Iterator[str]:
    def add(server: grpc.Server) -> None:
        insight_pb2_grpc.add_InsightServiceServicer_to_server(fake, server)

    with server_with(add) as address:
        yield address


def test_the_sheet_says_what_waits_and_that_nothing_was_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = fake_insight()
    with insight(fake) as address:
        assert main(["handover", "--hours", "4", "--server", address]) == 0

    said = capsys.readouterr().out
    assert "Waits for an answer" in said
    assert "press-2  question: not sure." in said
    assert "Was held\n  nothing" in said
    assert fake.asked[0].back.seconds == 4 * 3600


def test_the_sheet_is_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with insight(fake_insight()) as address:
        assert main(["handover", "--json", "--server", address]) == 0

    sheet = json.loads(capsys.readouterr().out)
    assert sheet["sections"][0]["lines"][0]["cell_id"] == "press-2"


def test_numbers_that_were_not_measured_are_a_dash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = fake_insight()
    with insight(fake) as address:
        arguments = ["numbers", "--hours", "1", "--family", "peg", "--server", address]
        assert main(arguments) == 0
        said = capsys.readouterr().out
        assert main(["numbers", "--json", "--server", address]) == 0

    assert "0.834" in said
    assert "press-1" in said
    assert fake.asked[0].family == "peg"
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["numbers"] == {"automation_share": 0.834}


def test_no_time_is_refused_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handover", "--hours", "0", "--server", "127.0.0.1:1"]) == 2
    assert "hours above 0" in capsys.readouterr().err
