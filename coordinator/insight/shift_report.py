"""What a shift's answers were worth: by team, never by person; pure.

Agreement with the model says little by itself: who is shown a guess tends to agree with
it. So the questions that were asked blind are told apart, and answers that came sooner
than anybody can look are counted. Known cases stand apart from everything else: they
measure nothing but themselves. Everything is from the journal.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from coordinator.history import PastAnswer
from coordinator.insight.catches import ActionOf, Board, board, no_action
from coordinator.store.codec import decode
from coordinator.terms import (
    OperatorRequest,
    Outcome,
    PersonId,
    RequestId,
    events,
)
from coordinator.terms.events import JournalEntry


@dataclass(slots=True)
class Tally:
    """What the answers of a team, or of all, come to.

    Attributes:
        answers: Final ones.
        with_guess: Of those, where the model had a guess.
        agreed: Of those, the same label.
        caught: Labels that may not be missed, where the model had said another.
        rash: Given sooner after the claim than anybody can look; not those that
            another card stood for, whose own claim says nothing of a look.
        blind: Asked without the guess first, and answered so.
        blind_agreed: Of those, the first word was the guess.
        blind_led: Of those, the first word was another, and the guess was then taken.
        to_answer_s: From the question to the answer, s, one an answer.
        looked_s: From the claim to the answer, s, one an answer to its own card.
    """

    answers: int = 0
    with_guess: int = 0
    agreed: int = 0
    caught: int = 0
    rash: int = 0
    blind: int = 0
    blind_agreed: int = 0
    blind_led: int = 0
    to_answer_s: list[float] = field(default_factory=list)
    looked_s: list[float] = field(default_factory=list)

    def as_mapping(self) -> dict[str, Any]:
        """Return the counts, and the medians instead of every time."""
        return {
            "answers": self.answers,
            "with_guess": self.with_guess,
            "agreed": self.agreed,
            "caught": self.caught,
            "rash": self.rash,
            "blind": self.blind,
            "blind_agreed": self.blind_agreed,
            "blind_led": self.blind_led,
            "median_to_answer_s": _median(self.to_answer_s),
            "median_looked_s": _median(self.looked_s),
        }


@dataclass(slots=True)
class ShiftReport:
    """A shift.

    Attributes:
        since: UTC from which answers count.
        all: Every answer.
        teams: By team; "" is who has none.
        timed_out: Questions that nobody answered.
        taken_back: Answers that were undone.
        caught: What was caught, and known cases; of teams large enough.
    """

    since: datetime
    all: Tally = field(default_factory=Tally)
    teams: dict[str, Tally] = field(default_factory=dict)
    timed_out: int = 0
    taken_back: int = 0
    caught: Board = field(default_factory=Board)


@dataclass(slots=True)
class _Asked:
    request: OperatorRequest
    at: datetime
    claimed_at: datetime | None = None
    said_at: datetime | None = None

    @property
    def guess(self) -> str:
        """The model's first guess; "" without a model."""
        return self.request.guess

    @property
    def looked(self) -> timedelta | None:
        """From the claim to the word; None when either is not known."""
        if self.claimed_at is None or self.said_at is None:
            return None
        return self.said_at - self.claimed_at


def shift_report(
    entries: Iterable[JournalEntry],
    since: datetime,
    *,
    never_miss: Collection[str],
    least_view: timedelta,
    action_of: ActionOf = no_action,
) -> ShiftReport:
    """Tell what the answers since a moment were worth.

    Args:
        entries: The journal from its beginning, in order: teams are older than shifts.
        since: UTC.
        never_miss: Labels that may not be missed.
        least_view: An answer that is sooner after the claim is rash.
        action_of: What a label lets a cell do: what is a fault.
    """
    reading = _Reading(ShiftReport(since), never_miss, least_view)
    for entry in entries:
        reading.read(decode(entry.kind, entry.payload_json), entry.recorded_at)
    sizes = Counter(reading.team_of.values())
    reading.report.caught = board(reading.final, sizes, action_of)
    return reading.report


class _Reading:
    """What is known so far, entry by entry."""

    def __init__(
        self, report: ShiftReport, never_miss: Collection[str], least_view: timedelta
    ) -> None:
        self.report = report
        self._never_miss = never_miss
        self._least_view = least_view
        self._asked: dict[RequestId, _Asked] = {}
        self.team_of: dict[PersonId, str] = {}
        self.final: list[PastAnswer] = []

    def read(self, event: events.Event, at: datetime) -> None:
        match event:
            case events.PersonAdded() | events.TeamChanged():
                self.team_of[event.person] = event.team
            case events.RequestOpened():
                request = event.request
                self._asked[request.request_id] = _Asked(request, at)
            case events.RequestClaimed() | events.ClaimHandedOver():
                self._asked[event.request_id].claimed_at = at
            case events.RequestAnswered():
                self._answered(event, at)
            case events.AnswerGiven() | events.AnswerUndone() | events.RequestEnded():
                self._between(event, at)
            case _:
                return

    def _between(
        self,
        event: events.AnswerGiven | events.AnswerUndone | events.RequestEnded,
        at: datetime,
    ) -> None:
        counts = at >= self.report.since
        match event:
            case events.AnswerGiven():
                self._asked[event.answer.request_id].said_at = at
            case events.AnswerUndone():
                self._asked[event.request_id].said_at = None
                self.report.taken_back += counts
            case events.RequestEnded():
                asked = self._asked.pop(event.request_id, None)
                known = asked is not None and asked.request.is_known
                timed_out = event.outcome is Outcome.TIMED_OUT and not known
                self.report.timed_out += counts and timed_out

    def _answered(self, answer: events.RequestAnswered, at: datetime) -> None:
        asked = self._asked.pop(answer.request_id)
        if at < self.report.since:
            return
        team, request = self.team_of.get(answer.actor.person, ""), asked.request
        self.final.append(
            PastAnswer(
                team,
                request.family,
                request.kind,
                request.guess,
                answer.label,
                request.known_label,
            )
        )
        if request.is_known:
            return
        mine = self.report.teams.setdefault(team, Tally())
        asked.said_at = asked.said_at or at
        for tally in (self.report.all, mine):
            _count(tally, answer, asked, self._never_miss)
            if asked.looked is not None and not answer.shown:
                tally.looked_s.append(asked.looked.total_seconds())
                tally.rash += asked.looked < self._least_view


def _count(
    tally: Tally,
    answer: events.RequestAnswered,
    asked: _Asked,
    never_miss: Collection[str],
) -> None:
    tally.answers += 1
    if asked.said_at is not None:
        tally.to_answer_s.append((asked.said_at - asked.at).total_seconds())
    if not asked.guess:
        return
    tally.with_guess += 1
    tally.agreed += answer.label == asked.guess
    tally.caught += answer.label in never_miss and answer.label != asked.guess
    if answer.first_label:
        tally.blind += 1
        tally.blind_agreed += answer.first_label == asked.guess
        led = answer.first_label != asked.guess and answer.label == asked.guess
        tally.blind_led += led


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None
