"""What is recorded when a person says something of a stored window; pure.

Taught windows were chosen, not drawn: they weigh one each when a model learns, and
count for nothing where the gate estimates its own error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.learning.correction.party import Party
from coordinator.learning.correction.pool import Stored
from coordinator.learning.correction.settle import amendments, settle
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    WindowId,
    events,
    new_id,
)
from coordinator.terms.teaching import NO_EXAMPLE, NO_WINDOW, Opinion, OpinionId, Pick

TAUGHT: Final = 1.0
"""Propensity of a taught window: it was chosen, so it stands for itself alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a window that was handed to them.

    Attributes:
        window_id: The window.
        label: What it is; "" for "cannot tell".
        view: What was shown.
        alike: Digest of the cluster that gets the same label; "" for the window alone.
    """

    window_id: WindowId
    label: str
    view: Digest
    alike: Digest = NO_DIGEST


@dataclass(frozen=True, slots=True)
class By:
    """Who speaks, and when.

    Attributes:
        actor: Who.
        at: UTC.
    """

    actor: Actor
    at: datetime


def opinion(
    party: Party,
    window: Stored,
    said: Said,
    by: By,
    *,
    like: WindowId = NO_WINDOW,
) -> Opinion:
    """Return what is kept of one person's word about one window."""
    lent = party.lent_to(by.actor.person, window.window_id)
    # A lease that ran out: the label counts, why it was handed out is not known.
    pick, chance = (lent.pick, lent.chance) if lent else (Pick.LATE, 1.0)
    return Opinion(
        opinion_id=OpinionId(new_id("o")),
        family=party.family,
        window_id=window.window_id,
        window_digest=window.window_digest,
        person=by.actor.person,
        device=by.actor.device,
        said_at=by.at,
        label=said.label,
        view_digest=said.view,
        pick=Pick.ALIKE if like else pick,
        chance=chance,
        example_id=ExampleId(new_id("e")) if said.label else NO_EXAMPLE,
        like=like,
    )


def given_events(
    party: Party, window: Stored, given: Opinion, by: By
) -> list[events.Event]:
    """The opinion, its example, and what it changes for the others' examples."""
    if not given.label:
        return [events.OpinionGiven(given, by.actor)]
    digest, opinions = window.window_digest, party.opinions
    example = _example(party, window, given.label, by, given.example_id)
    said = {**opinions.said(digest), given.person: given.label}
    known = [*opinions.examples(digest), example]
    return [
        events.OpinionGiven(given, by.actor),
        events.ExampleAdded(example),
        *amendments(known, settle(said, opinions.decided(digest))),
    ]


def taken_back_events(party: Party, given: Opinion, actor: Actor) -> list[events.Event]:
    """The end of an opinion and of its example, and what that changes for others."""
    gone = events.OpinionTakenBack(given.opinion_id, actor)
    digest, opinions = given.window_digest, party.opinions
    known = opinions.examples(digest)
    own = [e for e in known if e.example_id == given.example_id and not e.retracted]
    if not own:
        return [gone]
    said = opinions.said(digest)
    said.pop(given.person, None)
    rest = [e for e in known if e.example_id != given.example_id]
    return [
        gone,
        *amendments(rest, settle(said, opinions.decided(digest))),
    ]


def decided_events(
    party: Party, window: Stored, said: Said, by: By, note: str
) -> list[events.Event]:
    """A decision, an example of it where nobody had said the same, and what follows."""
    digest, opinions = window.window_digest, party.opinions
    decided = events.LabelDecided(
        party.family,
        window.window_id,
        digest,
        said.label,
        by.actor,
        note,
    )
    known = opinions.examples(digest)
    settled = settle(opinions.said(digest), said.label)
    return [decided, *_own(party, window, said, by, known), *amendments(known, settled)]


def _own(
    party: Party, window: Stored, said: Said, by: By, known: Sequence[Example]
) -> list[events.Event]:
    """An example of the decider's own, when nobody else had said the same."""
    if not said.label or any(e.label == said.label and not e.retracted for e in known):
        return []
    example_id = ExampleId(new_id("e"))
    return [events.ExampleAdded(_example(party, window, said.label, by, example_id))]


def _example(
    party: Party, window: Stored, label: str, by: By, example_id: ExampleId
) -> Example:
    return Example(
        example_id=example_id,
        family=party.family,
        cell_id=window.cell_id,
        window_id=window.window_id,
        window_digest=window.window_digest,
        group=window.group,
        label=label,
        person=by.actor.person,
        device=by.actor.device,
        labelled_at=by.at,
        source=ExampleSource.TEACH,
        propensity=TAUGHT,
        model_digest=window.model_digest,
        guess=window.guess,
    )
