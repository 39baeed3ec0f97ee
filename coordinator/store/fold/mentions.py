"""Which ids an entry speaks about, and which it rests on: what `explain` follows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from coordinator.terms.events import (
    AnswerGiven,
    ClipStored,
    Event,
    ExampleAdded,
    FirstOpinion,
    GateCertified,
    ModelPromoted,
    ModelRegistered,
    ModelRolledBack,
    OpinionGiven,
    PermitIssued,
    RequestOpened,
    WindowDecided,
)

FIELDS = (
    "decision_id",
    "window_id",
    "part_id",
    "permit_id",
    "request_id",
    "successor",
    "clip_id",
    "example_id",
    "opinion_id",
    "run_id",
    "model_digest",
)
"""Fields under which an event names what it is about."""

INSIDE = {
    AnswerGiven: "answer",
    FirstOpinion: "answer",
    PermitIssued: "permit",
    RequestOpened: "request",
    ExampleAdded: "example",
    OpinionGiven: "opinion",
    ModelRegistered: "model",
    GateCertified: "certificate",
    ClipStored: "clip",
}
"""Events that carry a term which names it."""


def mentioned(event: Event) -> set[str]:
    """Return the ids under which an entry with this event is found.

    A model is not found by each of its decisions: there would be thousands.
    """
    found = set(_named(event, skip="part_id"))
    if isinstance(event, ModelRegistered):
        found.add(event.model.digest)
    if isinstance(event, ModelPromoted):
        found.add(event.previous)
    if isinstance(event, ModelRolledBack):
        found.add(event.restored)
    if isinstance(event, ExampleAdded):
        found.discard(event.example.model_digest)
    return {*found, *_parts(event)} - {""}


def rests_on(event: Event) -> set[str]:
    """Return the ids an entry leads to: its decision, window, request, model, run.

    Not the part: other cycles of it are other stories.
    """
    found = set(_named(event, skip="part_id"))
    if isinstance(event, WindowDecided) and event.verdict.prediction is not None:
        found.add(event.verdict.prediction.model_digest)
    if isinstance(event, ModelRegistered):
        found.add(event.model.digest)
    return found - {""}


def _named(event: Event, skip: str) -> Iterator[str]:
    inside = INSIDE.get(type(event))
    values: tuple[Any, ...] = (event, getattr(event, inside)) if inside else (event,)
    for value in values:
        kind: Any = type(value)
        for name in _names_of(kind):
            if name != skip and (found := getattr(value, name)):
                yield str(found)


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """Which of FIELDS a value of this type has: asked of every entry there is."""
    return tuple(name for name in FIELDS if hasattr(kind, name))


def _parts(event: Event) -> set[str]:
    inside = INSIDE.get(type(event))
    values = (event, getattr(event, inside) if inside else None)
    return {str(getattr(value, "part_id", "")) for value in values}
