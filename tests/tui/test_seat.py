"""One person at one request: who holds it is always known, and no answer is lost."""

from __future__ import annotations

import pytest

from tests.tui.conftest import HandClock
from tui.board import Board, LinkLost, Pictured, fold
from tui.evidence import Phase
from tui.seat import LOOK_S, Seat

SLIP = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.1}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def seat(ana, clock) -> Seat:
    return Seat(ana, clock)


@pytest.fixture
def other(ben, clock) -> Seat:
    return Seat(ben, clock)


async def board_of(link) -> Board:
    """The picture as it is now."""
    async for event in link.watch():
        if isinstance(event, Pictured):
            return fold(Board(), event)
    raise AssertionError("the watch ended")


async def hear(seat: Seat, link, request_id: str) -> None:
    """Let the seat hear what the coordinator says about a request now."""
    found = await link.look(request_id)
    seat.hear(found.request)


def phase(seat: Seat) -> Phase | None:
    return seat.sitting.phase if seat.sitting else None


async def test_opening_a_request_shows_it_and_claims_it(seat, coordinator) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)

    await seat.open(request_id)

    assert phase(seat) is Phase.MINE
    assert seat.sitting.evidence.choices[0].label == "grip_slip"
    assert coordinator.requests[request_id].summary.claimed_by == "ana"


async def test_leaving_gives_the_claim_back(seat, coordinator) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)

    await seat.leave()

    assert seat.sitting is None
    assert coordinator.requests[request_id].summary.claimed_by == ""


async def test_opening_another_gives_the_first_one_back(seat, coordinator) -> None:
    first = coordinator.ask("press-1", 4, SLIP)
    await seat.open(first)

    await seat.open(coordinator.ask("press-2", 4, SLIP))

    assert coordinator.requests[first].summary.claimed_by == ""


async def test_an_answer_is_durable_when_the_seat_is_free_again(
    seat, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    clock.now_s += LOOK_S

    answered = await seat.answer("ok")

    assert answered.correction
    assert answered.moves_on
    assert coordinator.answers() == {request_id: "ok"}
    assert seat.sitting is None


async def test_a_key_pressed_before_one_can_have_looked_is_not_an_answer(
    seat, coordinator, clock
) -> None:
    await seat.open(coordinator.ask("press-1", 4, SLIP))
    clock.now_s += LOOK_S - 0.01

    assert await seat.answer("ok") is None

    assert coordinator.answers() == {}
    assert "Look first" in seat.sitting.note


async def test_where_haste_is_refused_the_key_says_how_long_to_look(
    seat, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    response = coordinator.requests[request_id].response
    response.view_at_least.FromSeconds(3)
    response.view_enforced = True
    await seat.open(request_id)
    clock.now_s += 1.5

    assert await seat.answer("ok") is None

    assert "Look for 2 s more" in seat.sitting.note
    assert coordinator.answers() == {}
    clock.now_s += 1.5
    assert await seat.answer("ok")


@pytest.mark.parametrize("label", ["collision", ""])
async def test_what_stops_and_who_cannot_tell_never_wait(
    seat, coordinator, clock, label
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    response = coordinator.requests[request_id].response
    response.view_at_least.FromSeconds(30)
    response.view_enforced = True
    await seat.open(request_id)
    clock.now_s += LOOK_S

    assert await seat.answer(label)


async def test_the_second_person_is_told_who_was_first(
    seat, other, coordinator
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)

    await other.open(request_id)

    assert phase(other) is Phase.THEIRS
    assert other.sitting.holder == "ana"
    assert other.sitting.note == "ana is answering this request."
    assert await other.answer("ok") is None
    assert coordinator.answers() == {}


async def test_taking_over_is_explicit_and_the_first_person_is_told(
    seat, other, coordinator, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    await other.open(request_id)

    await other.take_over()
    await hear(seat, ana, request_id)

    assert phase(other) is Phase.MINE
    assert phase(seat) is Phase.THEIRS
    assert seat.sitting.note == "ben took it over."


async def test_an_answer_under_a_lost_claim_is_refused_and_said(
    seat, other, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    await other.open(request_id)
    await other.take_over()
    clock.now_s += LOOK_S

    assert await seat.answer("ok") is None

    assert coordinator.answers() == {}
    assert phase(seat) is Phase.THEIRS
    assert "ben" in seat.sitting.note


async def test_an_old_claim_of_ones_own_is_no_take_over(seat, coordinator, ana) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    before = (await ana.look(request_id)).request
    await seat.open(request_id)

    seat.hear(before)

    assert phase(seat) is Phase.MINE


async def test_the_claim_is_renewed_while_looked_at(seat, coordinator, clock) -> None:
    await seat.open(coordinator.ask("press-1", 4, SLIP))
    for _ in range(50):
        clock.now_s += 1.0
        await seat.keep()

    assert coordinator.calls.count("renew r-press-1-4") == 2


async def test_a_claim_that_ran_out_is_said_at_the_next_renewal(
    seat, other, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    coordinator.forget_claims()
    await other.open(request_id)

    clock.now_s += 60.0
    await seat.keep()

    assert phase(seat) is Phase.THEIRS
    assert seat.sitting.note == "ben holds this request, not you."


async def test_a_request_that_somebody_else_answered_says_who_and_what(
    seat, other, coordinator, clock, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    await other.open(request_id)
    await other.take_over()
    clock.now_s += LOOK_S
    await other.answer("grip_slip")

    await hear(seat, ana, request_id)

    assert phase(seat) is Phase.ENDED
    assert seat.sitting.note == "ben answered: grip_slip."


async def test_an_answer_after_the_deadline_is_refused(
    seat, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    coordinator.end(request_id, "TIMED_OUT")
    clock.now_s += LOOK_S

    assert await seat.answer("ok") is None

    assert phase(seat) is Phase.ENDED
    assert "Your answer was not taken" in seat.sitting.note


async def test_a_scene_that_changed_is_shown_again_and_not_answered(
    seat, coordinator, clock
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    coordinator.requests[request_id].response.view_digest = "f" * 64
    clock.now_s += LOOK_S

    assert await seat.answer("ok") is None

    assert phase(seat) is Phase.MINE
    assert seat.sitting.evidence.view_digest == "f" * 64
    assert "not the one you saw" in seat.sitting.note
    # The new scene has to be looked at as well.
    assert await seat.answer("ok") is None
    assert coordinator.answers() == {}


async def test_evidence_that_cannot_be_drawn_cannot_be_answered(
    seat, coordinator
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    coordinator.requests[request_id].response.window.samples = b"\x00"

    await seat.open(request_id)

    assert phase(seat) is Phase.ENDED
    assert "1 bytes for 128 rows" in seat.sitting.note


async def test_an_answer_into_silence_is_kept_and_sent_when_the_link_is_back(
    seat, coordinator, clock, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    clock.now_s += LOOK_S
    await coordinator.stop()

    assert await seat.answer("ok") is None
    assert phase(seat) is Phase.UNSENT
    assert seat.sitting.label == "ok"

    await coordinator.start()
    answered = await seat.link_is_back(await board_of(ana))

    assert answered is not None
    assert coordinator.answers() == {request_id: "ok"}


async def test_an_answer_whose_reply_was_lost_counts_once(
    seat, coordinator, clock, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    clock.now_s += LOOK_S
    coordinator.lose_replies = 1

    assert await seat.answer("ok") is None
    answered = await seat.link_is_back(await board_of(ana))

    assert answered.request.label == "ok"
    assert coordinator.calls.count("answer r-press-1-4 ok") == 2
    assert len(coordinator.replies) == 1


async def test_an_answer_whose_claim_is_gone_is_not_submitted_behind_ones_back(
    seat, coordinator, clock, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    clock.now_s += LOOK_S
    await coordinator.stop()
    await seat.answer("ok")
    coordinator.forget_claims()
    await coordinator.start()

    assert await seat.link_is_back(await board_of(ana)) is None

    assert coordinator.answers() == {}
    assert phase(seat) is Phase.MINE
    assert seat.sitting.note.startswith("Your answer 'ok' was not taken")
    # The picture is the same, so one more press is enough.
    assert await seat.answer("ok") is not None
    assert coordinator.answers() == {request_id: "ok"}


async def test_a_request_that_ended_meanwhile_is_said_when_the_link_is_back(
    seat, coordinator, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    await coordinator.stop()
    coordinator.end(request_id, "SUPERSEDED")
    await coordinator.start()

    await seat.link_is_back(await board_of(ana))

    assert phase(seat) is Phase.ENDED


async def test_an_open_request_is_claimed_again_when_the_link_is_back(
    seat, coordinator, ana
) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    await coordinator.stop()
    coordinator.forget_claims()
    await coordinator.start()

    await seat.link_is_back(await board_of(ana))

    assert phase(seat) is Phase.MINE
    assert coordinator.requests[request_id].summary.claimed_by == "ana"


async def test_cannot_tell_goes_up_and_stays_open(seat, coordinator, clock) -> None:
    request_id = coordinator.ask("press-1", 4, SLIP)
    await seat.open(request_id)
    clock.now_s += LOOK_S

    answered = await seat.answer("")

    assert answered.request.is_open
    assert answered.request.level == 1
    assert not answered.moves_on


async def test_the_watch_tells_of_a_lost_and_a_found_link(coordinator, ana) -> None:
    pictures: list[Pictured] = []
    silences = 0

    async for event in ana.watch():
        if isinstance(event, LinkLost):
            silences += 1
            if silences == 1:
                await coordinator.start()
        if isinstance(event, Pictured):
            pictures.append(event)
            if len(pictures) == 2:
                break
            await coordinator.stop()
            coordinator.ask("press-1", 4, SLIP)

    assert silences >= 1
    assert [len(picture.requests) for picture in pictures] == [0, 1]
