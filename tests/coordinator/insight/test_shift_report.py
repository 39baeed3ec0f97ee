"""The numbers of a shift are those of its journal; no person is in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coordinator.cli.report import moment
from coordinator.clock import ManualClock
from coordinator.errors import InputError
from coordinator.insight.catches import shown_apart
from coordinator.insight.shift_report import ShiftReport, shift_report
from coordinator.store import Store
from coordinator.terms import Action, Decision, Outcome, PersonId, RequestId, Role
from coordinator.terms import events as e
from tests.coordinator.store.people_events import OWNER, acting, added, logged_in
from tests.coordinator.store.store_world import (
    NOON,
    answered,
    claimed,
    decided,
    ended,
    known,
    make_window,
    opened,
    session,
)

ANA, BEN = acting("ana"), acting("ben", number=2)


class Shift:
    """A journal in which people answer; the model always guesses what opened() says."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.number = 1

    async def open(self) -> None:
        self.store = await Store.open(None, clock=self.clock, commit_deadline_s=30)
        await self.store.commit(session())
        ana = replace(added("ana"), team="early")
        await self.store.commit(ana, added("ben"))
        await self.store.commit(logged_in("ana"), logged_in("ben", number=2))

    async def ask(self) -> int:
        self.number += 1
        number = self.number
        await self.store.commit(
            decided(number), opened(number), window=make_window(number)
        )
        return number

    async def answer(self, who=ANA, label="ok", first="", after_s=10.0, looked_s=5.0):
        number = await self.ask()
        self.clock.advance(timedelta(seconds=after_s - looked_s))
        await self.store.commit(replace(claimed(number), actor=who))
        self.clock.advance(timedelta(seconds=looked_s))
        said = replace(answered(number), actor=who, label=label, first_label=first)
        await self.store.commit(said)

    async def shown(self, **changes) -> RequestId:
        """An audit; a known case unless the changes say otherwise."""
        self.number += 1
        number = self.number
        act = decided(number, Decision.ACT)
        case = known(number, **changes)
        await self.store.commit(act, case, window=make_window(number))
        return case.request.request_id

    async def know(self, who, label: str, **changes) -> None:
        request = await self.shown(**changes)
        await self.store.commit(replace(claimed(), actor=who, request_id=request))
        said = replace(answered(), actor=who, label=label, request_id=request)
        await self.store.commit(said)

    async def report(self, since: datetime = NOON) -> ShiftReport:
        entries = await self.store.entries(0, 1000)
        await self.store.close()
        return shift_report(
            entries,
            since,
            never_miss={"collision"},
            least_view=timedelta(seconds=1),
            action_of=lambda _, label: {"ok": Action.CONTINUE}.get(
                label, Action.REWORK
            ),
        )


@pytest.fixture
async def shift() -> Shift:
    begun = Shift()
    await begun.open()
    return begun


def guess() -> str:
    return opened(1).request.guess


async def test_answers_count_for_their_team(shift: Shift) -> None:
    await shift.answer(ANA, label=guess())
    await shift.answer(ANA, label="collision", looked_s=0.5)
    await shift.answer(BEN, label=guess(), after_s=30)

    found = await shift.report()

    assert (found.all.answers, found.all.agreed, found.all.caught) == (3, 2, 1)
    assert set(found.teams) == {"early", ""}
    assert (found.teams["early"].answers, found.teams["early"].rash) == (2, 1)
    assert found.teams[""].as_mapping()["median_to_answer_s"] == 30.0
    assert "ana" not in repr(found)


async def test_blind_words_are_told_apart_from_those_that_were_led(shift) -> None:
    await shift.answer(label=guess(), first=guess())
    await shift.answer(label=guess(), first="misaligned")
    await shift.answer(label="misaligned", first="misaligned")
    await shift.answer(label=guess())

    found = await shift.report()

    assert (found.all.blind, found.all.blind_agreed, found.all.blind_led) == (3, 1, 1)


async def test_what_was_before_does_not_count_and_a_team_may_change(shift) -> None:
    await shift.answer(ANA)
    since = shift.clock.utc_now() + timedelta(seconds=1)
    shift.clock.advance(timedelta(seconds=2))
    await shift.store.commit(e.TeamChanged(PersonId("ana"), "late", OWNER))
    await shift.answer(ANA)
    await shift.store.commit(ended(await shift.ask(), Outcome.TIMED_OUT))

    found = await shift.report(since)

    assert (found.all.answers, set(found.teams), found.timed_out) == (1, {"late"}, 1)


async def test_an_answer_counts_from_when_it_was_given(shift: Shift) -> None:
    number = await shift.ask()
    await shift.store.commit(replace(claimed(number), actor=ANA))
    said = replace(answered(number), actor=ANA)
    shift.clock.advance(timedelta(seconds=4))
    await shift.store.commit(e.AnswerGiven(said, 3_000_000_000))
    await shift.store.commit(e.AnswerUndone(said.request_id, ANA))
    shift.clock.advance(timedelta(seconds=2))
    await shift.store.commit(e.AnswerGiven(said, 3_000_000_000))
    shift.clock.advance(timedelta(seconds=3))
    await shift.store.commit(replace(said, waited=True))

    found = await shift.report()

    assert found.all.looked_s == [6.0]
    assert found.taken_back == 1
    assert RequestId(said.request_id)
    assert Role.OPERATOR is ANA.role


async def test_what_was_taken_back_does_not_count_as_the_time_of_the_answer(
    shift: Shift,
) -> None:
    """Also when the answer after it is final at once."""
    number = await shift.ask()
    await shift.store.commit(replace(claimed(number), actor=ANA))
    said = replace(answered(number), actor=ANA)
    shift.clock.advance(timedelta(seconds=4))
    await shift.store.commit(e.AnswerGiven(said, 3_000_000_000))
    await shift.store.commit(e.AnswerUndone(said.request_id, ANA))
    shift.clock.advance(timedelta(seconds=60))
    await shift.store.commit(said)

    found = await shift.report()

    assert found.all.to_answer_s == [64.0]


async def test_who_answers_one_card_for_many_was_not_rash_with_each(shift) -> None:
    card, other = await shift.ask(), await shift.ask()
    await shift.store.commit(replace(claimed(card), actor=ANA))
    shift.clock.advance(timedelta(seconds=20))
    shown = replace(answered(card), actor=ANA)
    await shift.store.commit(shown)
    # The others on the card are claimed and answered in the same moment.
    await shift.store.commit(replace(claimed(other), actor=ANA))
    said = replace(answered(other), actor=ANA, shown=shown.request_id)
    await shift.store.commit(said)

    found = await shift.report()

    assert (found.all.answers, found.all.rash) == (2, 0)
    assert found.all.looked_s == [20.0]


async def test_who_is_handed_a_question_looks_from_then_on(shift: Shift) -> None:
    number = await shift.ask()
    first = replace(claimed(number), actor=BEN)
    await shift.store.commit(first)
    shift.clock.advance(timedelta(seconds=60))
    epoch = first.claim_epoch + 1
    to_ana = e.ClaimHandedOver(first.request_id, BEN, epoch, PersonId("ana"))
    await shift.store.commit(to_ana)
    shift.clock.advance(timedelta(seconds=0.5))
    said = replace(answered(number), actor=ANA, claim_epoch=epoch)
    await shift.store.commit(said)

    found = await shift.report()

    assert (found.all.looked_s, found.all.rash) == ([0.5], 1)


async def test_known_cases_are_told_of_teams_and_count_for_nothing_else(shift) -> None:
    for name in ("cem", "dan"):
        await shift.store.commit(replace(added(name), team="early"))
    await shift.store.commit(added("eva"), added("fay"))
    await shift.know(ANA, label="slip")
    await shift.know(ANA, label="ok")
    await shift.know(BEN, label="slip")
    await shift.store.commit(replace(ended(), request_id=await shift.shown()))

    found = await shift.report()

    assert found.caught.all.as_mapping()["known"] == 3
    assert found.caught.all.known_right == 2
    early = found.caught.teams["early"]
    assert (early.known, early.known_right) == (2, 1)
    assert (found.all.answers, found.timed_out, found.teams) == (0, 0, {})


async def test_a_team_of_two_is_not_told_apart(shift: Shift) -> None:
    await shift.store.commit(replace(added("cem"), team="early"))
    await shift.know(ANA, label="slip")

    found = await shift.report()

    assert found.caught.all.known == 1
    assert found.caught.teams == {}


@pytest.mark.parametrize(
    ("sizes", "apart"),
    [
        pytest.param({"early": 3, "late": 4}, {"early", "late"}, id="all are large"),
        pytest.param({"early": 3, "late": 2}, set(), id="the rest would be two"),
        pytest.param({"early": 5, "late": 3, "": 1}, {"early"}, id="one has no team"),
        pytest.param(
            {"early": 3, "late": 2, "": 1}, {"early"}, id="the rest are three"
        ),
        pytest.param({"": 9}, set(), id="there are no teams"),
        pytest.param({}, set(), id="there is nobody"),
    ],
)
def test_a_person_cannot_be_told_by_subtraction(sizes, apart) -> None:
    assert shown_apart(sizes) == apart


async def test_faults_and_errors_of_the_model_are_told_apart(shift: Shift) -> None:
    await shift.answer(label="slip")  # a question: the model had guessed ok
    await shift.answer(label="ok")
    await shift.know(ANA, label="slip", known_label="", propensity=0.1)  # an audit

    found = await shift.report()

    assert found.caught.all.as_mapping() == {
        "faults": 1,
        "errors": 1,
        "known": 0,
        "known_right": 0,
    }


def test_since_is_hours_or_a_moment() -> None:
    assert moment("8h", NOON) == NOON - timedelta(hours=8)
    assert moment("2026-03-01T06:00", NOON) == datetime(2026, 3, 1, 6, tzinfo=UTC)
    with pytest.raises(InputError):
        moment("yesterday", NOON)
