"""Logging in, what it lets people do, and what ends it; over a real port."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import grpc
import pytest

from andon.v1 import (
    access_pb2,
    learning_pb2,
    learning_pb2_grpc,
    operator_pb2,
    terms_pb2,
)
from coordinator.store.codec import KINDS
from coordinator.terms import Role, events
from tests.coordinator.service.people_world import PIN, Front, bearer, machine
from tests.coordinator.service.service_world import ServiceWorld, actor, refused

DENIED = grpc.StatusCode.PERMISSION_DENIED
UNKNOWN = grpc.StatusCode.UNAUTHENTICATED
NOT_THE_PIN = "271828"


def why(said: SimpleNamespace) -> str:
    return str(said.token)


def claim(request_id: str, who: operator_pb2.Actor | None = None, key: str = "c-1"):
    return operator_pb2.ClaimRequest(
        request_id=request_id, actor=who, idempotency_key=key
    )


async def answer_for(world: ServiceWorld, request_id: str, epoch: int, key: str = "a"):
    got = await world.operators.GetRequest(
        operator_pb2.GetRequestRequest(request_id=request_id),
        metadata=world.metadata,  # type: ignore[attr-defined]
    )
    return operator_pb2.AnswerRequest(
        request_id=request_id,
        claim_epoch=epoch,
        label="ok",
        idempotency_key=key,
        view_digest=got.view_digest,
    )


@pytest.fixture
def front(world: ServiceWorld) -> Front:
    return Front(world.channel)


async def test_before_accounts_everybody_is_who_they_say(world, front):
    _, summary = await world.asked()

    await world.operators.Claim(claim(summary.request_id, actor("ana")))
    who = await front.access.WhoAmI(access_pb2.WhoAmIRequest())

    [claimed] = await world.journal(events.RequestClaimed)
    assert claimed.actor.person == "ana"
    assert not claimed.actor.verified
    assert not who.accounts
    assert list(who.roles) == ["auditor", "operator", "supervisor", "engineer"]


async def test_nobody_makes_the_first_account_over_the_network(world, front):
    request = access_pb2.AddPersonRequest(
        person="eve", role="admin", pin=PIN, idempotency_key="k"
    )

    said = await refused(front.access.AddPerson(request))
    wrong = await refused(front.access.AddPerson(request, metadata=machine("guess")))

    assert (said.code, wrong.code) == (UNKNOWN, UNKNOWN)
    assert not world.plant.people.accounts.exist


async def test_with_accounts_a_name_that_is_only_said_counts_for_nothing(world, front):
    _, summary = await world.asked()
    await front.add("ana")

    said = await refused(world.operators.Claim(claim(summary.request_id, actor("ana"))))

    assert (said.code, said.token) == (UNKNOWN, "LOGIN_REQUIRED")
    assert await world.journal(events.RequestClaimed) == []


async def test_every_answer_names_person_device_session_and_what_was_shown(
    world, front
):
    _, summary = await world.asked()
    await front.add("ana")
    login = await front.login("ana", "tablet-7")
    world.metadata = bearer(login.token)

    claimed = await world.operators.Claim(
        claim(summary.request_id), metadata=world.metadata
    )
    answer = await answer_for(world, summary.request_id, claimed.claim_epoch)
    await world.operators.Answer(answer, metadata=world.metadata)

    [answered] = await world.journal(events.RequestAnswered)
    [started] = await world.journal(events.PersonSessionStarted)
    who = answered.actor
    assert (who.person, who.device, who.role) == ("ana", "tablet-7", Role.OPERATOR)
    assert who.verified
    assert who.session == started.session.session
    assert answered.view_digest == answer.view_digest


async def test_nobody_answers_as_somebody_else(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    token = bearer((await front.login("ana")).token)

    other = await refused(
        world.operators.Claim(claim(summary.request_id, actor("ben")), metadata=token)
    )
    elsewhere = operator_pb2.Actor(person="ana", device="tablet-9")
    place = await refused(
        world.operators.Claim(claim(summary.request_id, elsewhere), metadata=token)
    )

    assert (other.code, other.token) == (DENIED, "NOT_YOU")
    assert (place.code, place.token) == (DENIED, "OTHER_DEVICE")


@pytest.mark.parametrize("person", ["ana", "nobody-of-this-name"])
async def test_a_refusal_does_not_say_whether_the_name_exists(world, front, person):
    await front.add("ana")

    said = await refused(front.login(person, pin=NOT_THE_PIN))

    assert (said.code, said.token) == (UNKNOWN, "LOGIN_REFUSED")
    assert said.text == "LOGIN_REFUSED: the name or the PIN is wrong. Try again."


@pytest.mark.slow
@pytest.mark.parametrize("person", ["ana", "nobody-of-this-name"])
async def test_after_too_many_wrong_pins_the_right_one_waits_too(world, front, person):
    await front.add("ana")
    for _ in range(3):
        await refused(front.login(person, pin=NOT_THE_PIN))

    soon = await refused(front.login(person))
    world.clock.advance(timedelta(seconds=2))
    later = await refused(front.login(person, pin=NOT_THE_PIN))
    again = await refused(front.login(person))

    assert (soon.token, later.token) == ("LOGIN_WAIT", "LOGIN_REFUSED")
    assert "Wait 4 s" in again.text


async def test_the_right_pin_ends_the_counting(world, front):
    await front.add("ana")
    await refused(front.login("ana", pin=NOT_THE_PIN))

    await front.login("ana")
    accounts = await front.access.ListAccounts(
        access_pb2.ListAccountsRequest(), metadata=machine()
    )

    assert accounts.accounts[0].failures == 0
    assert [e.failures for e in await world.journal(events.PinRefused)] == [1]


async def test_no_pin_and_no_token_is_ever_on_record(world, front):
    await front.add("ana", "admin")
    login = await front.login("ana")
    await refused(front.login("ana", pin=NOT_THE_PIN, device="panel-2"))
    await front.change("ana", pin="112358")

    entries = await world.real.entries(0, 1000)
    text = "\n".join(entry.payload_json for entry in entries)

    assert len({entry.kind for entry in entries} & KINDS.keys()) >= 4
    for secret in (PIN, NOT_THE_PIN, "112358", login.token, "argon2"):
        assert secret not in text


@pytest.mark.parametrize("pin", ["12345", "123456", "111111", "98765432", "31415x", ""])
async def test_a_pin_that_anybody_would_try_is_refused(world, front, pin):
    said = await refused(front.add("ana", pin=pin))

    assert why(said) == "BAD_PIN"
    assert not pin or pin not in said.text
    assert not world.plant.people.accounts.exist


async def test_a_locked_account_loses_its_claim_and_its_session_at_once(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    token = bearer((await front.login("ana")).token)
    world.metadata = token
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=token)
    answer = await answer_for(world, summary.request_id, claimed.claim_epoch)

    await front.change("ana", locked=True)
    said = await refused(world.operators.Answer(answer, metadata=token))

    assert why(said) == "LOGIN_REQUIRED"
    assert world.plant.requests.all_open()[0].claimed_by == ""
    assert why(await refused(front.login("ana"))) == "ACCOUNT_LOCKED"


async def test_a_role_that_changed_ends_the_session(world, front):
    await front.add("eva", "engineer")
    token = bearer((await front.login("eva")).token)

    await front.change("eva", role="operator")
    learning = learning_pb2_grpc.LearningServiceStub(world.channel)
    close = learning_pb2.CloseGateRequest(family="peg", idempotency_key="k")
    ended = await refused(learning.CloseGate(close, metadata=token))
    again = bearer((await front.login("eva")).token)
    said = await refused(learning.CloseGate(close, metadata=again))

    assert ended.code is UNKNOWN
    assert (said.code, said.token) == (DENIED, "ROLE_REQUIRED")
    assert "engineer is needed" in said.text


async def test_another_login_at_the_device_switches_the_person(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    await front.add("ben")
    first = bearer((await front.login("ana")).token)
    await world.operators.Claim(claim(summary.request_id), metadata=first)

    switched = await front.login("ben")
    said = await refused(
        world.operators.Claim(claim(summary.request_id, key="c-2"), metadata=first)
    )
    claimed = await world.operators.Claim(
        claim(summary.request_id, key="c-3"), metadata=bearer(switched.token)
    )

    assert switched.replaced == "ana"
    assert why(said) == "LOGIN_REQUIRED"
    assert claimed.summary.claimed_by == "ben"


async def test_a_logout_gives_back_only_what_was_claimed_there(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    here = bearer((await front.login("ana", "panel-1")).token)
    there = bearer((await front.login("ana", "tablet-2")).token)
    await world.operators.Claim(claim(summary.request_id), metadata=there)

    await front.access.Logout(access_pb2.LogoutRequest(), metadata=here)
    kept = world.plant.requests.all_open()[0].claimed_by
    await front.access.Logout(access_pb2.LogoutRequest(), metadata=there)

    assert kept == "ana"
    assert world.plant.requests.all_open()[0].claimed_by == ""


async def test_a_device_that_nobody_touches_is_locked_and_its_claim_let_go(
    world, front
):
    _, summary = await world.asked()
    await front.add("ana")
    token = bearer((await front.login("ana")).token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=token)
    renew = operator_pb2.RenewClaimRequest(
        request_id=summary.request_id, claim_epoch=claimed.claim_epoch
    )

    world.clock.advance(timedelta(seconds=100))
    await world.operators.RenewClaim(renew, metadata=token)  # the client, by itself
    world.clock.advance(timedelta(seconds=20))
    said = await refused(world.operators.RenewClaim(renew, metadata=token))
    await world.plant.people.sessions.tick()

    [ended] = await world.journal(events.PersonSessionEnded)
    assert why(said) == "LOGIN_REQUIRED"
    assert ended.reason.value == "idle"
    assert world.plant.requests.all_open()[0].claimed_by == ""


async def test_a_touch_keeps_the_device_open_until_the_end_of_the_day(world, front):
    await front.add("ana")
    token = bearer((await front.login("ana")).token)
    touch = access_pb2.StillHereRequest()

    for _ in range(12 * 60 - 1):
        world.clock.advance(timedelta(seconds=60))
        await front.access.StillHere(touch, metadata=token)
    world.clock.advance(timedelta(seconds=60))
    said = await refused(front.access.StillHere(touch, metadata=token))
    await world.plant.people.sessions.tick()

    [ended] = await world.journal(events.PersonSessionEnded)
    assert why(said) == "LOGIN_REQUIRED"
    assert ended.reason.value == "expired"


@pytest.mark.parametrize("token", [(), bearer("stale"), bearer(""), machine("x")])
async def test_anybody_pulls_the_cord(world, front, token):
    await world.working()
    await front.add("ana")

    held = await world.operators.Hold(
        operator_pb2.HoldRequest(cell_id="press-1"), metadata=token
    )

    assert list(held.cells) == ["press-1"]
    assert held.recorded


async def test_what_a_supervisor_held_an_operator_does_not_let_go_on(world, front):
    await world.working()
    await front.add("ana", "operator")
    await front.add("sam", "supervisor")
    ana = bearer((await front.login("ana", "panel-1")).token)
    sam = bearer((await front.login("sam", "panel-2")).token)
    await world.operators.Hold(
        operator_pb2.HoldRequest(cell_id="press-1"), metadata=sam
    )
    release = operator_pb2.ReleaseHoldRequest(
        cell_id="press-1",
        idempotency_key="r-1",
        expected_reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD,
    )

    said = await refused(world.operators.ReleaseHold(release, metadata=ana))
    released = await world.operators.ReleaseHold(release, metadata=sam)

    assert (said.code, said.token) == (DENIED, "ROLE_REQUIRED")
    assert "sam held it" in said.text
    assert released.cell.state != terms_pb2.CELL_STATE_HELD


@pytest.mark.parametrize(
    ("reason", "may"),
    [
        ("SAFETY_STOP_SEEN", False),
        ("INTEGRITY", False),
        ("IDENTITY", False),
        ("MODEL_FAULT", True),
    ],
)
async def test_only_a_supervisor_releases_after_a_safety_stop(
    world, front, reason, may
):
    from coordinator.terms import HoldReason

    await world.working()
    await front.add("ana", "operator")
    ana = bearer((await front.login("ana")).token)
    world.path().hold(HoldReason[reason], "seen.")
    release = operator_pb2.ReleaseHoldRequest(
        cell_id="press-1",
        idempotency_key="r-1",
        expected_reason=terms_pb2.HoldReason.Value(f"HOLD_REASON_{reason}"),
    )

    if may:
        await world.operators.ReleaseHold(release, metadata=ana)
    else:
        said = await refused(world.operators.ReleaseHold(release, metadata=ana))
        assert "supervisor is needed" in said.text
        assert world.path().cell.state.value == "held"


async def test_an_auditor_looks_and_changes_nothing(world, front):
    _, summary = await world.asked()
    await front.add("olga", "auditor")
    token = bearer((await front.login("olga")).token)

    seen = await world.operators.GetRequest(
        operator_pb2.GetRequestRequest(request_id=summary.request_id), metadata=token
    )
    said = await refused(
        world.operators.Claim(claim(summary.request_id), metadata=token)
    )

    assert seen.summary.request_id == summary.request_id
    assert said.code is DENIED


async def test_the_board_stays_in_sight_when_nobody_is_logged_in(world, front):
    await front.add("ana")

    call = world.operators.Watch(operator_pb2.WatchRequest(answering=True))
    first = await call.read()
    call.cancel()

    assert len(first.snapshot.cells) == 2
    assert first.snapshot.presence.answering == 0


async def test_who_is_locked_out_is_present_no_longer(world, front):
    await front.add("ana")
    token = bearer((await front.login("ana")).token)
    call = world.operators.Watch(
        operator_pb2.WatchRequest(answering=True), metadata=token
    )
    first = await call.read()

    world.clock.advance(timedelta(seconds=120))
    await world.plant.people.sessions.tick()
    there = world.plant.attendance()
    call.cancel()

    assert list(first.snapshot.presence.people) == ["ana"]
    assert there.people == ()


async def test_who_watches_at_two_places_is_one_person_to_ask(world, front):
    for name in ("ana", "ben"):
        await front.add(name)
    calls = [
        world.operators.Watch(
            operator_pb2.WatchRequest(answering=True),
            metadata=bearer((await front.login(name, device)).token),
        )
        for name, device in (
            ("ana", "panel-1"),
            ("ana", "tablet-2"),
            ("ben", "panel-3"),
        )
    ]
    for call in calls:
        await call.read()
    both = world.plant.people_there()
    await front.change("ben", locked=True)
    one = world.plant.people_there()
    world.clock.advance(timedelta(seconds=120))
    await world.plant.people.sessions.tick()
    nobody = world.plant.people_there()
    for call in calls:
        call.cancel()

    assert (both, one, nobody) == (2, 1, 0)


async def test_a_question_handed_over_stays_where_it_was_taken_up(world, front):
    _, summary = await world.asked()
    for name in ("ana", "ben"):
        await front.add(name)
    ana = bearer((await front.login("ana", "panel-1")).token)
    panel = bearer((await front.login("ben", "panel-2")).token)
    tablet = bearer((await front.login("ben", "tablet-3")).token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=ana)
    handed = operator_pb2.HandOverRequest(
        request_id=summary.request_id,
        claim_epoch=claimed.summary.claim_epoch,
        to_person="ben",
        idempotency_key="hand-over-1",
    )
    await world.operators.HandOver(handed, metadata=ana)

    await world.operators.Claim(claim(summary.request_id), metadata=tablet)
    await front.access.Logout(access_pb2.LogoutRequest(), metadata=panel)
    (still,) = world.plant.requests.all_open()
    await front.access.Logout(access_pb2.LogoutRequest(), metadata=tablet)
    (after,) = world.plant.requests.all_open()

    assert (still.claimed_by, after.claimed_by) == ("ben", "")


async def test_the_login_screen_offers_who_was_here_first(world, front):
    for name in ("ana", "ben", "cleo"):
        await front.add(name, shown=name.title())
    await front.change("cleo", locked=True)
    await front.login("ben", "panel-1")

    here = await front.access.ListPeople(access_pb2.ListPeopleRequest(device="panel-1"))

    assert [(p.person, p.shown) for p in here.people] == [
        ("ben", "Ben"),
        ("ana", "Ana"),
    ]
    assert here.accounts


async def test_an_administrator_adds_people_from_a_terminal(world, front):
    await front.add("root", "admin")
    await front.add("ana")
    root = bearer((await front.login("root", "panel-1")).token)
    ana = bearer((await front.login("ana", "panel-2")).token)
    request = access_pb2.AddPersonRequest(
        person="ben", role="operator", pin=PIN, idempotency_key="k"
    )

    denied = await refused(front.access.AddPerson(request, metadata=ana))
    added = await front.access.AddPerson(request, metadata=root)
    again = await front.access.AddPerson(request, metadata=root)

    by = (await world.journal(events.PersonAdded))[-1].actor
    assert denied.code is DENIED
    assert added.account.role == "operator"
    assert again.account == added.account
    assert (by.person, by.device) == ("root", "panel-1")


async def test_a_blind_question_says_nothing_of_the_guess_until_it_is_answered(
    world, front
):
    _, summary = await world.asked()
    await front.add("ana")
    world.plant.people = replace(world.plant.people, blind_share=1.0)
    token = world.metadata = bearer((await front.login("ana")).token)
    look = operator_pb2.GetRequestRequest(request_id=summary.request_id)

    seen = await world.operators.GetRequest(look, metadata=token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=token)
    answer = await answer_for(world, summary.request_id, claimed.claim_epoch)
    answer.first_label = "misaligned"
    answered = await world.operators.Answer(answer, metadata=token)

    [said] = await world.journal(events.RequestAnswered)
    assert summary.guess == "ok"
    assert seen.blind
    told = seen.summary
    assert (told.guess, told.reason, told.code) == ("", "", "")
    assert (said.first_label, said.label) == ("misaligned", "ok")
    assert answered.summary.guess == "ok"


async def test_a_blind_question_stands_alone_whatever_asks_for_its_cause(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    token = world.metadata = bearer((await front.login("ana")).token)
    world.plant.people = replace(world.plant.people, blind_share=1.0)
    one = operator_pb2.GetGroupRequest(request_id=summary.request_id)

    group = await world.operators.GetGroup(one, metadata=token)
    await world.operators.Claim(claim(summary.request_id), metadata=token)
    reply = await world.operators.AnswerGroup(
        operator_pb2.AnswerGroupRequest(
            actor=operator_pb2.Actor(person="ana"),
            idempotency_key="g",
            label="ok",
            shown_request_id=summary.request_id,
            members=[
                operator_pb2.MemberAnswer(
                    request_id=summary.request_id,
                    view_digest=group.members[0].view_digest,
                )
            ],
        ),
        metadata=token,
    )

    assert (summary.group_id != "", group.group_id) == (True, "")
    assert [(m.summary.group_id, m.summary.guess) for m in group.members] == [("", "")]
    assert [(r.taken, r.token) for r in reply.results] == [(False, "LOOK_ALONE")]
    assert "Look alone" in reply.results[0].text
    assert world.plant.requests.all_open()[0].claimed_by == "ana"


async def test_nothing_is_asked_blind_while_there_are_no_accounts(world):
    world.plant.people = replace(world.plant.people, blind_share=1.0)

    _, summary = await world.asked()

    assert summary.guess == "ok"


@pytest.mark.parametrize(
    ("to", "code", "token"),
    [
        ("nobody", grpc.StatusCode.NOT_FOUND, "UNKNOWN_PERSON"),
        ("gone", grpc.StatusCode.NOT_FOUND, "UNKNOWN_PERSON"),
        ("aud", DENIED, "ROLE_REQUIRED"),
    ],
)
async def test_a_claim_is_not_handed_to_who_cannot_answer(
    world, front, to, code, token
):
    _, summary = await world.asked()
    await front.add("ana")
    await front.add("aud", "auditor")
    await front.add("gone")
    await front.change("gone", locked=True)
    mine = bearer((await front.login("ana")).token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=mine)

    no = await refused(
        world.operators.HandOver(
            operator_pb2.HandOverRequest(
                request_id=summary.request_id,
                claim_epoch=claimed.claim_epoch,
                to_person=to,
                idempotency_key="h-1",
            ),
            metadata=mine,
        )
    )

    assert (no.code, no.token) == (code, token)
    assert world.plant.requests.all_open()[0].claimed_by == "ana"


async def test_a_claim_stays_where_it_is_when_its_taker_goes_on_the_way(
    world, front, monkeypatch
):
    _, summary = await world.asked()
    await front.add("ana")
    await front.add("ben")
    mine = bearer((await front.login("ana")).token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=mine)
    queue = world.plant.requests
    hand_over = queue.hand_over

    async def ben_goes_first(*given):
        await front.change("ben", locked=True)
        return await hand_over(*given)

    monkeypatch.setattr(queue, "hand_over", ben_goes_first)
    no = await refused(
        world.operators.HandOver(
            operator_pb2.HandOverRequest(
                request_id=summary.request_id,
                claim_epoch=claimed.claim_epoch,
                to_person="ben",
                idempotency_key="h-1",
            ),
            metadata=mine,
        )
    )

    assert (no.code, no.token) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PERSON")
    assert queue.all_open()[0].claimed_by == "ana"


async def test_a_claim_is_handed_to_somebody_else_by_name(world, front):
    _, summary = await world.asked()
    await front.add("ana")
    await front.add("ben")
    token = bearer((await front.login("ana")).token)
    claimed = await world.operators.Claim(claim(summary.request_id), metadata=token)

    handed = await world.operators.HandOver(
        operator_pb2.HandOverRequest(
            request_id=summary.request_id,
            claim_epoch=claimed.claim_epoch,
            to_person="ben",
            idempotency_key="h-1",
        ),
        metadata=token,
    )

    assert handed.summary.claimed_by == "ben"
    there = bearer((await front.login("ben", "panel-2")).token)
    await front.access.Logout(access_pb2.LogoutRequest(), metadata=there)
    assert world.plant.requests.all_open()[0].claimed_by == ""
