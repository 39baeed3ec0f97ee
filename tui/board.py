"""What the operator sees, as a value: events in, a new Board out. No Textual here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tui.evidence import Part
from tui.terms import (
    Cell,
    CellState,
    Family,
    Learning,
    Outcome,
    Presence,
    Request,
    RequestKind,
)
from tui.words import labelled, plant, say

HAPPENINGS: Final = 50
"""How many past events the board remembers."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """The coordinator sent the whole picture; at_s is the moment it arrived, s."""

    cells: tuple[Cell, ...]
    requests: tuple[Request, ...]
    presence: Presence
    learning: tuple[Learning, ...]
    families: tuple[Family, ...]
    coordinator: str
    at_s: float

    @property
    def words(self) -> dict[str, dict[str, str]]:
        """What people call labels, channels and cells, by language and id."""
        found: dict[str, dict[str, str]] = {}
        for family in self.families:
            for language, spoken in family.words.items():
                found.setdefault(language, {}).update(spoken)
        return found

    @property
    def texts(self) -> dict[str, str]:
        """The text of each label; not of one that families do not agree on."""
        found: dict[str, str] = {}
        for label in (label for family in self.families for label in family.labels):
            said = found.setdefault(label.name, label.text)
            found[label.name] = label.text if said == label.text else ""
        return found


@dataclass(frozen=True, slots=True)
class CellChanged:
    """One cell entered a state."""

    cell: Cell
    at_s: float


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """One request was opened, seen, claimed or ended."""

    request: Request
    at_s: float


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """People came or left."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class LearningChanged:
    """Training, validation or swap moved on."""

    learning: Learning
    at_s: float


@dataclass(frozen=True, slots=True)
class ChangesMissed:
    """The coordinator could not send us so many changes; a picture follows."""

    count: int
    at_s: float


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The coordinator does not answer; the picture is old."""

    why: str
    at_s: float


Event = (
    Pictured
    | CellChanged
    | RequestChanged
    | PresenceChanged
    | LearningChanged
    | ChangesMissed
    | LinkLost
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the recent past."""

    at_s: float
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One row of the queue: a request, and in a flood the others of its cause."""

    request: Request
    others: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """All cells, the open requests with the most urgent first, people and learning.

    Attributes:
        connected: The coordinator answers; otherwise everything below is old.
        trouble: Why it does not.
        lost_s: Moment the link was lost, s; None before the first picture.
        missed: Changes lost before the newest picture, and missed_s when that was.
        happenings: Newest first.
        apart: Requests that moved away from their cause: each is looked at by itself.
    """

    connected: bool = False
    trouble: str = ""
    lost_s: float | None = None
    coordinator: str = ""
    cells: Mapping[str, Cell] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    presence: Presence = field(default_factory=Presence)
    learning: Mapping[str, Learning] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    missed: int = 0
    missed_s: float = 0.0
    happenings: tuple[Happening, ...] = ()
    apart: frozenset[str] = frozenset()

    @property
    def cards(self) -> tuple[Card, ...]:
        """The rows of the queue: in a flood one for the questions of one cause."""
        causes: dict[str, list[Request]] = {}
        for request in self.requests:
            causes.setdefault(self._cause(request), []).append(request)
        cards = []
        for cause, asked in causes.items():
            if not cause:
                continue
            # Where somebody is at it already, that is what others should see.
            first = next((r for r in asked if r.claimed_by), asked[0])
            others = tuple(r for r in asked if r is not first)
            cards.append((self.requests.index(asked[0]), Card(first, others)))
        alone = [
            (place, Card(request))
            for place, request in enumerate(self.requests)
            if not self._cause(request)
        ]
        return tuple(card for _, card in sorted([*cards, *alone], key=lambda c: c[0]))

    def together(self, request_id: str, person: str) -> tuple[str, ...]:
        """The questions that one answer of this person may be for, by their ids."""
        request = self.request(request_id)
        cause = self._cause(request) if request is not None else ""
        if not cause:
            return ()
        return tuple(
            r.request_id
            for r in self.requests
            if self._cause(r) == cause
            and (r.request_id == request_id or r.claimed_by in {"", person})
        )

    def _cause(self, request: Request) -> str:
        """What it is asked for together with others; "" when it stands alone."""
        alone = (
            not self.presence.flood
            or request.kind is RequestKind.AUDIT
            or request.pending_label
            or request.first_by
            or request.request_id in self.apart
        )
        return "" if alone else request.group_id

    def request(self, request_id: str) -> Request | None:
        """The open request of that id, if there is one."""
        return next((r for r in self.requests if r.request_id == request_id), None)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Cells whose robot does not confirm that it holds: somebody must go there."""
        return tuple(c.cell_id for c in self.cells.values() if c.hold_unconfirmed)

    @property
    def questions(self) -> tuple[Request, ...]:
        """The open requests for which a cell waits."""
        return tuple(r for r in self.requests if r.kind is RequestKind.QUESTION)

    def next_request(
        self, person: str, passed: frozenset[str] = frozenset()
    ) -> Request | None:
        """The most urgent request that nobody else holds; passed ones are left out."""
        free = [
            request
            for request in self.requests
            if request.claimed_by in {"", person}
            and not request.pending_label
            and request.first_by != person
            and request.request_id not in passed
        ]
        others = {
            self._cause(r) for r in self.requests if r.claimed_by not in {"", person}
        }
        # What this person left to others comes back last; before it, a cause that
        # somebody else is at.
        return min(
            free,
            key=lambda r: (
                person in r.skipped_by,
                bool(self._cause(r)) and self._cause(r) in others,
            ),
            default=None,
        )

    def moved(self, *parts: Part, at_s: float) -> Board:
        """Remember, one by one, what a word to a whole cause was not taken for."""
        told = [
            Happening(at_s, part.mate.cell_id, say("cause.not_taken", why=part.text))
            for part in parts
        ]
        return replace(
            self,
            apart=self.apart | {part.mate.request_id for part in parts},
            happenings=(*told, *self.happenings)[:HAPPENINGS],
        )


def look_at(*cells: str) -> str:
    """What is to be done about robots that may move although they are held."""
    number = "one" if len(cells) == 1 else "many"
    named = ", ".join(map(plant, cells))
    return say(f"cell.do_not_confirm_{number}", cells=named)


def rings(before: Board, board: Board) -> bool:
    """Whether to sound: a new question, one that is late, a robot that may move."""
    if set(board.unconfirmed) - set(before.unconfirmed):
        return True
    known = {request.request_id for request in before.requests}
    asked = {request.request_id for request in board.questions}
    warned = {request.request_id for request in before.requests if request.warned}
    late = {request.request_id for request in board.questions if request.warned}
    return before.connected and bool(asked - known or (late & known) - warned)


def fold(board: Board, event: Event) -> Board:
    """Return the board after one event."""
    match event:
        case Pictured():
            return _pictured(board, event)
        case CellChanged(cell=cell, at_s=at_s):
            told = _tell_cell(board.cells.get(cell.cell_id), cell, at_s)
            return _remember(
                replace(board, cells={**board.cells, cell.cell_id: cell}), told
            )
        case RequestChanged(request=request, at_s=at_s):
            told = _tell_request(board.request(request.request_id), request, at_s)
            queue = _queued(board.requests, request)
            return _remember(replace(board, requests=queue), told)
        case PresenceChanged(presence=presence):
            return replace(board, presence=presence)
        case LearningChanged(learning=learning, at_s=at_s):
            told = _tell_learning(board.learning.get(learning.family), learning, at_s)
            stands = {**board.learning, learning.family: learning}
            return _remember(replace(board, learning=stands), told)
        case ChangesMissed(count=count, at_s=at_s):
            return replace(board, missed=count, missed_s=at_s)
        case LinkLost(why=why, at_s=at_s):
            return _lost(board, why, at_s)


def _pictured(board: Board, event: Pictured) -> Board:
    return replace(
        board,
        connected=True,
        trouble="",
        lost_s=None,
        coordinator=event.coordinator,
        cells={cell.cell_id: cell for cell in event.cells},
        requests=_by_urgency(r for r in event.requests if r.is_open),
        presence=event.presence,
        learning={stands.family: stands for stands in event.learning},
        families={family.name: family for family in event.families},
    )


def _lost(board: Board, why: str, at_s: float) -> Board:
    since = at_s if board.connected else board.lost_s
    return replace(board, connected=False, trouble=why, lost_s=since)


def _queued(requests: tuple[Request, ...], changed: Request) -> tuple[Request, ...]:
    kept = [r for r in requests if r.request_id != changed.request_id]
    return _by_urgency([*kept, changed] if changed.is_open else kept)


def _by_urgency(requests: Iterable[Request]) -> tuple[Request, ...]:
    """A question before an audit, then what the coordinator and the deadline say."""
    return tuple(
        sorted(
            requests,
            key=lambda r: (
                r.kind is RequestKind.AUDIT,
                r.priority,
                r.deadline_s,
                r.request_id,
            ),
        )
    )


def _remember(board: Board, told: Happening | None) -> Board:
    if told is None:
        return board
    return replace(board, happenings=(told, *board.happenings)[:HAPPENINGS])


def _tell_cell(before: Cell | None, cell: Cell, at_s: float) -> Happening | None:
    """What a person wants to remember of a cell: that it stood still, or went on."""
    if before is not None and before.hold_unconfirmed is not cell.hold_unconfirmed:
        confirmed = say("cell.known_to_hold")
        text = look_at(cell.cell_id) if cell.hold_unconfirmed else confirmed
        name = f"{plant(cell.cell_id)} "
        return Happening(at_s, cell.cell_id, text.removeprefix(name))
    if before is None or before.state is cell.state:
        return None
    still = {CellState.HELD, CellState.OFFLINE, CellState.MAINTENANCE}
    if cell.state in still:
        return Happening(at_s, cell.cell_id, cell.text or _state(cell))
    if before.state in still:
        return Happening(at_s, cell.cell_id, say("cell.again", state=_state(cell)))
    return None


def _state(cell: Cell) -> str:
    return say(f"state.{cell.state.value}")


def _tell_request(
    before: Request | None, request: Request, at_s: float
) -> Happening | None:
    """How a request ended: that it was asked stands in the queue."""
    kind = say(f"lately.{request.kind.value}")
    if before is None:
        return None
    if request.outcome is Outcome.ANSWERED:
        label = labelled(request.label) if request.label else say("lately.cannot_tell")
        said = say("lately.says", person=request.answered_by, label=label)
        corrected = request.guess and request.label and request.guess != request.label
        guess = labelled(request.guess)
        also = say("lately.model_said", label=guess) if corrected else ""
        return Happening(at_s, request.cell_id, said + also)
    if not request.is_open:
        ended = say(f"lately.{request.outcome.value}")
        text = say("lately.ended", kind=kind, outcome=ended)
        return Happening(at_s, request.cell_id, text)
    if request.level > before.level:
        return Happening(at_s, request.cell_id, say("lately.went_up", kind=kind))
    return None


def _tell_learning(
    before: Learning | None, learning: Learning, at_s: float
) -> Happening | None:
    if not learning.text or (before is not None and before.text == learning.text):
        return None
    return Happening(at_s, learning.family, learning.text)
