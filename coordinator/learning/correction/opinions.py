"""Who has said what of which evidence: the fold of the journal's news about labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from coordinator.learning.correction.agreement import (
    cohen,
    krippendorff,
    pairs,
    percent,
)
from coordinator.learning.correction.settle import DISAGREE, Settled, settle
from coordinator.terms import Digest, Example, ExampleId, PersonId, WindowId, events
from coordinator.terms.teaching import (
    Agreement,
    Dispute,
    LabelPair,
    Opinion,
    OpinionId,
)


@dataclass(slots=True)
class _About:
    """What is known of one piece of evidence."""

    window_id: WindowId
    examples: dict[ExampleId, Example] = field(default_factory=dict)
    opinions: dict[OpinionId, Opinion] = field(default_factory=dict)
    decided: str | None = None


class Opinions:
    """The opinions of one family. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self._about: dict[Digest, _About] = {}
        self._evidence_of: dict[ExampleId, Digest] = {}
        self._given: dict[OpinionId, Digest] = {}
        self._by: dict[PersonId, set[Digest]] = {}
        self._labelled: dict[Digest, int] = {}
        self._disputed: dict[Digest, None] = {}
        self._agreement: Agreement | None = None

    def fold(self, event: events.Event) -> Digest | None:
        """Take one event; return the evidence it is about, None for none of ours."""
        digest = self._apply(event)
        if digest is not None:
            self._index(digest)
        return digest

    def _apply(self, event: events.Event) -> Digest | None:
        match event:
            case events.ExampleAdded(example=example):
                about = self._of(example.window_digest, example.window_id)
                about.examples[example.example_id] = example
                self._evidence_of[example.example_id] = example.window_digest
                return example.window_digest
            case events.ExampleQuarantined(example_id=example_id, reason=reason):
                return self._amend(example_id, quarantine=reason)
            case events.ExampleReinstated(example_id=example_id):
                return self._amend(example_id, quarantine="")
            case events.ExampleRetracted(example_id=example_id):
                return self._amend(example_id, retracted=True)
            case events.OpinionGiven(opinion=said):
                about = self._of(said.window_digest, said.window_id)
                about.opinions[said.opinion_id] = said
                self._given[said.opinion_id] = said.window_digest
                return said.window_digest
            case events.OpinionTakenBack(opinion_id=opinion_id):
                return self._take_back(opinion_id)
            case events.LabelDecided():
                about = self._of(event.window_digest, event.window_id)
                about.decided = event.label
                return event.window_digest
            case _:
                return None

    def _of(self, digest: Digest, window_id: WindowId) -> _About:
        return self._about.setdefault(digest, _About(window_id))

    def _amend(
        self,
        example_id: ExampleId,
        *,
        quarantine: str | None = None,
        retracted: bool = False,
    ) -> Digest | None:
        digest = self._evidence_of.get(example_id)
        if digest is None:
            return None
        known = self._about[digest].examples
        before = known[example_id]
        known[example_id] = replace(
            before,
            retracted=before.retracted or retracted,
            quarantine=before.quarantine if quarantine is None else quarantine,
        )
        return digest

    def _take_back(self, opinion_id: OpinionId) -> Digest | None:
        digest = self._given.pop(opinion_id, None)
        if digest is not None:
            given = self._about[digest].opinions.pop(opinion_id)
            self._amend(given.example_id, retracted=True)
        return digest

    def _index(self, digest: Digest) -> None:
        """Keep at hand what is asked for often."""
        self._agreement = None
        spoke = self.spoke(digest)
        for person, theirs in self._by.items():
            if person not in spoke:
                theirs.discard(digest)
        for person in spoke:
            self._by.setdefault(person, set()).add(digest)
        self._labelled.pop(digest, None)
        if said := self.said(digest):
            self._labelled[digest] = len(said)
        self._disputed.pop(digest, None)
        if self.settled(digest).disputed or self._waits(digest):
            self._disputed[digest] = None

    def _waits(self, digest: Digest) -> bool:
        """Whether one person's word is held back until another looks."""
        return any(
            not e.retracted and e.quarantine.endswith(DISAGREE)
            for e in self.examples(digest)
        ) and not self.settled_twice(digest)

    def settled_twice(self, digest: Digest) -> bool:
        """Whether two people or more, or an engineer, have settled it."""
        settled = self.settled(digest)
        alike = sum(label == settled.label for label in self.said(digest).values())
        return self.decided(digest) is not None or (bool(settled.label) and alike > 1)

    # -- what is known ---------------------------------------------------------------

    def opinion(self, opinion_id: OpinionId) -> Opinion | None:
        """Return an opinion that stands."""
        digest = self._given.get(opinion_id)
        return None if digest is None else self._about[digest].opinions.get(opinion_id)

    def alike(self, shown: Opinion) -> list[Opinion]:
        """Return what was said with an opinion, of windows that are like its window."""
        return [
            said
            for about in self._about.values()
            for said in about.opinions.values()
            if said.like == shown.window_id and said.person == shown.person
        ]

    def examples(self, digest: Digest) -> list[Example]:
        """Return every example of one piece of evidence, taken back ones too."""
        about = self._about.get(digest)
        return [] if about is None else list(about.examples.values())

    def said(self, digest: Digest) -> dict[PersonId, str]:
        """Return each person's standing label of the evidence."""
        return {e.person: e.label for e in self.examples(digest) if not e.retracted}

    def spoke(self, digest: Digest) -> set[PersonId]:
        """Return who has said something of it, "cannot tell" included."""
        about = self._about.get(digest)
        if about is None:
            return set()
        return {*self.said(digest), *(o.person for o in about.opinions.values())}

    def settled(self, digest: Digest) -> Settled:
        """Return what people make of it."""
        return settle(self.said(digest), self.decided(digest))

    def decided(self, digest: Digest) -> str | None:
        """Return what a named person decided; None when nobody has."""
        about = self._about.get(digest)
        return None if about is None else about.decided

    @property
    def standing(self) -> int:
        """How many opinions about stored windows stand."""
        return len(self._given)

    def spoken_by(self, person: PersonId) -> Collection[Digest]:
        """Return the evidence of which a person has said something."""
        return self._by.get(person, ())

    def labelled(self) -> Mapping[Digest, int]:
        """Return the evidence that is labelled, and by how many people."""
        return self._labelled

    def disputed(self) -> Collection[Digest]:
        """Return the evidence about which people contradict each other."""
        return self._disputed.keys()

    def disputes(self) -> list[Dispute]:
        """Return the open contradictions, oldest first."""
        found = []
        for digest in self._disputed:
            about = self._about[digest]
            said = sorted(self.said(digest).values())
            counts = {label: said.count(label) for label in said}
            ranked = sorted(counts.items(), key=lambda item: -item[1])
            found.append(Dispute(about.window_id, digest, tuple(ranked)))
        return found

    def agreement(self) -> Agreement:
        """Say how far people agree who saw the same windows."""
        if self._agreement is None:
            self._agreement = self._agree()
        return self._agreement

    def _agree(self) -> Agreement:
        several = [d for d, people in self._labelled.items() if people > 1]
        seen_by = [self._seen(self._about[digest]) for digest in several]
        ratings = [seen for seen in seen_by if len(seen) > 1]
        people = {who for seen in ratings for who in seen}
        two = len(people) == 2
        counted = pairs(ratings)
        ranked = sorted(counted.items(), key=lambda item: (_alike(item[0]), -item[1]))
        return Agreement(
            windows=len(ratings),
            people=len(people),
            percent=percent(ratings),
            coefficient="" if not ratings else "cohen" if two else "krippendorff",
            value=cohen(ratings) if two else krippendorff(ratings),
            pairs=tuple(LabelPair(labels, count) for labels, count in ranked),
            disputes=tuple(self.disputes()),
            cannot_tell=sum(
                not said.label
                for about in self._about.values()
                for said in about.opinions.values()
            ),
        )

    @staticmethod
    def _seen(about: _About) -> Mapping[str, str]:
        """Who said what after a look at this very window."""
        unseen = {
            said.example_id for said in about.opinions.values() if not said.looked
        }
        return {
            str(example.person): example.label
            for example in about.examples.values()
            if not example.retracted and example.example_id not in unseen
        }


def _alike(labels: tuple[str, str]) -> bool:
    return labels[0] == labels[1]
