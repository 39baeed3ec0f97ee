"""What must hold of every event the queue commits, in forty lines a promise.

I2 as far as a queue sees it: only named people answer, and silence is no answer.
I3: what was acknowledged is in the journal. I4: one terminal outcome, nothing absent.
I5: one event a key. I6: claim epochs rise by one, and fence everything older.
"""

from dataclasses import dataclass, field
from typing import Any

from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import IdempotencyKey, Outcome, PersonId, RequestId, events

ENDS = events.RequestAnswered | events.RequestEnded


class Recorder:
    """The real store, and a note of everything it acknowledged."""

    def __init__(self, real: Store) -> None:
        self.real = real
        self.fresh: list[tuple[int, events.Event]] = []
        self.keys: dict[tuple[PersonId, str], str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def commit(
        self, *happened: events.Event, once: IdempotencyKey | None = None, **how: Any
    ) -> Any:
        entries = await self.real.commit(*happened, once=once, **how)
        pairs = zip(entries, happened, strict=True)
        self.fresh += [(entry.seq, event) for entry, event in pairs]
        if once is not None:
            key = (once.person, once.key)
            assert key not in self.keys, "I5: one key, two events"
            self.keys[key] = once.payload_digest
        return entries


@dataclass
class Life:
    """What is known of one request."""

    epoch: int = 0
    holder: str = ""
    given: events.RequestAnswered | None = None
    first: str = ""
    outcome: Outcome = Outcome.OPEN
    disputed: tuple[str, ...] = ()


@dataclass
class Lives:
    """All requests, as the journal tells them."""

    known: dict[RequestId, Life] = field(default_factory=dict)
    told: list[events.Event] = field(default_factory=list)

    @property
    def open_ids(self) -> set[RequestId]:
        return {
            name for name, life in self.known.items() if life.outcome is Outcome.OPEN
        }

    def hear(self, event: events.Event) -> None:
        """Check one event against everything before it."""
        self.told.append(event)
        match event:
            case events.RequestOpened():
                request = event.request
                assert request.request_id not in self.known, "I4: opened twice"
                self.known[request.request_id] = Life(disputed=request.disputed_by)
            case events.RequestClaimed() | events.ClaimHandedOver():
                self._claimed(event)
            case events.ClaimEnded() | events.RequestSkipped():
                self._at(event.request_id, event.claim_epoch).holder = ""
            case events.RequestEnded():
                life = self._open(event.request_id)
                assert life.given is None, "I3: an acknowledged answer was lost"
                life.outcome = event.outcome
            case _:
                self._hear_answer(event)

    def _hear_answer(self, event: events.Event) -> None:
        match event:
            case events.AnswerGiven():
                life = self._by_holder(event.answer)
                assert event.undo_ns > 0
                life.given = event.answer
            case events.AnswerUndone():
                life = self._open(event.request_id)
                assert life.given is not None
                assert life.given.actor.person == event.actor.person
                life.given = None
            case events.FirstOpinion():
                life = self._by_holder(event.answer)
                assert not life.first
                life.first, life.holder = event.answer.actor.person, ""
            case events.RequestAnswered():
                self._answered(event)
            case _:
                pass  # a look, an arrival, a flood: nothing about who may answer

    def _open(self, request_id: RequestId) -> Life:
        life = self.known[request_id]
        assert life.outcome is Outcome.OPEN, "I4: a second end"
        return life

    def _at(self, request_id: RequestId, epoch: int) -> Life:
        life = self._open(request_id)
        assert epoch == life.epoch, "I6: an old claim did something"
        assert life.given is None, "an answer that waits was passed by"
        return life

    def _claimed(self, event: events.RequestClaimed | events.ClaimHandedOver) -> None:
        life = self._at(event.request_id, event.claim_epoch - 1)
        if isinstance(event, events.ClaimHandedOver):
            assert life.holder == event.actor.person
        life.epoch = event.claim_epoch
        life.holder = (
            event.to
            if isinstance(event, events.ClaimHandedOver)
            else event.actor.person
        )

    def _by_holder(self, said: events.RequestAnswered) -> Life:
        life = self._at(said.request_id, said.claim_epoch)
        person = said.actor.person
        assert person, "I2: nobody answered"
        assert not person.startswith("policy:"), "I2: a policy answered"
        assert person == life.holder
        assert person != life.first
        assert person not in life.disputed
        return life

    def _answered(self, event: events.RequestAnswered) -> None:
        life = self._open(event.request_id)
        if event.waited:
            given, life.given = life.given, None
            assert given is not None, "an answer that was taken back became final"
            assert (given.label, given.actor) == (event.label, event.actor)
        self._by_holder(event)
        life.outcome = Outcome.ANSWERED


async def journal(store: Store) -> list[events.Event]:
    """Every event, as the disk has it."""
    found: list[events.Event] = []
    while entries := await store.entries(len(found), 5000):
        found += [decode(entry.kind, entry.payload_json) for entry in entries]
    return found
