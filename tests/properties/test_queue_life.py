"""The queue over a real store on disk, 50,000 steps: races, restarts, late answers.

A step is one rule: a call, a race of up to sixteen calls, a jump of the clock by a
millisecond around something that passes, or a restart. What is drawn never depends on
how a race went, so that a run can be repeated as far as threads allow. Everything the
store acknowledges is checked as it comes; see queue_life for what must hold.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from coordinator.clock import SECOND_NS, ManualClock
from coordinator.errors import AndonError, KeyReusedError
from coordinator.learning.correction.accept import accept
from coordinator.live.request.groups import GroupAnswer, Member, answer_group
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.live.request.view import view_digest
from coordinator.seams import Store as StoreSeam
from coordinator.store import Store
from coordinator.terms import (
    Actor,
    CellId,
    IdempotencyKey,
    OperatorRequest,
    Outcome,
    PersonId,
    RequestKind,
    events,
)
from tests.builders import FAMILY, NOON, make_key
from tests.coordinator.live.request.queue_world import QueueWorld
from tests.properties.queue_life import Life, Lives, Recorder, journal

pytestmark = pytest.mark.slow

STEPS = 50_000
"""Rules that are run, all examples together."""
EACH = 100
"""Of these in one example."""
MOST_OPEN = 12
ran: list[int] = []

PEOPLE = tuple(Actor(PersonId(f"p{n}"), f"panel-{n}") for n in range(16))
LABELS = tuple(
    replace(x, second_opinion=x.name == "missing_part", urgent=x.name == "misaligned")
    for x in FAMILY.labels
)
CAREFUL = replace(FAMILY, labels=LABELS)
PICK = st.integers(0, 5)
WHO = st.integers(0, 2)
NEAR = st.sampled_from([0, 0, 0, 0, -1, 1])
"""How far a claim epoch is from the right one."""
KEY = st.integers(0, 12)
LABEL = st.sampled_from(["ok", "ok", "misaligned", "missing_part", "collision", "odd"])
MILLISECOND = timedelta(milliseconds=1)


class QueueLife(RuleBasedStateMachine):
    """One queue, sixteen people, one clock, one file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="andon-queue-"))
        self.runner = asyncio.Runner()
        self.clock = ManualClock(NOON)
        self.lives = Lives()
        self.asked: list[OperatorRequest] = []
        self.final: list[OperatorRequest] = []

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.open())

    async def open(self) -> None:
        real = await Store.open(self.folder, clock=self.clock, commit_deadline_s=60)
        # What survives a power cut is tested elsewhere; here a step has to be cheap.
        real._writer._db.execute("PRAGMA synchronous = OFF")

        async def read_here(ask: Any, *, at_work: bool = False) -> Any:
            del at_work  # the same connections, no other thread
            assert real._readers is not None
            return real._readers._ask(ask)

        cast(Any, real)._read = read_here
        self.store = Recorder(real)
        await self.start()
        if not self.asked:
            self.asked.append(await self.world.ask())

    async def start(self) -> None:
        """A queue as a coordinator that was just started has it."""
        self.world = QueueWorld(cast(Store, self.store), self.clock)
        self.world.queue = self.queue = RequestQueue(
            store=cast(StoreSeam, self.store),
            clock=self.clock,
            publish=lambda _: None,
            family_of=lambda _: CAREFUL,
            make_example=partial(accept, clock=self.clock),
            times=Times(60 * SECOND_NS, 3 * SECOND_NS, 0.25, 0.1),
            answered=lambda request, _: self.final.append(request),
        )
        await self.queue.load()

    # -- calls -----------------------------------------------------------------------

    def attempt(self, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run calls at once; a refusal is an answer, anything else is a bug."""

        async def together() -> list[Any]:
            return await asyncio.gather(*calls, return_exceptions=True)

        results = self.runner.run(together())
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, AndonError):
                raise result
        return results

    def attempt_keyed(self, once: IdempotencyKey, call: Coroutine[Any, Any, Any]):
        """Run one call; its key with another content than before is refused. I5."""
        before = self.store.keys.get((once.person, once.key))
        (result,) = self.attempt(call)
        if before not in (None, once.payload_digest):
            assert isinstance(result, KeyReusedError), f"I5: {result}"
        return result

    def one(self, pick: int) -> OperatorRequest:
        return self.asked[-1 - pick % len(self.asked)]

    def life(self, request: OperatorRequest) -> Life:
        return self.lives.known[request.request_id]

    def once(self, what: str, who: Actor, key: int, request: OperatorRequest, *rest):
        content = " ".join([what, request.request_id, *map(str, rest)])
        return make_key(content, key=f"{what}-{key}", by=who)

    def claim(self, request: OperatorRequest, who: Actor, key: int, *, take: bool):
        once = self.once("claim", who, key, request, take)
        return self.queue.claim(request.request_id, who, once, take_over=take)

    def answer(
        self, request: OperatorRequest, who: Actor, epoch: int, label: str, key: int
    ) -> Coroutine[Any, Any, OperatorRequest]:
        return self.queue.answer(
            request.request_id,
            who,
            claim_epoch=epoch,
            label=label,
            view=view_digest(request, CAREFUL),
            once=self.once("answer", who, key, request, epoch, label),
        )

    def undo(self, request: OperatorRequest, who: Actor, key: int):
        once = self.once("undo", who, key, request)
        return self.queue.undo(request.request_id, who, once)

    # -- rules -----------------------------------------------------------------------

    @rule(cell=st.integers(1, 4), audit=st.integers(0, 5))
    def ask(self, cell: int, audit: int) -> None:
        if len(self.lives.open_ids) >= MOST_OPEN:
            return
        kind = RequestKind.QUESTION if audit else RequestKind.AUDIT
        asked = self.runner.run(self.world.ask(CellId(f"press-{cell}"), kind=kind))
        self.asked.append(asked)

    @rule(pick=PICK, who=WHO, key=KEY, take=st.booleans())
    def claims(self, pick: int, who: int, key: int, take: bool) -> None:
        request, person = self.one(pick), PEOPLE[who]
        once = self.once("claim", person, key, request, take)
        self.attempt_keyed(once, self.claim(request, person, key, take=take))

    @rule(pick=PICK, who=WHO, off=NEAR, label=LABEL, key=KEY)
    def answers(self, pick: int, who: int, off: int, label: str, key: int) -> None:
        request = self.one(pick)
        person, epoch = PEOPLE[who], self.life(request).epoch + off
        once = self.once("answer", person, key, request, epoch, label)
        self.attempt_keyed(once, self.answer(request, person, epoch, label, key))

    @rule(pick=PICK, who=WHO, label=LABEL, key=KEY)
    def claims_and_answers(self, pick: int, who: int, label: str, key: int) -> None:
        request, person = self.one(pick), PEOPLE[who]
        self.attempt(self.rush(request, person, label, key))

    async def rush(self, request, person, label, key) -> OperatorRequest:
        claimed = await self.claim(request, person, key, take=True)
        return await self.answer(request, person, claimed.claim_epoch, label, key)

    @rule(pick=PICK, who=WHO, key=KEY)
    def undoes(self, pick: int, who: int, key: int) -> None:
        request, person = self.one(pick), PEOPLE[who]
        once = self.once("undo", person, key, request)
        self.attempt_keyed(once, self.undo(request, person, key))

    @rule(pick=PICK, who=WHO, off=NEAR, key=KEY, what=st.integers(0, 4))
    def hands(self, pick: int, who: int, off: int, key: int, what: int) -> None:
        request, person, queue = self.one(pick), PEOPLE[who], self.queue
        name, epoch = request.request_id, self.life(request).epoch + off
        once = self.once(f"hands-{what}", person, key, request, epoch)
        other = PEOPLE[(who + 1) % 3].person
        if what < 3:
            keyed = (
                lambda: queue.pass_on(name, person, epoch, once),
                lambda: queue.skip(name, person, epoch, once),
                lambda: queue.hand_over(name, person, epoch, other, once),
            )[what]
            self.attempt_keyed(once, keyed())
        elif what == 3:
            self.attempt(queue.release_claim(name, person, epoch))
        else:
            self.attempt(queue.arrive(name, person))

    @rule(
        pick=PICK, people=st.integers(2, 16), label=LABEL, key=KEY, also=st.booleans()
    )
    def race(self, pick, people, label, key, also) -> None:
        """Everybody at one request at once; the clock and an undo among them."""
        request = self.one(pick)
        calls = [self.rush(request, PEOPLE[n], label, key) for n in range(people)]
        if also:
            calls.insert(people // 2, self.undo(request, PEOPLE[0], key))
            calls.insert(people // 3, self.tick())  # type: ignore[arg-type]
        self.attempt(*calls)

    @rule(pick=PICK, who=WHO, key=KEY)
    def the_same_again(self, pick: int, who: int, key: int) -> None:
        """One call twice at once, and the same key with another content after it."""
        request, person = self.one(pick), PEOPLE[who]
        epoch = self.life(request).epoch
        twice = [self.answer(request, person, epoch, "ok", key) for _ in range(2)]
        done = self.attempt(*twice)
        if not any(isinstance(result, AndonError) for result in done):
            (other,) = self.attempt(
                self.answer(request, person, epoch, "collision", key)
            )
            assert isinstance(other, KeyReusedError), "I5"

    @rule(pick=PICK, who=WHO, label=LABEL, key=KEY)
    def answers_for_all(self, pick: int, who: int, label: str, key: int) -> None:
        shown, person = self.one(pick), PEOPLE[who]
        members = [
            Member(r.request_id, view_digest(r, CAREFUL))
            for r in {one.request_id: one for one in (shown, *self.asked[-4:])}.values()
        ]
        once = self.once("group", person, key, shown, label)
        said = GroupAnswer(person, label, shown.request_id, members, once)
        self.attempt(answer_group(self.queue, said))

    @rule(ms=st.sampled_from([1, 500, 2999, 3000, 3001, 59_999, 60_001]))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(ms * MILLISECOND)
        self.attempt(self.tick())

    @rule(pick=PICK, ms=st.sampled_from([-1, 0, 1]), who=WHO, key=KEY)
    def answers_around_the_deadline(self, pick, ms, who, key) -> None:
        """The last millisecond, from both sides, with the time-out beside it."""
        still = self.queue.all_open() or self.asked
        request, person = still[pick % len(still)], PEOPLE[who]
        self.attempt(self.claim(request, person, key, take=True))
        left_ns = request.deadline_ns - self.clock.monotonic_ns()
        ahead_ns = left_ns + ms * 1_000_000
        if ahead_ns > 0:
            self.clock.advance(timedelta(microseconds=ahead_ns / 1000))
        epoch = self.life(request).epoch
        self.attempt(self.answer(request, person, epoch, "ok", key), self.tick())

    @rule(pick=PICK, outcome=st.sampled_from([Outcome.SUPERSEDED, Outcome.CANCELLED]))
    def the_scene_is_gone(self, pick: int, outcome: Outcome) -> None:
        self.attempt(self.queue.end(self.one(pick), outcome, "gone."))

    @rule()
    def killed_and_started(self) -> None:
        """Nobody closed anything: what was acknowledged is all there is."""
        self.runner.run(self.start())

    @rule(odds=st.integers(0, 4))
    def closed_and_opened(self, odds: int) -> None:
        if odds == 0:
            keys, real = self.store.keys, self.store.real
            self.runner.run(real.close())
            self.runner.run(self.open())
            self.store.keys = keys

    async def tick(self) -> None:
        for one in await self.queue.expire_due():
            assert one.outcome is not Outcome.OPEN or one.is_pending
        await self.queue.make_final()
        self.queue.warn()
        await self.queue.end_lapsed_claims()
        await self.queue.look_at_load()

    # -- what must hold --------------------------------------------------------------

    @invariant()
    def every_event_fits_those_before_it(self) -> None:
        ran.append(1)
        if not hasattr(self, "store"):
            return
        fresh, self.store.fresh = sorted(self.store.fresh, key=lambda e: e[0]), []
        for _, event in fresh:
            self.lives.hear(event)
            if isinstance(event, events.RequestOpened):
                self.remember(event.request)
        # I4: |created| = |open| + |terminal|, and the mirror says the same.
        mirrored = {request.request_id: request for request in self.queue.all_open()}
        assert mirrored.keys() == self.lives.open_ids
        for name, request in mirrored.items():
            life = self.lives.known[name]
            assert (request.claimed_by, request.claim_epoch) == (
                life.holder,
                life.epoch,
            )
            given = life.given.label if life.given else ""
            assert (request.pending_label, request.first_by) == (given, life.first)

    def remember(self, request: OperatorRequest) -> None:
        """A successor is asked of everybody like any other."""
        if all(one.request_id != request.request_id for one in self.asked):
            self.asked.append(request)

    def teardown(self) -> None:
        try:
            if hasattr(self, "store"):
                self.runner.run(self.at_the_end())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def at_the_end(self) -> None:
        """I3: a coordinator that starts here finds every acknowledged word."""
        waiting = {
            name: life.given for name, life in self.lives.known.items() if life.given
        }
        await self.start()
        self.clock.advance(timedelta(seconds=4))
        await self.queue.make_final()
        for name, given in waiting.items():
            stored = await self.store.request(name)
            assert (stored.outcome, stored.label) == (Outcome.ANSWERED, given.label)
        for _, event in sorted(self.store.fresh, key=lambda e: e[0]):
            self.lives.hear(event)
        on_disk = await journal(self.store.real)
        about = [e for e in on_disk if not isinstance(e, events.CoordinatorStarted)]
        assert about == self.lives.told
        answered = {
            e.request_id for e in about if isinstance(e, events.RequestAnswered)
        }
        assert {r.request_id for r in self.final} <= answered
        with suppress(AndonError):
            await self.store.real.close()


QueueLife.TestCase.settings = settings(
    max_examples=STEPS // EACH * 11 // 10,  # a few end before their last step
    stateful_step_count=EACH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestQueueLife = QueueLife.TestCase


def test_so_many_steps_were_run() -> None:
    if ran:  # it runs after the machine, where the machine ran at all
        assert len(ran) >= STEPS
