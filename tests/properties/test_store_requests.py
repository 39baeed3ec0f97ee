"""A request's life against a model of twenty lines, over restarts and refusals.

I4: one terminal outcome, and no request is ever absent. I5: a repeated call changes
nothing. I6: epochs strictly rise. I10: the tables are the fold of the journal.
"""

import asyncio
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from coordinator.clock import ManualClock
from coordinator.errors import (
    AlreadyDoneError,
    AndonError,
    IllegalTransitionError,
    KeyReusedError,
    NotYourClaimError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.store import Store, verify
from coordinator.terms import (
    Actor,
    Decision,
    DecisionId,
    IdempotencyKey,
    Outcome,
    PermitId,
    PersonId,
    RequestId,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    CELL,
    answered,
    claimed,
    decided,
    digest,
    ended,
    make_window,
    opened,
    permit,
    session,
)

PEOPLE = st.sampled_from(["ana", "ben"])
NEAR = st.integers(-1, 2)
"""How far an epoch is from the right one; 0 is right."""


@dataclass
class Asked:
    """What the model knows of a request."""

    outcome: Outcome = Outcome.OPEN
    holder: str = ""
    epoch: int = 0
    label: str = ""
    used: bool = False


class RequestLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="andon-requests-"))
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.store = self.run(self.reopen())
        self.asked: dict[int, Asked] = {}
        self.session = 1
        self.entries = 1
        self.permits = 0
        self.replies: dict[str, tuple[str, str]] = {}
        self.run(self.store.commit(session(1)))

    def run(self, coroutine):
        return self.runner.run(coroutine)

    async def reopen(self) -> Store:
        return await Store.open(self.folder, clock=self.clock, commit_deadline_s=30)

    def commit(
        self, *events: e.Event, error: type[AndonError] | None, **how: object
    ) -> bool:
        """Commit, and see that it ends as the model says."""
        if error is None:
            self.run(self.store.commit(*events, **how))
            self.entries += len(events)
            return True
        with pytest.raises(AndonError) as refused:
            self.run(self.store.commit(*events, **how))
        assert refused.type is error
        return False

    def some(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.asked)), label="request")

    @rule()
    def ask(self) -> None:
        number = len(self.asked) + 1
        if self.commit(
            decided(number, epoch=self.session),
            opened(number),
            error=None,
            window=make_window(number),
        ):
            self.asked[number] = Asked()

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), person=PEOPLE, off=NEAR, take_over=st.booleans())
    def claim(
        self, data: st.DataObject, person: str, off: int, take_over: bool
    ) -> None:
        number = self.some(data)
        known = self.asked[number]
        epoch = known.epoch + 1 + off
        taken = PersonId(known.holder if take_over else "")
        error: type[AndonError] | None = None
        if known.outcome is not Outcome.OPEN:
            error = RequestClosedError
        elif off:
            error = StaleEpochError
        elif known.holder not in ("", person) and not take_over:
            error = RequestClaimedError
        if self.commit(
            claimed(number, Actor(PersonId(person)), epoch, taken), error=error
        ):
            known.holder, known.epoch = person, epoch

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), off=NEAR)
    def give_back(self, data: st.DataObject, off: int) -> None:
        number = self.some(data)
        known = self.asked[number]
        error: type[AndonError] | None = None
        if known.outcome is not Outcome.OPEN:
            error = RequestClosedError
        elif off:
            error = StaleEpochError
        elif not known.holder:
            error = NotYourClaimError
        event = e.ClaimEnded(RequestId(f"r-{number}"), known.epoch + off, "given back.")
        if self.commit(event, error=error):
            known.holder = ""

    @precondition(lambda self: self.asked)
    @rule(
        data=st.data(), person=PEOPLE, off=NEAR, label=st.sampled_from(["ok", "slip"])
    )
    def answer(self, data: st.DataObject, person: str, off: int, label: str) -> None:
        number = self.some(data)
        known = self.asked[number]
        event = answered(number, Actor(PersonId(person)), known.epoch + off, label)
        if self.commit(event, error=self.answer_error(known, person, off)):
            known.outcome, known.label = Outcome.ANSWERED, label

    def answer_error(
        self, known: Asked, person: str, off: int
    ) -> type[AndonError] | None:
        if known.outcome is not Outcome.OPEN:
            return RequestClosedError
        if off:
            return StaleEpochError
        if not known.holder:
            return NotYourClaimError
        return None if known.holder == person else RequestClaimedError

    @precondition(lambda self: self.asked)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(
            [Outcome.TIMED_OUT, Outcome.CANCELLED, Outcome.SUPERSEDED]
        ),
    )
    def end(self, data: st.DataObject, outcome: Outcome) -> None:
        number = self.some(data)
        known = self.asked[number]
        is_open = known.outcome is Outcome.OPEN
        error = None if is_open else RequestClosedError
        if self.commit(ended(number, outcome), error=error):
            known.outcome = outcome

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def permit_and_begin(self, data: st.DataObject) -> None:
        number = self.some(data)
        known = self.asked[number]
        self.permits += 1
        name = PermitId(f"p-{self.permits}")
        issued = permit(
            number,
            permit_id=name,
            label=known.label,
            decision_id=DecisionId(f"d-{number}"),
            session_epoch=self.session,
        )
        answered_once = known.outcome is Outcome.ANSWERED and not known.used
        error = None if answered_once else IllegalTransitionError
        if self.commit(issued, error=error):
            begun = e.PermitConsumed(name, CELL, self.session)
            assert self.commit(begun, error=None)
            assert not self.commit(begun, error=IllegalTransitionError)
            known.used = True

    @rule(step=st.integers(-2, 2))
    def reconnect(self, step: int) -> None:
        error = None if step > 0 else StaleEpochError
        if self.commit(session(self.session + step), error=error):
            self.session += step

    @rule(key=st.sampled_from("abc"), content=st.sampled_from("xy"))
    def call_with_a_key(self, key: str, content: str) -> None:
        once = IdempotencyKey(PersonId("ana"), key, digest(content))
        reply = f"reply {self.entries}"
        known = self.replies.get(key)
        error: type[AndonError] | None = None
        if known is not None:
            error = AlreadyDoneError if known[0] == content else KeyReusedError
        event = e.CoordinatorStopped("nothing.")
        if self.commit(event, error=error, once=once, reply=reply):
            self.replies[key] = (content, reply)
        elif error is AlreadyDoneError:
            assert known is not None
            assert self.run(self.store.replied(once)) == known[1]

    @rule()
    def late_verdict_of_an_old_session(self) -> None:
        late = replace(
            decided(999, Decision.ACT, epoch=self.session - 1),
            decision_id=DecisionId(f"late-{self.entries}"),
        )
        self.commit(late, error=StaleEpochError)

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.run(self.reopen())

    @invariant()
    def every_request_is_open_or_ended_as_the_model_says(self) -> None:
        still = {one.request_id: one for one in self.run(self.store.open_requests())}
        over = {one.request_id: one for one in self.run(self.store.ended_requests(999))}

        assert not still.keys() & over.keys()
        assert len(still) + len(over) == len(self.asked)
        for number, known in self.asked.items():
            found = {**still, **over}[RequestId(f"r-{number}")]
            assert found.outcome is known.outcome
            assert (found.claimed_by, found.claim_epoch) == (known.holder, known.epoch)
            assert found.label == known.label

    @invariant()
    def nothing_refused_left_a_trace(self) -> None:
        assert self.run(self.store.head()).seq == self.entries

    def teardown(self) -> None:
        journal = self.run(self.store.entries(0, 10_000))
        self.run(self.store.close())
        self.runner.close()
        found = verify(self.folder)
        shutil.rmtree(self.folder)

        assert (found.ok, found.entries) == (True, self.entries), found
        epochs = [
            json.loads(entry.payload_json)["epoch"]
            for entry in journal
            if entry.kind == "SessionOpened"
        ]
        assert epochs == sorted(set(epochs))


RequestLife.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRequestLife = pytest.mark.slow(RequestLife.TestCase)
