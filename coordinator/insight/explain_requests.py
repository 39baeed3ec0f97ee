"""One sentence an entry about questions to people and their answers; see explain."""

from __future__ import annotations

from coordinator.insight.explain_learning import by
from coordinator.insight.why_words import of_why
from coordinator.terms import RequestKind, events

_Request = (
    events.RequestOpened
    | events.RequestSeen
    | events.RequestClaimed
    | events.ClaimEnded
    | events.ClaimHandedOver
    | events.RequestArrived
    | events.RequestSkipped
    | events.RequestExplained
    | events.RequestEnded
    | events.KnownCaseEnded
)
_Answer = (
    events.RequestAnswered
    | events.AnswerGiven
    | events.AnswerUndone
    | events.FirstOpinion
    | events.OpinionKept
)
_Hands = (
    events.RequestClaimed
    | events.ClaimEnded
    | events.ClaimHandedOver
    | events.RequestArrived
    | events.RequestSkipped
)
_Load = events.FloodBegan | events.FloodEnded | events.ModelDoubted


def of_request(event: _Request | _Answer | _Load) -> str:
    """What became of a question."""
    match event:
        case (
            events.RequestClaimed()
            | events.ClaimEnded()
            | events.ClaimHandedOver()
            | events.RequestArrived()
            | events.RequestSkipped()
        ):
            return _of_hands(event)
        case events.RequestOpened():
            asked = event.request
            kind = "question" if asked.kind is RequestKind.QUESTION else "audit"
            return (
                f"{kind} {asked.request_id} was opened about window {asked.window_id}, "
                f"{asked.time_allowed_ns / 1e9:.0f} s to answer, then "
                f"{asked.on_timeout.value}."
            )
        case events.RequestSeen():
            return f"{event.request_id} was looked at{by(event.actor)}."
        case events.RequestEnded():
            next_one = f" {event.successor} follows." if event.successor else ""
            return (
                f"{event.request_id} ended as {event.outcome.value}{by(event.actor)}: "
                f"{event.text}{next_one}"
            )
        case events.KnownCaseEnded():
            said = f"called {event.said} now" if event.said else "not named now"
            return (
                f"{event.request_id} was a known case: people had agreed on "
                f"{event.known_label}, and it was {said}. Nothing is learned or "
                "measured by it."
            )
        case events.RequestExplained():
            return of_why(event)
        case events.FloodBegan() | events.FloodEnded() | events.ModelDoubted():
            return _of_load(event)
        case _:
            return _of_answer(event)


def _of_hands(event: _Hands) -> str:
    match event:
        case events.RequestClaimed():
            taken = f", taken from {event.taken_from}" if event.taken_from else ""
            return f"{event.request_id} was claimed{by(event.actor)}{taken}."
        case events.ClaimEnded():
            return f"{event.request_id} is free again: {event.reason}."
        case events.ClaimHandedOver():
            return f"{event.request_id} was handed to {event.to}{by(event.actor)}."
        case events.RequestArrived():
            return (
                f"somebody stands at the cell of {event.request_id}{by(event.actor)}."
            )
        case events.RequestSkipped():
            return f"{event.request_id} was left to others{by(event.actor)}."


def _of_load(event: _Load) -> str:
    match event:
        case events.FloodBegan():
            return (
                f"a flood began: {event.asked} questions in 10 minutes for "
                f"{event.people} people."
            )
        case events.FloodEnded():
            return (
                f"the flood ended: {event.asked} questions in 10 minutes for "
                f"{event.people} people."
            )
        case events.ModelDoubted():
            return (
                f"the model of {event.family} asks in {event.cells} of {event.of} "
                "cells at once: a supervisor has to look."
            )


def _of_answer(event: _Answer) -> str:
    """What people said."""
    match event:
        case events.FirstOpinion():
            first = event.answer
            return (
                f"{first.request_id} was called {first.label}{by(first.actor)}, the "
                "first of two opinions."
            )
        case events.OpinionKept():
            return (
                f"{event.request_id} was called {event.label}{by(event.actor)} without "
                f"effect: {event.why.value}."
            )
        case events.RequestAnswered():
            kind = "a correction" if event.correction else "no correction"
            note = f', saying "{event.note}"' if event.note else ""
            return (
                f"{event.request_id} was answered {event.label}{by(event.actor)}, "
                f"{kind}{note}."
            )
        case events.AnswerGiven():
            given = event.answer
            return (
                f"{given.request_id} was given {given.label}{by(given.actor)}, final "
                f"in {event.undo_ns / 1e9:.0f} s unless taken back."
            )
        case events.AnswerUndone():
            return f"the answer to {event.request_id} was taken back{by(event.actor)}."
