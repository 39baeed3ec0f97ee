"""I3 to I6 for questions: one end each, epochs rise, keys repeat, nothing is lost."""

import asyncio
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from coordinator.errors import AndonError
from coordinator.terms import (
    CellId,
    IdempotencyKey,
    OperatorRequest,
    Outcome,
    RequestId,
    RequestKind,
    events,
)
from tests.builders import ANA, BEN, FAMILY, make_key
from tests.coordinator.live.request.queue_world import QueueWorld

pytestmark = pytest.mark.slow
PEOPLE = st.sampled_from([ANA, BEN])
PICK = st.integers(0, 5)


class QueueMachine(RuleBasedStateMachine):
    """The real queue over the real store; two people, their keys and the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened: list[OperatorRequest] = []
        self.acked: dict[RequestId, str] = {}
        self.said: dict[tuple[str, str], tuple[str, str]] = {}

    @initialize()
    def begin(self) -> None:
        self.world: QueueWorld = self.runner.run(QueueWorld.open())

    def attempt(self, change):
        try:
            return self.runner.run(change)
        except AndonError:
            return None

    def one(self, pick: int) -> OperatorRequest:
        return self.opened[pick % len(self.opened)]

    @rule(
        cell=st.sampled_from(["press-1", "press-2"]),
        kind=st.sampled_from(list(RequestKind)),
    )
    def ask(self, cell: str, kind: RequestKind) -> None:
        self.opened.append(self.runner.run(self.world.ask(CellId(cell), kind=kind)))

    @precondition(lambda self: self.opened)
    @rule(pick=PICK, who=PEOPLE, take_over=st.booleans(), key=st.integers(0, 3))
    def claim(self, pick, who, take_over, key) -> None:
        request = self.one(pick)
        content = f"claim {request.request_id} {take_over}"
        once = make_key(content, key=f"claim-{key}", by=who)
        self.attempt(self.world.claim(request, who, once=once, take_over=take_over))

    @precondition(lambda self: self.opened)
    @rule(
        pick=PICK,
        who=PEOPLE,
        epoch=st.integers(0, 3),
        label=st.sampled_from([*FAMILY.label_names, "strange"]),
        key=st.integers(0, 3),
    )
    def answer(self, pick, who, epoch, label, key) -> None:
        request = self.one(pick)
        content = f"answer {request.request_id} {epoch} {label}"
        once = make_key(content, key=f"answer-{key}", by=who)
        done = self.attempt(
            self.world.answer(request, who, epoch=epoch, label=label, once=once)
        )
        if done is not None:
            self.agree(once, done)

    @precondition(lambda self: self.opened)
    @rule(pick=PICK, who=PEOPLE, epoch=st.integers(0, 3), key=st.integers(0, 3))
    def pass_on(self, pick, who, epoch, key) -> None:
        request = self.one(pick)
        once = make_key(f"pass {request.request_id} {epoch}", key=f"pass-{key}", by=who)
        call = self.world.queue.pass_on
        done = self.attempt(call(request.request_id, who, epoch, once))
        if done is not None:
            self.agree(once, done)

    def agree(self, once: IdempotencyKey, done: OperatorRequest) -> None:
        """Equal calls get equal replies; what is acknowledged stays so."""
        reply = (done.request_id, done.outcome.value + done.label)
        call = (once.person, once.key)
        assert self.said.setdefault(call, reply) == reply
        assert self.acked.setdefault(done.request_id, reply[1]) == reply[1]

    @precondition(lambda self: self.opened)
    @rule(pick=PICK, who=PEOPLE, epoch=st.integers(0, 3))
    def give_back(self, pick, who, epoch) -> None:
        call = self.world.queue.release_claim
        self.attempt(call(self.one(pick).request_id, who, epoch))

    @rule(seconds=st.sampled_from([1, 30, 61, 121]))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

        async def tick() -> None:
            for due in self.world.queue.due():
                await self.world.queue.expire(due)
            await self.world.queue.end_lapsed_claims()

        self.runner.run(tick())

    @rule()
    def restart(self) -> None:
        self.world = self.runner.run(self.world.restarted())

    @invariant()
    def nothing_is_lost_and_everything_ends_once(self) -> None:
        journal = self.runner.run(self.world.journal())
        opened = [
            e.request.request_id for e in journal if isinstance(e, events.RequestOpened)
        ]
        ended = Counter(
            e.request_id
            for e in journal
            if isinstance(e, events.RequestAnswered | events.RequestEnded)
        )
        assert len(opened) == len(set(opened))
        assert set(ended.values()) <= {1}
        assert set(opened) == self.world.open_ids() | set(ended)
        assert not self.world.open_ids() & set(ended)

    @invariant()
    def claim_epochs_rise(self) -> None:
        journal = self.runner.run(self.world.journal())
        epochs: dict[str, int] = {}
        for event in journal:
            if isinstance(event, events.RequestClaimed):
                assert event.claim_epoch == epochs.get(event.request_id, 0) + 1
                epochs[event.request_id] = event.claim_epoch
            if isinstance(event, events.RequestAnswered):
                assert event.claim_epoch == epochs[event.request_id]

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                for request_id, said in self.acked.items():
                    stored = self.runner.run(self.world.store.request(request_id))
                    assert stored.outcome.value + stored.label == said
                    assert stored.outcome is not Outcome.OPEN
                self.runner.run(self.world.store.close())
        finally:
            self.runner.close()


TestQuestions = QueueMachine.TestCase
TestQuestions.settings = settings(max_examples=40, stateful_step_count=25)
