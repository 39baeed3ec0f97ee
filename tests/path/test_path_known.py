"""A known case on the whole path: it looks like an audit, and nothing rests on it."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.clock import SECOND_NS
from coordinator.insight.explain import lines
from coordinator.live.gate.audit import AuditPlan
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import GatePlan, Mode, Word
from coordinator.live.request.known import KnownShare
from coordinator.live.request.pressure import Limits, Pressure
from coordinator.seams import Store as StoreSeam
from coordinator.service import convert, known
from coordinator.service.plant import Plant
from coordinator.terms import (
    CellId,
    CellState,
    ExampleId,
    ExampleSource,
    OperatorRequest,
    Outcome,
    PersonId,
    RequestKind,
    TimeoutOutcome,
    events,
)
from coordinator.terms.known import Asked
from coordinator.terms.teaching import Opinion, OpinionId, Pick
from tests.builders import (
    ANA,
    BEN,
    FAMILY,
    MODEL,
    PEG,
    make_digest,
    make_key,
    make_request,
)
from tests.path.test_path_gate import GateWorld

WORD = Word(PersonId("eva"), 0.9, timedelta(days=7))
PLAN = GatePlan(Mode.PROVISIONAL, audits=AuditPlan(provisional_share=0.8), word=WORD)
SHARE = 0.02
ALLOWED_NS = 3600 * SECOND_NS


class KnownWorld(GateWorld):
    """A cell that works alone and is audited; people have room for a known case."""

    people = 1

    async def prepare(self, asked: int = 52) -> None:
        """Work until people were asked so often: coins decide in how many cycles."""
        await self.begin()
        self.keep()
        await self.keeper.begin()
        while asked > 0:
            asked -= await self.cycle() is not None
        await self.unanswered()
        await self.agree("misaligned")
        self.clock.advance(timedelta(hours=9))
        self.requests.known.due = True

    def keep(self) -> None:
        """A gate that acts on a word, and a queue that shows known cases."""
        self.keeper = GateKeeper(
            family_now=lambda: FAMILY,
            plan=PLAN,
            store=cast(StoreSeam, self.store),
            clock=self.clock,
            serving=lambda: MODEL,
            changed=lambda: None,
        )
        self.path._gate = self.keeper
        self.requests._open._publish = self.told_request
        self.requests.known = KnownShare(SHARE)
        self.requests.pressure = Pressure(
            self.clock, limits=Limits(), people=lambda: self.people
        )

    async def unanswered(self) -> None:
        """An audit that nobody answers: what is said of its window would settle it."""
        while not self.requests.all_open():
            await self.offer(self.window())
        self.clock.advance(timedelta(hours=1))
        await self.requests.expire_due()

    async def agree(self, label: str) -> None:
        """Two people label the newest window, not as the model did."""
        decided = [
            e for e in await self.journal() if isinstance(e, events.WindowDecided)
        ][-1]
        for who in (ANA, BEN):
            example_id = ExampleId(f"e-{who.person}")
            given = Opinion(
                OpinionId(f"o-{who.person}"),
                PEG,
                decided.window_id,
                decided.window_digest,
                who.person,
                who.device,
                self.clock.utc_now(),
                label,
                make_digest("view"),
                Pick.MOST,
                1.0,
                example_id,
            )
            added = events.ExampleAdded(
                replace(
                    self.example_of(decided),
                    example_id=example_id,
                    label=label,
                    person=who.person,
                    device=who.device,
                )
            )
            await self.real.commit(events.OpinionGiven(given, who), added)

    def example_of(self, decided: events.WindowDecided) -> Any:
        asked = make_request(
            window_id=decided.window_id, window_digest=decided.window_digest
        )
        made = self.requests._make_example(asked, ANA, "ok")
        assert made is not None
        return replace(made, source=ExampleSource.TEACH)

    async def offer_known(self) -> OperatorRequest | None:
        plant = SimpleNamespace(
            requests=self.requests,
            store=self.real,
            clock=self.clock,
            presence=SimpleNamespace(people=self.people),
            people_there=lambda: self.people,
            gates={PEG: self.keeper},
            vocabulary=SimpleNamespace(all=lambda: [FAMILY]),
        )
        await known.offer(
            cast(Plant, plant),
            time_allowed_ns=ALLOWED_NS,
            on_timeout=TimeoutOutcome.HOLD,
        )
        return next((r for r in self.requests.all_open() if r.is_known), None)

    async def measured(self) -> tuple[object, ...]:
        """Everything that an answer could move, apart from the journal."""
        await self.keeper._carry_out()
        until = self.clock.utc_now() + timedelta(seconds=1)
        past = await self.real.past(until - timedelta(days=1), until)
        return (
            self.keeper.status().error,
            self.keeper.line(),
            list(await self.real.gate_cases(PEG, MODEL, 0)),
            await self.real.examples(PEG),
            [(r.request_id, r.outcome) for r in past.requests],
            await self.real.live_cases(PEG, MODEL),
        )


@pytest.fixture
async def world():
    opened = await KnownWorld.open()
    await opened.prepare()
    yield opened
    await opened.close()


async def test_a_known_case_looks_like_an_audit_and_no_cell_waits(world: KnownWorld):
    audits = [
        e.request
        for e in await world.journal()
        if isinstance(e, events.RequestOpened) and e.request.kind is RequestKind.AUDIT
    ]
    before = world.state()
    request = await world.offer_known()

    assert request is not None
    assert (request.known_label, request.guess) == ("misaligned", "ok")
    assert world.state() is before is CellState.WORKING
    shown = convert.request_summary(request, 0)
    usual = convert.request_summary(
        replace(audits[0], deadline_ns=ALLOWED_NS, time_allowed_ns=ALLOWED_NS), 0
    )
    told = {field.name for field, _ in shown.ListFields()}
    assert told == {field.name for field, _ in usual.ListFields()}
    assert "misaligned" not in str(shown)
    assert (shown.kind, shown.priority) == (usual.kind, usual.priority)


@pytest.mark.parametrize("label", ["ok", "misaligned"])
async def test_nothing_is_measured_or_learned_by_its_answer(world: KnownWorld, label):
    before = await world.measured()
    request = await world.offer_known()
    assert request is not None

    await world.audited(request, label)
    await world.settle()

    (told,) = [e for e in await world.journal() if isinstance(e, events.KnownCaseEnded)]
    assert told == events.KnownCaseEnded(request.request_id, "misaligned", label)
    assert await world.measured() == before
    assert world.state() is CellState.WORKING
    story = lines(await world.real.story(request.request_id))
    (line,) = [line for line in story if "was a known case" in line]
    assert f"agreed on misaligned, and it was called {label} now" in line


async def test_after_a_restart_it_still_counts_for_nothing(world: KnownWorld):
    request = await world.offer_known()
    assert request is not None
    again = await world.restarted(undo_ns=3 * SECOND_NS)
    again.keep()
    await again.keeper.begin()
    before = await again.measured()
    await again.audited(request, "ok")
    waiting = again.requests.get(request.request_id)
    assert waiting is not None
    assert waiting.is_pending

    third = await again.restarted(undo_ns=3 * SECOND_NS)
    third.keep()
    await third.keeper.begin()
    third.clock.advance(timedelta(seconds=4))
    (final,) = await third.requests.make_final()

    assert (final.outcome, final.is_known) == (Outcome.ANSWERED, True)
    assert await third.measured() == before
    fresh = await third.restarted()
    fresh.keep()
    await fresh.keeper.begin()
    assert await fresh.measured() == before


@pytest.mark.parametrize("how", ["cannot tell", "nobody came"])
async def test_who_cannot_tell_passes_it_to_nobody(world: KnownWorld, how: str):
    before = await world.measured()
    request = await world.offer_known()
    assert request is not None
    if how == "cannot tell":
        claimed = await world.requests.claim(request.request_id, ANA, make_key())
        ended = await world.requests.pass_on(
            request.request_id, ANA, claimed.claim_epoch, make_key()
        )
        assert ended.outcome is Outcome.SUPERSEDED
    else:
        world.clock.advance(timedelta(hours=2))
        (ended,) = await world.requests.expire_due()
        assert ended.outcome is Outcome.TIMED_OUT

    assert world.requests.all_open() == []
    told = (await world.journal())[-1]
    assert told == events.KnownCaseEnded(request.request_id, "misaligned", "")
    after = await world.measured()
    assert (after[0], *after[2:]) == (before[0], *before[2:])


async def test_it_comes_once_and_not_while_people_have_no_room(world: KnownWorld):
    for number in range(6):
        world.requests.pressure.asked(
            make_request(cell_id=CellId(f"press-{number}"), kind=RequestKind.AUDIT)
        )
    full = await world.offer_known()
    world.clock.advance(timedelta(hours=1, seconds=1))
    world.people = 0
    nobody = await world.offer_known()
    world.people = 1
    for number in range(11):
        world.requests.pressure.asked(make_request(cause=f"c-{number}"))
    await world.requests.look_at_load()
    flood = await world.offer_known()
    world.clock.advance(timedelta(hours=1, seconds=1))
    await world.requests.look_at_load()
    shown = await world.offer_known()

    assert (full, nobody, flood) == (None, None, None)
    assert shown is not None
    world.requests.known.due = True
    await world.audited(shown, "ok")
    assert await world.offer_known() is None, "there is no other, and not the same"
    assert not world.requests.known.due


async def test_a_gate_that_asks_everything_shows_none(world: KnownWorld):
    await world.keeper.close(ANA)

    assert await world.offer_known() is None


async def test_at_most_the_share_of_all_requests_is_known():
    few = await KnownWorld.open()
    await few.prepare(asked=20)

    assert await few.offer_known() is None
    assert (await few.real.asked()).known == 0
    await few.close()


def test_the_coin_falls_about_as_often_as_the_share_says():
    shares = KnownShare(SHARE)
    count = 0
    for _ in range(20_000):
        shares.raised(make_request())
        count += shares.due
        shares.due = False

    assert 300 < count < 500
    assert not KnownShare(0.5).share
    assert not KnownShare(float("nan")).share


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        pytest.param(Asked(48, 0), False, id="too few requests"),
        pytest.param(Asked(49, 0), True, id="the first of fifty"),
        pytest.param(Asked(97, 1), False, id="too soon for the second"),
        pytest.param(Asked(98, 1), True, id="two of a hundred"),
        pytest.param(Asked(0, 0), False, id="nothing was asked yet"),
    ],
)
def test_one_more_fits_only_within_the_share(asked: Asked, fits: bool):
    assert KnownShare(SHARE).fits(asked) is fits
    assert not KnownShare(0.0).fits(asked)
