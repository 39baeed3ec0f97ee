"""Hands, groups, load and second opinions over gRPC, as a terminal calls them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from andon.v1 import operator_pb2 as o
from coordinator.clock import SECOND_NS
from coordinator.terms import CellId, Outcome, RequestId, events
from coordinator.vocabulary import Vocabulary
from tests.builders import FAMILY, PEG, make_prediction
from tests.coordinator.service.service_world import ServiceWorld, actor, refused

_CODE = grpc.StatusCode


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    """Nobody alone says that a part is missing."""
    opened = await ServiceWorld.open(tmp_path)
    labels = tuple(
        replace(x, second_opinion=x.name == "missing_part") for x in FAMILY.labels
    )
    vocabulary: Vocabulary = opened.plant.vocabulary
    vocabulary._families[PEG] = replace(FAMILY, labels=labels)
    yield opened
    await opened.close()


async def claim(world: ServiceWorld, request_id: str, person: str = "ana", **more: Any):
    return await world.operators.Claim(
        o.ClaimRequest(
            request_id=request_id,
            actor=actor(person),
            idempotency_key=f"c-{person}-{request_id}-{len(more)}",
            **more,
        )
    )


async def answer(world: ServiceWorld, request_id: str, person: str, label: str):
    claimed = await claim(world, request_id, person)
    shown = await world.operators.GetRequest(o.GetRequestRequest(request_id=request_id))
    return await world.operators.Answer(
        o.AnswerRequest(
            request_id=request_id,
            actor=actor(person),
            claim_epoch=claimed.claim_epoch,
            idempotency_key=f"a-{person}",
            view_digest=shown.view_digest,
            label=label,
        )
    )


async def two_cells(world: ServiceWorld) -> list[str]:
    """Two cells that ask for one cause."""
    nodes = [await world.working(cell) for cell in ("press-1", "press-2")]
    world.prediction = make_prediction(confidence=0.5)
    found = []
    for node in nodes:
        await node.offer()
        found.append((await node.heard("window_outcome")).request_id)
    return found


async def test_who_stands_at_the_cell_is_seen_by_all(world: ServiceWorld):
    _, summary = await world.asked()

    reply = await world.operators.Arrive(
        o.ArriveRequest(request_id=summary.request_id, actor=actor())
    )
    listed = await world.operators.ListRequests(o.ListRequestsRequest())

    assert reply.summary.arrived_by == "ana"
    assert reply.summary.HasField("arrived_at")
    assert listed.requests[0].arrived_by == "ana"


async def test_a_claim_goes_to_the_person_who_is_named(world: ServiceWorld):
    _, summary = await world.asked()
    mine = await claim(world, summary.request_id)
    hand = o.HandOverRequest(
        request_id=summary.request_id,
        actor=actor(),
        claim_epoch=mine.claim_epoch,
        idempotency_key="h",
        to_person="ben",
    )

    reply = await world.operators.HandOver(hand)
    nobody = await refused(
        world.operators.HandOver(
            o.HandOverRequest(
                request_id=summary.request_id,
                actor=actor("ben"),
                claim_epoch=2,
                idempotency_key="h2",
            )
        )
    )

    assert (reply.summary.claimed_by, reply.summary.claim_epoch) == ("ben", 2)
    assert (nobody.code, nobody.token) == (_CODE.INVALID_ARGUMENT, "MISSING_FIELD")


async def test_a_skipped_request_says_who_skipped_it(world: ServiceWorld):
    _, summary = await world.asked()
    mine = await claim(world, summary.request_id)

    reply = await world.operators.Skip(
        o.SkipRequest(
            request_id=summary.request_id,
            actor=actor(),
            claim_epoch=mine.claim_epoch,
            idempotency_key="s",
        )
    )

    assert (reply.summary.claimed_by, list(reply.summary.skipped_by)) == ("", ["ana"])


async def test_one_card_answers_two_cells_and_each_gets_its_own_permit(
    world: ServiceWorld,
):
    first, second = await two_cells(world)
    await claim(world, first)
    group = await world.operators.GetGroup(o.GetGroupRequest(request_id=first))

    reply = await world.operators.AnswerGroup(
        o.AnswerGroupRequest(
            actor=actor(),
            idempotency_key="g",
            label="ok",
            shown_request_id=first,
            members=[
                o.MemberAnswer(
                    request_id=m.summary.request_id, view_digest=m.view_digest
                )
                for m in group.members
            ],
        )
    )
    await world.until(lambda: not world.plant.requests.all_open())
    for node in world.nodes:
        assert (await node.heard("permit")).label == "ok"

    assert group.group_id
    assert {m.summary.request_id for m in group.members} == {first, second}
    assert [m.summary.group_size for m in group.members] == [2, 2]
    assert [r.taken for r in reply.results] == [True, True]
    permits = [e.permit for e in await world.journal(events.PermitIssued)]
    bound = [p.window_digest for p in permits if p.label == "ok"]
    assert len(set(bound)) == 2
    assert len(await world.journal(events.ExampleAdded)) == 1


@pytest.mark.parametrize("place", [0, 63, 64, 69], ids=str)
async def test_of_many_of_one_cause_a_card_stands_for_64_the_shown_one_among_them(
    world: ServiceWorld, place: int
):
    _, summary = await world.asked()
    first = world.plant.requests.all_open()[0]
    # As if 69 more cells asked: the queue mirrors them, and no node has to be there.
    asked = [
        replace(first, request_id=RequestId(f"r-{n:02}"), cell_id=CellId(f"press-{n}"))
        for n in range(70)
    ]
    await world.plant.requests.end(first, Outcome.CANCELLED, "nobody asks.")
    for request in asked:
        world.plant.requests.add(request)
    shown = asked[place].request_id

    group = await world.operators.GetGroup(o.GetGroupRequest(request_id=shown))

    others = [r.request_id for r in asked[:64] if r.request_id != shown]
    members = [m.summary.request_id for m in group.members]
    assert group.group_id == summary.group_id
    assert {m.summary.group_size for m in group.members} == {70}
    assert sorted(members) == sorted([*others[:63], shown])


async def test_a_member_of_a_group_that_moved_is_refused_alone(world: ServiceWorld):
    first, second = await two_cells(world)
    await claim(world, first)
    await claim(world, second, "ben")
    group = await world.operators.GetGroup(o.GetGroupRequest(request_id=first))

    reply = await world.operators.AnswerGroup(
        o.AnswerGroupRequest(
            actor=actor(),
            idempotency_key="g",
            label="ok",
            shown_request_id=first,
            members=[
                o.MemberAnswer(
                    request_id=m.summary.request_id, view_digest=m.view_digest
                )
                for m in group.members
            ],
        )
    )

    results = {r.summary.request_id: r for r in reply.results}
    assert [(results[n].taken, results[n].token) for n in (first, second)] == [
        (True, ""),
        (False, "CLAIMED_BY"),
    ]
    assert results[second].summary.claimed_by == "ben"
    assert "ben" in results[second].text


async def test_a_flood_is_told_to_everybody_who_watches(world: ServiceWorld):
    _, summary = await world.asked()
    request = world.plant.requests.all_open()[0]
    for _ in range(12):
        world.plant.requests.pressure.asked(request)
    await world.plant.requests.look_at_load()

    watch = world.operators.Watch(o.WatchRequest(actor=actor()))
    load = (await watch.read()).snapshot.presence.load
    watch.cancel()

    assert load.flood
    assert load.HasField("since_at")
    assert (load.asked_10_min, load.budget_hour) == (13, 6)
    assert "fetch help" in load.text
    assert summary.group_id


async def test_the_first_of_two_opinions_is_seen_but_not_what_it_was(
    careful: ServiceWorld,
):
    _, summary = await careful.asked()

    first = await answer(careful, summary.request_id, "ana", "missing_part")
    seen = await careful.operators.ListRequests(o.ListRequestsRequest())
    second = await answer(careful, summary.request_id, "ben", "missing_part")

    assert first.needs_second
    assert not first.cell_moves_on
    assert first.summary.first_opinion_by == "ana"
    assert "missing_part" not in str(seen.requests[0])
    assert not second.needs_second
    assert second.cell_moves_on
    assert (second.summary.label, second.summary.answered_by) == (
        "missing_part",
        "ben",
    )


async def test_a_late_word_is_refused_by_name_and_kept(world: ServiceWorld):
    _, summary = await world.asked()
    mine = await claim(world, summary.request_id)
    shown = await world.operators.GetRequest(
        o.GetRequestRequest(request_id=summary.request_id)
    )
    await claim(world, summary.request_id, "ben", take_over=True)
    await answer(world, summary.request_id, "ben", "ok")

    late = await refused(
        world.operators.Answer(
            o.AnswerRequest(
                request_id=summary.request_id,
                actor=actor(),
                claim_epoch=mine.claim_epoch,
                idempotency_key="late",
                view_digest=shown.view_digest,
                label="misaligned",
            )
        )
    )

    assert (late.code, late.token) == (_CODE.FAILED_PRECONDITION, "REQUEST_CLOSED")
    assert "by ben as ok" in late.text
    (kept,) = await world.journal(events.OpinionKept)
    assert (kept.actor.person, kept.label) == ("ana", "misaligned")
    assert world.clock.monotonic_ns() < 60 * SECOND_NS
