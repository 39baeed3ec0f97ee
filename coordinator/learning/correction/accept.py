"""An answer -> an example, or a named refusal. Only people teach.

A label that andon gave itself would teach the model its own mistakes; so decisions,
time-outs and policies never become examples.
"""

from __future__ import annotations

from enum import Enum

from coordinator import log
from coordinator.clock import Clock
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    OperatorRequest,
    RequestKind,
    new_id,
)

POLICY = "policy:"
"""Prefix of actors that are not people."""

_log = log.get("correction")


class Refusal(Enum):
    """Why an answer teaches nothing."""

    NOBODY = "nobody"
    """No person is named."""
    NOT_A_PERSON = "not_a_person"
    """A policy answered."""
    NO_LABEL = "no_label"
    """Nothing was said."""
    NO_EVIDENCE = "no_evidence"
    """The request has no window, or no digest of it."""
    NO_PROPENSITY = "no_propensity"
    """It is not known how likely this window was to be asked about."""


def refusal(request: OperatorRequest, actor: Actor, label: str) -> Refusal | None:
    """Say why an answer teaches nothing; None when it does."""
    if not actor.person:
        return Refusal.NOBODY
    if actor.person.startswith(POLICY):
        return Refusal.NOT_A_PERSON
    if not label:
        return Refusal.NO_LABEL
    if not request.window_id or not request.window_digest:
        return Refusal.NO_EVIDENCE
    # Written as proof: a NaN is not a probability.
    if not 0.0 < request.propensity <= 1.0:
        return Refusal.NO_PROPENSITY
    return None


def accept(
    request: OperatorRequest,
    actor: Actor,
    label: str,
    *,
    clock: Clock,
    model_digest: Digest = NO_DIGEST,
) -> Example | None:
    """Turn an answer into an example; None, and a log line, when it teaches nothing.

    Args:
        request: The question, as it was asked.
        actor: Who answered.
        label: What they said; the family has it.
        clock: For the record.
        model_digest: The model that had spoken; "" when none had, or it is not known.
    """
    why = refusal(request, actor, label)
    if why is not None:
        _log.warning(
            "answer_teaches_nothing", request=request.request_id, reason=why.value
        )
        return None
    is_audit = request.kind is RequestKind.AUDIT
    return Example(
        example_id=ExampleId(new_id("e")),
        family=request.family,
        cell_id=request.cell_id,
        window_id=request.window_id,
        window_digest=request.window_digest,
        group=f"{request.cell_id}/{request.cycle}",
        label=label,
        person=actor.person,
        device=actor.device,
        labelled_at=clock.utc_now(),
        source=ExampleSource.AUDIT if is_audit else ExampleSource.QUESTION,
        propensity=request.propensity,
        model_digest=model_digest,
        guess=request.guess,
    )
