"""Why the gate asked, in the words of the person who reads it."""

from __future__ import annotations

from typing import Final

from tui import look
from tui.evidence import Evidence, Why
from tui.terms import Request
from tui.widgets.strips import words_of
from tui.words import LANGUAGES, WORDS, labelled, plant, say, told

MOST_CHANNELS: Final = 3
MOST_ALIKE: Final = 3
NOVELTY: Final = "novelty"


def reasons(evidence: Evidence) -> list[tuple[str, str]]:
    """The sentences about a question, each with its style, the most telling first."""
    if not evidence.beliefs:
        return [(say("why.no_model"), ""), *_moved(evidence)]
    return [
        *_number(evidence),
        *_moved(evidence),
        *_alike(evidence),
        *_set(evidence),
        *((text, look.ASKS) for text in evidence.why.lacks),
    ]


def in_short(evidence: Evidence) -> str:
    """Why it asks, in one line; nothing where that must not be shown yet."""
    if not evidence.reason:
        return ""
    return told("asked", evidence.why.code, evidence.reason)


def asked(request: Request) -> str:
    """Why it asks, where only its summary is at hand: a sentence that fits a row.

    Where the coordinator's own sentence names the guess, this does too.
    """
    if WORDS.language == LANGUAGES[0]:
        return request.reason
    key = f"asked_guess.{request.code}"
    if not request.guess or not WORDS.known(key):
        key = f"asked.{request.code}"
    if not WORDS.known(key):
        return request.reason
    return say(key, guess=labelled(request.guess))


def _number(evidence: Evidence) -> list[tuple[str, str]]:
    """The number that decided against its limit, else how familiar the window is."""
    why = evidence.why
    numbers = _against(why)
    if why.code == "NOVEL" and numbers:
        return [(say("why.novel", **numbers), look.ASKS)]
    found = []
    if why.code == "LOW_CONFIDENCE" and numbers:
        found.append((say("why.low_confidence", **numbers), look.ASKS))
    if evidence.novelty <= 1.0:
        text = say("why.novelty", novelty=f"{evidence.novelty:.2f}")
        found.append((text, look.DIM))
    return found


def _against(why: Why) -> dict[str, str]:
    """Number and limit, with as many digits as it takes to tell them apart."""
    if why.measured != why.measured or why.limit != why.limit:
        return {}
    said = [(f"{why.measured:.{n}f}", f"{why.limit:.{n}f}") for n in range(2, 7)]
    measured, limit = next((pair for pair in said if pair[0] != pair[1]), said[-1])
    return {"measured": measured, "limit": limit}


def _moved(evidence: Evidence) -> list[tuple[str, str]]:
    telling = [t for t in evidence.traces if t.weight > 0.0][:MOST_CHANNELS]
    if not telling:
        return []
    told = []
    for trace in telling:
        name = f"{plant(trace.channel.name)} {look.percent(trace.weight)}"
        told.append(say("why.against", channel=name) if trace.against else name)
    about, channels = evidence.why.about, ", ".join(told)
    if about == NOVELTY:
        return [(say("why.new", channels=channels), "")]
    if not about:
        return [(say("why.deviates", channels=channels), "")]
    return [(say("why.moved", label=_label(evidence, about), channels=channels), "")]


def _alike(evidence: Evidence) -> list[tuple[str, str]]:
    found = ", ".join(
        f"{_label(evidence, near.label)} {near.distance:.2f}"
        for near in evidence.nearest[:MOST_ALIKE]
    )
    return [(say("why.alike", found=found), look.DIM)] if found else []


def _set(evidence: Evidence) -> list[tuple[str, str]]:
    """On what the plausible answers rest, and whether the keys were too few."""
    why, count = evidence.why, len(evidence.choices)
    if why.calibrated:
        coverage = look.percent(why.coverage)
        found = [(say("why.set", coverage=coverage, count=count), look.DIM)]
        if why.plausible > count:
            found.append((say("why.set_cut", plausible=why.plausible), look.ASKS))
        return found
    if why.needed:
        numbers = {"held_out": why.held_out, "needed": why.needed}
        return [(say("why.set_open", **numbers), look.DIM)]
    return []


def _label(evidence: Evidence, name: str) -> str:
    label = evidence.label(name)
    return plant(name) if label is None else words_of(label)
