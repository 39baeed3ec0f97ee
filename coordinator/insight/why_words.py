"""What people were shown with a question, in plain sentences; pure."""

from __future__ import annotations

from typing import Final

from coordinator.terms.why import NOVELTY, ChannelWeight, RequestExplained, Why

MOST_CHANNELS: Final = 3
MOST_ALIKE: Final = 3


def of_why(event: RequestExplained) -> str:
    """Say what was shown with a request."""
    return f"{event.request_id} was shown with its reasons: {reasons(event.why)}"


def reasons(why: Why) -> str:
    """Say what moved the model, what is alike, and what is plausible."""
    return " ".join(
        part for part in (_moved(why), _alike(why), _plausible(why), *why.lacks) if part
    )


def _moved(why: Why) -> str:
    if not why.weights:
        return "No channel stands out."
    channels = ", ".join(_channel(w) for w in why.weights[:MOST_CHANNELS])
    match why.about:
        case "":
            return f"Furthest from usual: {channels}."
        case about if about == NOVELTY:
            return f"New about it: {channels}."
        case label:
            return f"What moved '{label}': {channels}."


def _channel(weight: ChannelWeight) -> str:
    where = f"rows {weight.first_row + 1}-{weight.last_row + 1}"
    against = ", against it" if weight.against else ""
    return f"{weight.channel} {weight.weight:.0%} ({where}{against})"


def _alike(why: Why) -> str:
    if not why.nearest:
        return ""
    found = ", ".join(
        f"{near.label} at {near.distance:.2f}" for near in why.nearest[:MOST_ALIKE]
    )
    return f"Most alike: {found}."


def _plausible(why: Why) -> str:
    if not why.plausible:
        return ""
    if why.held_out < why.needed:
        return (
            f"Nothing can be ruled out yet: {why.held_out} of {why.needed} answers "
            "that the model had not learned from."
        )
    cut = f", the first of {why.whole}" if why.whole > len(why.plausible) else ""
    return (
        f"Plausible in {why.coverage:.0%} of questions like it: "
        f"{', '.join(why.plausible)}{cut} (by {why.held_out} held-out answers)."
    )
