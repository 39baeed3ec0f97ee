"""The key numbers of a stretch of time: pure functions of what happened in it.

A number that cannot be measured is left out: a share of nothing is not 0 %. Each name
ends in its unit. What the numbers mean stands in docs/numbers.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from coordinator.history import (
    Past,
    PastDecision,
    PastMove,
    PastRelease,
    PastRequest,
)
from coordinator.terms import (
    POLICY,
    Action,
    CellId,
    CellState,
    Decision,
    DecisionId,
    Outcome,
    RequestKind,
)

PARTS: Final = 24
"""Into how many parts a time is cut to show how a number went."""

TRENDS: Final = (
    "questions_per_hour",
    "time_to_answer_p50_s",
    "automation_share",
    "waiting_for_human_share",
)
"""The numbers whose course is shown."""

AT_WORK: Final = frozenset(CellState) - {CellState.OFFLINE, CellState.MAINTENANCE}
"""States whose time counts: the others are nobody's loss."""

_HUMAN: Final = (CellState.ASKING, CellState.HELD)
ActionOf = Callable[[CellId, str], Action | None]
"""The action of a label of a cell's family; None for a label that is gone."""


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers of all cells, of a family or of one cell.

    Attributes:
        family: Id, "" for all together.
        cell_id: Id, "" for more than one.
        numbers: By name.
        trends: By name, oldest part first; NaN where there is nothing to measure.
    """

    family: str
    cell_id: str
    numbers: Mapping[str, float]
    trends: Mapping[str, Sequence[float]]


def rows(
    past: Past,
    family_of: Mapping[CellId, str],
    action_of: ActionOf,
    *,
    cells_too: bool = True,
) -> list[Row]:
    """Measure all cells together, each family, and each cell.

    Args:
        past: What happened.
        family_of: The cells that are configured, with their families.
        action_of: What a label lets a cell do.
        cells_too: Also each cell; they have trends only where there is one.
    """
    by_cell = split(past, family_of)
    chosen: list[tuple[str, str, list[CellId]]] = [("", "", list(family_of))]
    for family in sorted(set(family_of.values())):
        cells = [cell for cell, owner in family_of.items() if owner == family]
        chosen.append((family, "", cells))
        if cells_too:
            chosen += [(family, cell, [cell]) for cell in cells]
    found = []
    for family, cell_id, cells in chosen:
        whole = joined(past, [by_cell[cell] for cell in cells])
        wanted = not cell_id or len(family_of) == 1
        course = [
            measure(part, cells, action_of) for part in (parts(whole) if wanted else ())
        ]
        trends = {
            name: [part.get(name, math.nan) for part in course] for name in TRENDS
        }
        numbers = measure(whole, cells, action_of)
        found.append(Row(family, cell_id, numbers, trends))
    return found


class _OfCell(Protocol):
    @property
    def cell_id(self) -> CellId: ...


_T = TypeVar("_T", bound=_OfCell)


def split(past: Past, cells: Iterable[CellId]) -> dict[CellId, Past]:
    """What happened, cell by cell; other cells are left out."""
    decisions, requests = _by_cell(past.decisions), _by_cell(past.requests)
    moves, releases = _by_cell(past.moves), _by_cell(past.releases)
    return {
        cell: replace(
            past,
            decisions=decisions.get(cell, []),
            requests=requests.get(cell, []),
            moves=moves.get(cell, []),
            releases=releases.get(cell, []),
            now={cell: past.now.get(cell, CellState.OFFLINE)},
        )
        for cell in cells
    }


def _by_cell(items: Iterable[_T]) -> dict[CellId, list[_T]]:
    found: dict[CellId, list[_T]] = {}
    for item in items:
        found.setdefault(item.cell_id, []).append(item)
    return found


def joined(past: Past, cells: Sequence[Past]) -> Past:
    """What happened to some cells together."""
    return replace(
        past,
        decisions=[d for one in cells for d in one.decisions],
        requests=[r for one in cells for r in one.requests],
        moves=[m for one in cells for m in one.moves],
        releases=[r for one in cells for r in one.releases],
        now={cell: state for one in cells for cell, state in one.now.items()},
    )


def measure(
    past: Past, cells: Collection[CellId], action_of: ActionOf
) -> dict[str, float]:
    """The numbers of some cells over one stretch of time, by name."""
    hours = (past.until - past.since).total_seconds() / 3600.0
    if not hours > 0.0:
        return {}
    return {
        **_asking(past, hours),
        **_deciding(past),
        **_states(past, cells),
        **_people(past, cells),
        **_parts_made(past, action_of),
    }


def _within(past: Past, at: datetime | None) -> bool:
    return at is not None and past.since <= at < past.until


def _answered(past: Past) -> list[PastRequest]:
    return [
        r
        for r in past.requests
        if r.outcome is Outcome.ANSWERED and _within(past, r.resolved_at)
    ]


def _asking(past: Past, hours: float) -> dict[str, float]:
    """How much is asked, and how soon it is answered."""
    raised = [r for r in past.requests if _within(past, r.raised_at)]
    questions = [r for r in raised if r.kind is RequestKind.QUESTION]
    answered = _answered(past)
    late = [
        r
        for r in past.requests
        if r.outcome is Outcome.TIMED_OUT and _within(past, r.resolved_at)
    ]
    numbers = {
        "questions_count": float(len(questions)),
        "audits_count": float(len(raised) - len(questions)),
        "answers_count": float(len(answered)),
        "timed_out_count": float(len(late)),
        "questions_per_hour": len(questions) / hours,
        "answers_per_hour": len(answered) / hours,
    }
    waited = [
        (r.resolved_at - r.raised_at).total_seconds()
        for r in answered
        if r.kind is RequestKind.QUESTION and r.resolved_at is not None
    ]
    if waited:
        numbers["time_to_answer_p50_s"] = quantile(waited, 0.5)
        numbers["time_to_answer_p95_s"] = quantile(waited, 0.95)
    spoken = [r for r in answered if r.label and r.guess]
    if spoken:
        corrected = sum(r.label != r.guess for r in spoken)
        numbers["corrections_share"] = corrected / len(spoken)
    return numbers


def _deciding(past: Past) -> dict[str, float]:
    """What was decided alone."""
    said = Counter(d.decision for d in past.decisions)
    numbers = {
        "windows_count": float(len(past.decisions)),
        "acted_count": float(said[Decision.ACT]),
    }
    if past.decisions:
        numbers["automation_share"] = said[Decision.ACT] / len(past.decisions)
    return numbers


def spent(past: Past, cells: Iterable[CellId]) -> dict[CellState, float]:
    """How long the cells were in each state, in seconds, all together."""
    total: dict[CellState, float] = dict.fromkeys(CellState, 0.0)
    last = {cell: (past.since, past.now.get(cell)) for cell in cells}
    for move in past.moves:
        if move.cell_id in last:
            since, _ = last[move.cell_id]
            at = min(max(move.at, since), past.until)
            total[move.before] += (at - since).total_seconds()
            last[move.cell_id] = (at, move.after)
    for since, state in last.values():
        total[state or CellState.OFFLINE] += (past.until - since).total_seconds()
    return total


def _states(past: Past, cells: Collection[CellId]) -> dict[str, float]:
    """Where the time of work went."""
    total = spent(past, cells)
    at_work = sum(total[state] for state in AT_WORK)
    numbers = {"at_work_s": at_work}
    if not at_work > 0.0:
        return numbers
    return numbers | {
        "working_share": total[CellState.WORKING] / at_work,
        "waiting_for_human_share": sum(total[state] for state in _HUMAN) / at_work,
        "asking_share": total[CellState.ASKING] / at_work,
        "held_share": total[CellState.HELD] / at_work,
        "waiting_for_model_share": total[CellState.DECIDING] / at_work,
        "idle_share": total[CellState.IDLE] / at_work,
    }


def _people(past: Past, cells: Collection[CellId]) -> dict[str, float]:
    """How often people are needed, and what their time brings."""
    by_hand = [r for r in past.releases if not r.person.startswith(POLICY)]
    asked = [
        r
        for r in past.requests
        if r.kind is RequestKind.QUESTION and _within(past, r.raised_at)
    ]
    numbers = {"interventions_count": float(len(asked) + len(by_hand))}
    total = spent(past, cells)
    at_work = sum(total[state] for state in AT_WORK)
    if asked or by_hand:
        between = at_work / (len(asked) + len(by_hand))
        numbers["between_interventions_s"] = between
    answered = _answered(past)
    at_it = sum(
        (r.resolved_at - r.claimed_at).total_seconds()
        for r in answered
        if r.claimed_at is not None and r.resolved_at is not None
    )
    if at_it > 0.0:
        acted = sum(d.decision is Decision.ACT for d in past.decisions)
        numbers["human_time_s"] = at_it
        numbers["decided_per_human_minute"] = (acted + len(answered)) / (at_it / 60.0)
    return numbers


def _parts_made(past: Past, action_of: ActionOf) -> dict[str, float]:
    """First-pass yield: of the parts whose first window is decided, the good ones."""
    answers = {
        r.decision_id: r for r in past.requests if r.kind is RequestKind.QUESTION
    }
    first: dict[tuple[CellId, str], PastDecision] = {}
    for decided in past.decisions:
        first.setdefault((decided.cell_id, decided.part), decided)
    good = settled = 0
    for decided in first.values():
        label = _label(decided, answers)
        if label is None:
            continue
        settled += 1
        good += action_of(decided.cell_id, label) is Action.CONTINUE
    numbers = {"parts_count": float(len(first))}
    if settled:
        numbers["first_pass_share"] = good / settled
    return numbers


def _label(
    decided: PastDecision, answers: Mapping[DecisionId, PastRequest]
) -> str | None:
    """What a window was decided to be; "" for no good part, None while it is open."""
    if decided.decision is Decision.ACT:
        return decided.guess
    request = answers.get(decided.decision_id)
    if request is None:
        return ""
    if request.outcome is Outcome.OPEN:
        return None
    return request.label if request.outcome is Outcome.ANSWERED else ""


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def parts(past: Past) -> list[Past]:
    """Equal parts of the time, oldest first."""
    step = (past.until - past.since) / PARTS
    if not step > timedelta():
        return []

    def place(at: datetime) -> int:
        return min(PARTS - 1, max(0, int((at - past.since) / step)))

    decisions: list[list[PastDecision]] = [[] for _ in range(PARTS)]
    moves: list[list[PastMove]] = [[] for _ in range(PARTS)]
    releases: list[list[PastRelease]] = [[] for _ in range(PARTS)]
    for decided in past.decisions:
        decisions[place(decided.at)].append(decided)
    for move in past.moves:
        moves[place(move.at)].append(move)
    for let_go in past.releases:
        releases[place(let_go.at)].append(let_go)
    found: list[Past] = []
    state = dict(past.now)
    for i in reversed(range(PARTS)):
        found.append(
            replace(
                past,
                since=past.since + i * step,
                until=past.since + (i + 1) * step,
                decisions=decisions[i],
                moves=moves[i],
                releases=releases[i],
                now=dict(state),
            )
        )
        for move in reversed(moves[i]):
            state[move.cell_id] = move.before
    return found[::-1]
