"""The labelling party in any order: nobody twice, nothing lost, no dispute learned."""

import asyncio
from collections import Counter

import numpy as np
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
from coordinator.terms import WindowId, events
from coordinator.terms.teaching import OpinionId
from tests.builders import ANA, BEN, PEG
from tests.coordinator.learning.teach_world import CEM, LEASE_S, TeachWorld

pytestmark = pytest.mark.slow
PEOPLE = st.sampled_from([ANA, BEN, CEM])
LABELS = st.sampled_from(["ok", "misaligned", ""])
PICK = st.integers(0, 7)


class PartyMachine(RuleBasedStateMachine):
    """The real party over the real store: three people, keys, a clock, kill -9."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.windows: list[WindowId] = []
        self.lent: dict[WindowId, tuple[str, float]] = {}
        self.acked: dict[tuple[str, str], OpinionId] = {}
        self.now_s = 0.0

    @initialize()
    def begin(self) -> None:
        self.world: TeachWorld = self.runner.run(TeachWorld.open())
        self.add(4)

    def attempt(self, change):
        try:
            return self.runner.run(change)
        except AndonError:
            return None

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        first = len(self.windows)
        put = self.runner.run(self.world.put_many(count, first=first))
        self.windows += [window.window_id for window in put]

    @rule(who=PEOPLE, count=st.integers(1, 3))
    def lend(self, who, count) -> None:
        for one in self.runner.run(self.world.lend(who, count)):
            window_id = one.window.window_id
            holder, until_s = self.lent.get(window_id, ("", -1.0))
            assert until_s <= self.now_s, f"{holder} has it still"
            spoke = self.world.party.opinions.spoke(one.window.window_digest)
            assert who.person not in spoke
            self.lent[window_id] = (who.person, self.now_s + LEASE_S)

    @precondition(lambda self: self.windows)
    @rule(pick=PICK, who=PEOPLE, label=LABELS, key=st.integers(0, 2))
    def say(self, pick, who, label, key) -> None:
        window_id = self.windows[pick % len(self.windows)]
        name = f"{window_id}-{label or 'none'}-{key}"
        opinion = self.attempt(self.world.say(window_id, label, who, key=name))
        if opinion is not None:
            call = (who.person, name)
            assert self.acked.setdefault(call, opinion) == opinion
            self.lent.pop(window_id, None)

    @precondition(lambda self: self.acked)
    @rule(pick=PICK, who=PEOPLE)
    def undo(self, pick, who) -> None:
        (person, _), opinion = list(self.acked.items())[pick % len(self.acked)]
        back = self.attempt(self.world.undo(opinion, who))
        if back is not None:
            assert person == who.person, "nobody takes back what another said"
            self.lent[back] = (who.person, self.now_s + LEASE_S)

    @precondition(lambda self: self.windows)
    @rule(pick=PICK, label=LABELS)
    def decide(self, pick, label) -> None:
        self.attempt(self.world.decide(self.windows[pick % len(self.windows)], label))

    @precondition(lambda self: self.lent)
    @rule(pick=PICK, passed=st.booleans())
    def give_back(self, pick, passed) -> None:
        window_id, (person, _) = list(self.lent.items())[pick % len(self.lent)]
        who = next(one for one in (ANA, BEN, CEM) if one.person == person)
        self.world.party.give_back(who.person, window_id, passed=passed)
        del self.lent[window_id]

    @rule(seconds=st.sampled_from([1, 30, LEASE_S + 1]))
    def time_passes(self, seconds) -> None:
        self.world.advance(seconds)
        self.now_s += seconds

    @rule()
    def kill(self) -> None:
        self.world = self.world.restarted()
        self.lent.clear()

    @invariant()
    def one_standing_opinion_a_person_and_window(self) -> None:
        if not hasattr(self, "world"):
            return
        journal = self.runner.run(self.world.journal())
        gone = {e.opinion_id for e in journal if isinstance(e, events.OpinionTakenBack)}
        standing = Counter(
            (e.opinion.window_id, e.opinion.person)
            for e in journal
            if isinstance(e, events.OpinionGiven) and e.opinion.opinion_id not in gone
        )
        assert set(standing.values()) <= {1}
        given = {
            e.opinion.opinion_id for e in journal if isinstance(e, events.OpinionGiven)
        }
        assert set(self.acked.values()) <= given

    @invariant()
    def what_is_learned_of_a_window_is_one_label(self) -> None:
        if not hasattr(self, "world"):
            return
        learned = self.runner.run(self.world.learned())
        assert all(len(set(labels)) == 1 for labels in learned.values())
        examples = self.runner.run(self.world.store.examples(PEG))
        decided = {
            e.window_id: e.label
            for e in self.runner.run(self.world.journal())
            if isinstance(e, events.LabelDecided)
        }
        for window_id in self.windows:
            votes = Counter(
                e.label
                for e in examples
                if e.window_id == window_id and not e.retracted
            )
            found = set(learned.get(window_id, ()))
            if window_id in decided:
                assert found <= {decided[window_id]}
            elif votes and 2 * max(votes.values()) <= votes.total() and len(votes) > 1:
                assert found == set()

    @invariant()
    def the_memory_is_the_fold_of_the_journal(self) -> None:
        if not hasattr(self, "world"):
            return
        self.runner.run(self.world.teaching.party(PEG))
        fresh = self.world.restarted()
        self.runner.run(fresh.teaching.party(PEG))
        ours, theirs = self.world.party.opinions, fresh.party.opinions
        assert ours.agreement() == theirs.agreement()
        assert dict(ours.labelled()) == dict(theirs.labelled())
        assert ours.standing == theirs.standing
        assert np.array_equal(
            [w.window_id for w in self.world.party.pool.windows],
            [w.window_id for w in fresh.party.pool.windows],
        )

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.runner.run(self.world.close())
        finally:
            self.runner.close()


TestParty = PartyMachine.TestCase
TestParty.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
