"""What people's clients may say, over real gRPC: codes, tokens, what is on record."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest

from andon.v1 import (
    access_pb2,
    access_pb2_grpc,
    insight_pb2,
    insight_pb2_grpc,
    terms_pb2,
)
from andon.v1 import operator_pb2 as o
from coordinator.clock import SECOND_NS
from coordinator.errors import StoreDegradedError
from coordinator.live.request.looks import Looks
from coordinator.terms import Action, CellState, HoldReason, Label, RequestId, events
from tests.builders import FAMILY, PEG
from tests.coordinator.service.service_world import (
    SOON_S,
    ServiceWorld,
    actor,
    refused,
)

_CODE = grpc.StatusCode


async def claim(world: ServiceWorld, request_id: str, who: str = "ana", **more):
    request = o.ClaimRequest(
        request_id=request_id,
        actor=actor(who),
        idempotency_key=more.pop("key", f"claim-{who}-{request_id}"),
        **more,
    )
    return await world.operators.Claim(request)


async def answer_of(world: ServiceWorld, asked: str, **changes) -> o.AnswerRequest:
    got = await world.operators.GetRequest(o.GetRequestRequest(request_id=asked))
    facts = {
        "request_id": asked,
        "actor": actor(),
        "claim_epoch": 1,
        "idempotency_key": "answer-1",
        "view_digest": got.view_digest,
        "label": "ok",
    }
    facts |= changes
    return o.AnswerRequest(**{k: v for k, v in facts.items() if v is not None})


# -- the whole way -------------------------------------------------------------------


async def test_hold_answer_permit_over_grpc(world: ServiceWorld):
    node, summary = await world.asked()
    claimed = await claim(world, summary.request_id)
    reply = await world.operators.Answer(
        await answer_of(world, summary.request_id, label="misaligned")
    )
    permit = await node.heard("permit")

    assert claimed.claim_epoch == 1
    assert claimed.lease.ToSeconds() == 60
    assert reply.cell_moves_on
    assert reply.correction
    assert reply.action == permit.action == terms_pb2.ACTION_REWORK
    assert reply.summary.outcome == terms_pb2.OUTCOME_ANSWERED
    assert permit.label == "misaligned"
    assert permit.session_epoch == 1
    assert world.teacher.noted == 1


async def test_what_is_shown_is_what_was_decided(world: ServiceWorld):
    _, summary = await world.asked()
    got = await world.operators.GetRequest(
        o.GetRequestRequest(request_id=summary.request_id, actor=actor())
    )

    assert [c.name for c in got.channels] == [c.name for c in FAMILY.channels]
    assert [x.name for x in got.labels] == list(FAMILY.label_names)
    assert len(got.choices) == 4
    assert got.choices[0].label == "ok"
    assert got.verdict.code == "LOW_CONFIDENCE"
    assert got.window.rows == FAMILY.rows
    assert got.summary.seen_at.seconds > 0
    assert len(await world.journal(events.RequestSeen)) == 1


async def test_an_answer_sooner_than_one_can_look_is_refused_where_wanted(
    world: ServiceWorld,
):
    world.plant.people = replace(world.plant.people, least_view_s=2.0, refuse_rash=True)
    world.plant.requests.looks = Looks(world.clock, 2 * SECOND_NS)
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    shown = await world.operators.GetRequest(
        o.GetRequestRequest(request_id=summary.request_id)
    )

    said = await refused(
        world.operators.Answer(await answer_of(world, summary.request_id))
    )

    assert (shown.view_at_least.ToSeconds(), shown.view_enforced) == (2, True)
    assert (said.code, said.token) == (_CODE.FAILED_PRECONDITION, "LOOK_FIRST")
    assert said.text == "LOOK_FIRST: look for 2.0 s more, then answer."
    world.clock.advance(timedelta(seconds=2))
    reply = await world.operators.Answer(await answer_of(world, summary.request_id))
    assert reply.summary.outcome == terms_pb2.OUTCOME_ANSWERED


async def test_an_answer_is_carried_out_although_its_caller_left(world: ServiceWorld):
    node, summary = await world.asked()
    await claim(world, summary.request_id)
    request = await answer_of(world, summary.request_id)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def wait(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.RequestAnswered) for e in happened):
            arrived.set()
            await go_on.wait()

    world.store.after = wait
    call = world.operators.Answer(request)
    async with asyncio.timeout(SOON_S):
        await arrived.wait()
    call.cancel()
    with suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
        await call
    go_on.set()

    assert (await node.heard("permit")).label == "ok"
    again = await world.operators.Answer(request)
    assert again.summary.outcome == terms_pb2.OUTCOME_ANSWERED
    assert world.plant.requests.all_open() == []


async def test_a_caller_that_is_late_learns_the_truth_with_the_same_key(
    world: ServiceWorld,
):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    request = await answer_of(world, summary.request_id)

    async def slow(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.RequestAnswered) for e in happened):
            await asyncio.sleep(0.2)

    world.store.after = slow
    late = await refused(world.operators.Answer(request, timeout=0.05))
    assert late.code is _CODE.DEADLINE_EXCEEDED

    again = await world.operators.Answer(request)
    assert again.summary.label == "ok"
    assert len(await world.journal(events.RequestAnswered)) == 1


# -- refusals ------------------------------------------------------------------------

BAD_ANSWERS = [
    ({"request_id": "r-none"}, _CODE.NOT_FOUND, "NOT_FOUND"),
    ({"request_id": ""}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"request_id": "../x"}, _CODE.INVALID_ARGUMENT, "BAD_ID"),
    ({"actor": None}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"actor": actor("   ")}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"actor": actor("policy:autostart")}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"actor": actor(" policy:autostart")}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"actor": actor("a\nb")}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"actor": actor("x" * 201)}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"actor": actor("ben")}, _CODE.FAILED_PRECONDITION, "NOT_YOUR_CLAIM"),
    ({"claim_epoch": 0}, _CODE.ABORTED, "STALE_EPOCH"),
    ({"claim_epoch": 7}, _CODE.ABORTED, "STALE_EPOCH"),
    ({"idempotency_key": ""}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"label": "scraped"}, _CODE.INVALID_ARGUMENT, "UNKNOWN_LABEL"),
    ({"label": "\x1b[31m"}, _CODE.INVALID_ARGUMENT, "UNKNOWN_LABEL"),
    ({"label": None}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"view_digest": "00" * 32}, _CODE.ABORTED, "VIEW_CHANGED"),
    ({"note": "x" * 2001}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"note": "a\x1b[2J"}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"note": "a\u202eb"}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
    ({"note": "a\x00b"}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
]


@pytest.mark.parametrize(("changes", "code", "token"), BAD_ANSWERS)
async def test_a_bad_answer_is_refused_exactly_and_changes_nothing(
    world: ServiceWorld, changes, code, token
):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    request = await answer_of(world, summary.request_id, **changes)
    why = await refused(world.operators.Answer(request))

    assert (why.code, why.token, why.domain) == (code, token, "andon")
    assert why.text.startswith(f"{token}: ")
    assert why.text.isascii()
    assert why.text.isprintable()
    assert len(why.text) <= 200
    assert await world.journal(events.RequestAnswered) == []
    assert world.path().cell.state is CellState.ASKING


async def test_markup_is_kept_literally(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    note = "[red]not red[/red]\nsecond line"
    await world.operators.Answer(await answer_of(world, summary.request_id, note=note))

    [answered] = await world.journal(events.RequestAnswered)
    assert answered.note == note


async def test_claims_are_refused_exactly(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    other = await refused(claim(world, summary.request_id, "ben"))
    reused = await refused(
        world.operators.Answer(
            await answer_of(
                world,
                summary.request_id,
                idempotency_key=f"claim-ana-{summary.request_id}",
            )
        )
    )

    assert (other.code, other.token) == (_CODE.FAILED_PRECONDITION, "CLAIMED_BY")
    assert other.text.startswith("CLAIMED_BY: ana, 0 s ago")
    assert (reused.code, reused.token) == (_CODE.ALREADY_EXISTS, "KEY_REUSED")


async def test_a_closed_request_says_who_answered(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    await world.operators.Answer(await answer_of(world, summary.request_id))
    late = await answer_of(
        world, summary.request_id, actor=actor("ben"), idempotency_key="ben-1"
    )
    why = await refused(world.operators.Answer(late))

    assert (why.code, why.token) == (_CODE.FAILED_PRECONDITION, "REQUEST_CLOSED")
    assert "by ana as ok" in why.text


async def test_renewing_giving_back_and_passing_on(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    renew = o.RenewClaimRequest(
        request_id=summary.request_id, actor=actor(), claim_epoch=1
    )
    assert (await world.operators.RenewClaim(renew)).lease.ToSeconds() == 60
    await world.operators.ReleaseClaim(
        o.ReleaseClaimRequest(
            request_id=summary.request_id, actor=actor(), claim_epoch=1
        )
    )
    gone = await refused(world.operators.RenewClaim(renew))
    assert (gone.code, gone.token) == (_CODE.FAILED_PRECONDITION, "NOT_YOUR_CLAIM")

    await claim(world, summary.request_id, "ben")
    passed = await world.operators.Answer(
        await answer_of(
            world,
            summary.request_id,
            actor=actor("ben"),
            claim_epoch=2,
            label=None,
            cannot_tell=True,
        )
    )
    assert passed.summary.outcome == terms_pb2.OUTCOME_SUPERSEDED
    [successor] = world.plant.requests.all_open()
    await world.until(
        lambda: world.path().cell.status().request_id == successor.request_id
    )


async def test_an_answer_to_a_cell_that_is_not_configured_any_more(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    request = await answer_of(world, summary.request_id)
    monkeypatch.setattr(world.plant, "cells", {})
    monkeypatch.setattr(world.plant, "learning", {})
    reply = await world.operators.Answer(request)

    assert reply.summary.label == "ok"
    assert not reply.cell_moves_on


# -- any call ------------------------------------------------------------------------

METHODS = ["GetRequest", "Claim", "Answer", "ReleaseHold", "SetMaintenance"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("content", "token"),
    [
        pytest.param(b"\xff\xff\xff\xff", "MALFORMED_MESSAGE", id="truncated"),
        pytest.param(b"\x0a\x05ab", "MALFORMED_MESSAGE", id="cut"),
        pytest.param(b"\x0a\x02\xff\xfe", "MALFORMED_MESSAGE", id="not-utf-8"),
        pytest.param(b"", "MISSING_FIELD", id="empty"),
        pytest.param(b"\xf8\x7f\x01", "MISSING_FIELD", id="unknown-field"),
    ],
)
async def test_bytes_that_are_no_request(world: ServiceWorld, method, content, token):
    raw: Any = world.channel.unary_unary(f"/andon.v1.OperatorService/{method}")
    why = await refused(raw(content))

    assert (why.code, why.token) == (_CODE.INVALID_ARGUMENT, token)


async def test_what_the_library_refuses(world: ServiceWorld):
    raw: Any = world.channel.unary_unary("/andon.v1.OperatorService/Claim")
    nowhere: Any = world.channel.unary_unary("/andon.v1.No/Such")
    oversize = await refused(raw(b"\x0a" + bytes((1 << 20) + 1)))
    unknown = await refused(nowhere(b""))
    metadata = await refused(raw(b"", metadata=(("x-much", "y" * 20_000),)))

    assert oversize.code is _CODE.RESOURCE_EXHAUSTED
    assert unknown.code is _CODE.UNIMPLEMENTED
    assert metadata.code is _CODE.RESOURCE_EXHAUSTED


async def test_a_bug_answers_with_an_id_only(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    def bug(*_args: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(world.plant.requests, "get", bug)
    why = await refused(
        world.operators.GetRequest(o.GetRequestRequest(request_id="r-1"))
    )

    assert (why.code, why.token) == (_CODE.INTERNAL, "INTERNAL")
    assert why.text.startswith("INTERNAL: unexpected error, id=err-")
    assert "secret" not in why.text


async def test_what_comes_later_says_so(world: ServiceWorld):
    access = access_pb2_grpc.AccessServiceStub(world.channel)
    enrol = await refused(access.Enrol(access_pb2.EnrolRequest()))
    who = await access.WhoAmI(access_pb2.WhoAmIRequest())

    assert (enrol.code, enrol.token) == (_CODE.UNIMPLEMENTED, "NOT_SERVED")
    assert not who.verified


@pytest.mark.parametrize("token", ["x", "-1", "1" * 10, "\u0661"])
async def test_a_page_token_that_is_none(world: ServiceWorld, token):
    why = await refused(
        world.operators.ListRequests(o.ListRequestsRequest(page_token=token))
    )

    assert (why.code, why.token) == (_CODE.INVALID_ARGUMENT, "BAD_PAGE_TOKEN")


async def test_pages_follow_each_other(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    await world.operators.Answer(await answer_of(world, summary.request_id))
    listed = await world.operators.ListRequests(
        o.ListRequestsRequest(include_ended=True, page_size=1_000_000)
    )
    none = await world.operators.ListRequests(
        o.ListRequestsRequest(include_ended=True, page_size=1, page_token="1")  # noqa: S106
    )

    assert [r.request_id for r in listed.requests] == [summary.request_id]
    assert listed.next_page_token == none.next_page_token == ""
    assert not none.requests


# -- holds and releases --------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "note"),
    [
        ("ana", "smoke"),
        ("", ""),
        ("\x1b[2J", ""),
        ("ana", "\u202e" * 9),
        ("p" * 999, ""),
    ],
)
async def test_a_hold_is_taken_from_anybody(world: ServiceWorld, who, note):
    node = await world.working()
    reply = await world.operators.Hold(
        o.HoldRequest(cell_id="press-1", actor=actor(who), note=note)
    )
    await node.heard("withdraw")

    assert list(reply.cells) == ["press-1"]
    assert reply.recorded
    assert world.path().cell.state is CellState.HELD
    assert world.path().cell.holds.text.isprintable()
    [placed] = await world.journal(events.HoldPlaced)
    assert placed.reason is HoldReason.OPERATOR_HOLD


async def test_a_hold_for_all_holds_all(world: ServiceWorld):
    await world.working()
    await world.working("press-2")
    reply = await world.operators.Hold(o.HoldRequest())

    assert list(reply.cells) == ["press-1", "press-2"]
    assert all(p.cell.state is CellState.HELD for p in world.plant.cells.values())


async def test_a_hold_holds_also_when_it_cannot_be_recorded(world: ServiceWorld):
    node = await world.working()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    reply = await world.operators.Hold(o.HoldRequest(cell_id="press-1"))
    await node.heard("withdraw")

    assert not reply.recorded
    assert HoldReason.OPERATOR_HOLD in world.path().cell.holds.reasons


async def test_only_an_unknown_cell_refuses_a_hold(world: ServiceWorld):
    unknown = await refused(world.operators.Hold(o.HoldRequest(cell_id="x9")))

    assert (unknown.code, unknown.token) == (_CODE.NOT_FOUND, "UNKNOWN_CELL")


def release(cell: str = "press-1", **changes) -> o.ReleaseHoldRequest:
    facts = {
        "cell_id": cell,
        "actor": actor(),
        "idempotency_key": "release-1",
        "expected_reason": terms_pb2.HOLD_REASON_LINK_LOST,
    }
    return o.ReleaseHoldRequest(**{**facts, **changes})


async def test_a_person_starts_a_cell_once_however_often_the_call_is_repeated(
    manned: ServiceWorld,
):
    node = await manned.node()
    await node.heard("welcome")
    first, second = await asyncio.gather(
        manned.operators.ReleaseHold(release()),
        manned.operators.ReleaseHold(release()),
    )
    await node.heard("permit")
    third = await manned.operators.ReleaseHold(release())

    assert first.cell.cell_id == second.cell.cell_id == third.cell.cell_id
    assert len(await manned.journal(events.HoldReleased)) == 1
    assert len(await manned.journal(events.PermitIssued)) == 1


BAD_RELEASES = [
    ({"cell_id": "x9"}, _CODE.NOT_FOUND, "UNKNOWN_CELL"),
    ({"actor": None}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"idempotency_key": ""}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD"),
    ({"expected_reason": 0}, _CODE.FAILED_PRECONDITION, "RELEASE_REFUSED"),
    ({"expected_reason": 999}, _CODE.INVALID_ARGUMENT, "UNKNOWN_VALUE"),
    ({"disposition": 999}, _CODE.INVALID_ARGUMENT, "UNKNOWN_VALUE"),
    (
        {"disposition": terms_pb2.ACTION_STOP},
        _CODE.FAILED_PRECONDITION,
        "RELEASE_REFUSED",
    ),
    ({"note": "\x1b"}, _CODE.INVALID_ARGUMENT, "BAD_TEXT"),
]


@pytest.mark.parametrize(("changes", "code", "token"), BAD_RELEASES)
async def test_a_bad_release_leaves_the_cell_held(
    manned: ServiceWorld, changes, code, token
):
    node = await manned.node()
    await node.heard("welcome")
    await manned.until(lambda: manned.path().cell.state is CellState.HELD)
    why = await refused(manned.operators.ReleaseHold(release(**changes)))

    assert (why.code, why.token) == (code, token)
    assert manned.path().cell.state is CellState.HELD
    assert await manned.journal(events.HoldReleased) == []


async def test_a_release_that_cannot_be_recorded_is_none(manned: ServiceWorld):
    node = await manned.node()
    await node.heard("welcome")
    manned.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    why = await refused(manned.operators.ReleaseHold(release()))
    assert (why.code, why.token) == (_CODE.RESOURCE_EXHAUSTED, "STORE_DEGRADED")
    assert manned.path().cell.state is CellState.HELD

    manned.store.failure = None
    reason = terms_pb2.HOLD_REASON_STORE_DEGRADED
    await manned.operators.ReleaseHold(
        release(expected_reason=reason, idempotency_key="release-2")
    )
    await node.heard("permit")


async def test_maintenance_over_grpc(world: ServiceWorld):
    node = await world.working()
    on = o.SetMaintenanceRequest(
        cell_id="press-1", actor=actor(), idempotency_key="m-1", maintenance=True
    )
    reply = await world.operators.SetMaintenance(on)
    await node.heard("withdraw")
    assert reply.cell.state == terms_pb2.CELL_STATE_MAINTENANCE
    moved = await world.journal(events.CellMoved)
    assert moved[-1].after is CellState.MAINTENANCE  # durable before the reply

    off = o.SetMaintenanceRequest(
        cell_id="press-1", actor=actor(), idempotency_key="m-2", maintenance=False
    )
    back = await world.operators.SetMaintenance(off)
    assert back.cell.state == terms_pb2.CELL_STATE_HELD
    again = await world.operators.SetMaintenance(on)
    assert again.cell.state == terms_pb2.CELL_STATE_HELD  # a late retry undoes nothing
    off.idempotency_key = "m-3"
    nonsense = await refused(world.operators.SetMaintenance(off))
    assert (nonsense.code, nonsense.token) == (
        _CODE.FAILED_PRECONDITION,
        "ILLEGAL_TRANSITION",
    )


# -- watching ------------------------------------------------------------------------


async def changes(call, kind: str):
    async with asyncio.timeout(SOON_S):
        while True:
            message = await call.read()
            assert message is not grpc.aio.EOF
            if message.WhichOneof("change") == kind:
                return message


async def test_a_watcher_gets_the_picture_then_every_change(world: ServiceWorld):
    watch = world.operators.Watch(o.WatchRequest(actor=actor(), answering=True))
    first = await watch.read()
    assert first.snapshot.coordinator == "andon test"
    assert [c.cell_id for c in first.snapshot.cells] == ["press-1", "press-2"]
    assert first.snapshot.presence.answering == 1
    assert list(first.snapshot.presence.people) == ["ana"]

    await world.working()
    assert (await changes(watch, "cell")).cell.cell_id == "press-1"
    assert (await changes(watch, "tick")).tick.now_at.seconds > 0
    watch.cancel()
    await world.until(lambda: not world.plant.presence._answering)
    await world.until(lambda: not world.plant.feed._watchers)


async def test_whoever_watches_learns_by_a_token_why_it_asks(world: ServiceWorld):
    watch = world.operators.Watch(o.WatchRequest(actor=actor()))
    await watch.read()
    await world.asked()
    heard = (await changes(watch, "request")).request
    watch.cancel()
    [opened] = await world.journal(events.RequestOpened)

    assert heard.code == opened.request.code == "LOW_CONFIDENCE"
    assert heard.reason == opened.request.reason


async def test_a_slow_watcher_loses_the_oldest_and_gets_the_picture(
    world: ServiceWorld,
):
    watch = world.operators.Watch(o.WatchRequest(actor=actor()))
    await watch.read()
    for _ in range(30):  # the feed of this plant keeps 8
        world.path().cell.tell()
    message = await changes(watch, "snapshot")

    assert message.missed > 0
    watch.cancel()


async def test_nobody_is_there_while_a_question_waits(world: ServiceWorld):
    await world.asked()
    watch = world.operators.Watch(o.WatchRequest(actor=actor()))
    alone = (await watch.read()).snapshot.presence
    assert alone.nobody
    assert alone.answering == 0

    other = world.operators.Watch(o.WatchRequest(actor=actor("ben"), answering=True))
    await other.read()
    there = (await changes(watch, "presence")).presence
    assert not there.nobody
    assert list(there.people) == ["ben"]
    watch.cancel()
    other.cancel()


async def test_a_watcher_says_who_it_is(world: ServiceWorld):
    watch = world.operators.Watch(o.WatchRequest())
    with pytest.raises(grpc.aio.AioRpcError) as why:
        await watch.read()

    assert why.value.code() is _CODE.INVALID_ARGUMENT


# -- looking back --------------------------------------------------------------------


async def test_the_journal_is_told(world: ServiceWorld):
    _, summary = await world.asked()
    insight = insight_pb2_grpc.InsightServiceStub(world.channel)
    story = await insight.Explain(
        insight_pb2.ExplainRequest(request_id=summary.request_id)
    )
    head = await insight.GetJournalHead(insight_pb2.GetJournalHeadRequest())
    numbers = await insight.GetNumbers(insight_pb2.GetNumbersRequest())
    unknown = await refused(insight.Explain(insight_pb2.ExplainRequest(request_id="x")))
    empty = await refused(insight.Explain(insight_pb2.ExplainRequest()))

    assert {e.kind for e in story.entries} >= {"WindowDecided", "RequestOpened"}
    assert head.seq >= len(story.entries)
    assert numbers.numbers["windows_asked_count"] == 1.0
    assert (unknown.code, unknown.token) == (_CODE.NOT_FOUND, "NOT_FOUND")
    assert (empty.code, empty.token) == (_CODE.INVALID_ARGUMENT, "MISSING_FIELD")


async def test_a_label_added_meanwhile_asks_to_look_again(world: ServiceWorld):
    _, summary = await world.asked()
    await claim(world, summary.request_id)
    request = await answer_of(world, summary.request_id)
    world.plant.vocabulary.extend(PEG, [Label("scraped", Action.REJECT)])
    why = await refused(world.operators.Answer(request))

    assert (why.code, why.token) == (_CODE.ABORTED, "VIEW_CHANGED")
    assert world.plant.requests.get(RequestId(summary.request_id)) is not None


async def test_the_same_answer_again_gets_the_same_reply(world: ServiceWorld):
    _, summary = await world.asked()
    look = o.GetRequestRequest(request_id=summary.request_id)
    claimed = await world.operators.Claim(
        o.ClaimRequest(
            request_id=summary.request_id, actor=actor(), idempotency_key="c-1"
        )
    )
    shown = await world.operators.GetRequest(look)
    said = o.AnswerRequest(
        request_id=summary.request_id,
        actor=actor(),
        claim_epoch=claimed.claim_epoch,
        idempotency_key="a-1",
        view_digest=shown.view_digest,
        label="ok",
    )

    first = await world.operators.Answer(said)
    again = await world.operators.Answer(said)

    def told(reply: o.AnswerResponse) -> o.RequestSummary:
        # What is left of a time is of this moment, and a cell moves on once.
        kept = reply.summary
        for moving in ("time_left", "undo_left"):
            kept.ClearField(moving)
        return kept

    assert told(first) == told(again)
    assert (first.correction, first.action) == (again.correction, again.action)
