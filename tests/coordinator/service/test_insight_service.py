"""Looking back over gRPC: numbers, the journal, cases, and the hand-over sheet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from andon.v1 import insight_pb2, insight_pb2_grpc, operator_pb2
from tests.builders import MODEL
from tests.coordinator.service.service_world import ServiceWorld, actor, refused


def insight(world: ServiceWorld) -> Any:
    return insight_pb2_grpc.InsightServiceStub(world.channel)


def back(**length: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(**length))
    return duration


async def answer(world: ServiceWorld, request_id: str, label: str) -> None:
    claim = await world.operators.Claim(
        operator_pb2.ClaimRequest(
            request_id=request_id, actor=actor(), idempotency_key=f"c-{request_id}"
        )
    )
    shown = await world.operators.GetRequest(
        operator_pb2.GetRequestRequest(request_id=request_id, actor=actor())
    )
    await world.operators.Answer(
        operator_pb2.AnswerRequest(
            request_id=request_id,
            actor=actor(),
            claim_epoch=claim.claim_epoch,
            idempotency_key=f"a-{request_id}",
            view_digest=shown.view_digest,
            label=label,
        )
    )


async def test_numbers_look_back_over_a_time(world: ServiceWorld):
    _, asked = await world.asked()
    world.clock.advance(timedelta(minutes=1))
    await answer(world, asked.request_id, "misaligned")
    world.clock.advance(timedelta(minutes=1))

    request = insight_pb2.GetNumbersRequest(back=back(hours=1))
    reply = await insight(world).GetNumbers(request)

    assert [(r.family, r.cell_id) for r in reply.rows] == [
        ("", ""),
        ("peg", ""),
        ("peg", "press-1"),
        ("peg", "press-2"),
    ]
    numbers = dict(reply.rows[0].numbers)
    assert numbers["questions_count"] == 1.0
    assert numbers["time_to_answer_p50_s"] == 60.0
    assert numbers["corrections_share"] == 1.0
    assert numbers["automation_share"] == 0.0
    assert reply.until_at.seconds - reply.from_at.seconds == 3600
    assert {t.name for t in reply.rows[0].trends} >= {"questions_per_hour"}
    assert reply.numbers["windows_asked_count"] == 1.0


async def test_a_team_board_is_shown_only_where_the_plant_wants_one(
    world: ServiceWorld,
):
    _, asked = await world.asked()
    await answer(world, asked.request_id, "misaligned")
    request = insight_pb2.GetNumbersRequest(back=back(hours=1))

    without = await insight(world).GetNumbers(request)
    world.plant.people = replace(world.plant.people, team_board=True)
    reply = await insight(world).GetNumbers(request)

    assert list(without.teams) == []
    (everybody,) = reply.teams
    assert (everybody.team, everybody.faults, everybody.errors) == ("", 1, 0)
    assert "ana" not in str(reply)


async def test_numbers_of_one_cell_are_of_that_cell_alone(world: ServiceWorld):
    request = insight_pb2.GetNumbersRequest(back=back(hours=8), cell_id="press-2")
    reply = await insight(world).GetNumbers(request)

    assert {row.cell_id for row in reply.rows} == {"", "press-2"}


@pytest.mark.parametrize("length", [back(hours=-1), back(days=40)])
async def test_nobody_looks_back_for_ever(world: ServiceWorld, length: Duration):
    request = insight_pb2.GetNumbersRequest(back=length)
    said = await refused(insight(world).GetNumbers(request))

    assert (said.code.name, said.token) == ("INVALID_ARGUMENT", "BAD_DURATION")


async def test_the_journal_is_read_page_by_page(world: ServiceWorld):
    await world.asked()
    first = await insight(world).ListJournal(
        insight_pb2.ListJournalRequest(page_size=3, check=True)
    )
    second = await insight(world).ListJournal(
        insight_pb2.ListJournalRequest(page_size=3, page_token=first.next_page_token)
    )

    seqs = [line.entry.seq for line in (*first.lines, *second.lines)]
    assert seqs == sorted(seqs, reverse=True)
    assert seqs[0] == first.head_seq
    assert first.intact
    assert "fit the chain" in first.check_text
    assert all(line.text for line in first.lines)


async def test_the_journal_of_a_request_names_cell_and_person(world: ServiceWorld):
    _, asked = await world.asked()
    await answer(world, asked.request_id, "misaligned")

    page = await insight(world).ListJournal(
        insight_pb2.ListJournalRequest(about=asked.request_id, person="ana")
    )

    assert {line.person for line in page.lines} == {"ana"}
    assert "RequestClaimed" in {line.entry.kind for line in page.lines}
    opened = await insight(world).ListJournal(
        insight_pb2.ListJournalRequest(kinds=["RequestOpened"])
    )
    assert [line.cell_id for line in opened.lines] == ["press-1"]


async def test_a_number_of_a_report_opens_its_cases(world: ServiceWorld):
    _, asked = await world.asked()
    await answer(world, asked.request_id, "misaligned")

    def cases(**wanted: Any) -> Any:
        request = insight_pb2.ListCasesRequest(
            family="peg", model_digest=MODEL, **wanted
        )
        return insight(world).ListCases(request)

    found = await cases(truth="misaligned", said="ok")
    assert found.total == 1
    assert found.cases[0].request_id == asked.request_id
    assert found.cases[0].confidence == 0.5
    assert (await cases(truth="ok")).total == 0
    assert (await cases(wrong=True)).total == 1
    assert (await cases(held_out=True)).total == 0


async def test_the_sheet_says_what_waits_and_what_stood_still(world: ServiceWorld):
    _, asked = await world.asked()
    await world.operators.Hold(
        operator_pb2.HoldRequest(cell_id="press-2", actor=actor("ben"))
    )

    sheet = await insight(world).GetHandover(
        insight_pb2.GetHandoverRequest(back=back(hours=8))
    )

    told = {section.name: section.lines for section in sheet.sections}
    assert [line.request_id for line in told["waiting"]] == [asked.request_id]
    assert [line.cell_id for line in told["cells"]] == ["press-2"]
    assert told["cells"][0].text
    assert any("1 questions" in line.text for line in told["numbers"])
    assert told["models"] == []
