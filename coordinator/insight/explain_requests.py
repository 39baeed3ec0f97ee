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
    | events.RequestExplained
    | events.RequestEnded
)
_Answer = events.RequestAnswered | events.AnswerGiven | events.AnswerUndone


def of_request(event: _Request | _Answer) -> str:
    """What became of a question."""
    match event:
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
        case events.RequestClaimed():
            taken = f", taken from {event.taken_from}" if event.taken_from else ""
            return f"{event.request_id} was claimed{by(event.actor)}{taken}."
        case events.ClaimEnded():
            return f"{event.request_id} is free again: {event.reason}."
        case events.RequestEnded():
            next_one = f" {event.successor} follows." if event.successor else ""
            return (
                f"{event.request_id} ended as {event.outcome.value}: {event.text}"
                f"{next_one}"
            )
        case events.RequestExplained():
            return of_why(event)
        case _:
            return _of_answer(event)


def _of_answer(event: _Answer) -> str:
    """What people said."""
    match event:
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
