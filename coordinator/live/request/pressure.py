"""How much people are asked, against what they can answer with care.

Load is a safety matter: whoever is asked too much stops looking. Few people may mean
that more cells stand still, never that less is asked: nothing is dropped, no threshold
is lowered. A flood only changes what is shown, one card for one cause, and is said.
Questions without a model are a cold start, which is expected, and do not count.

The limits are those of alarm management (EEMUA 191, ISA-18.2): about six an hour are
worked on with care, more than ten in ten minutes are a flood.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from coordinator.clock import SECOND_NS, Clock
from coordinator.terms import FamilyId, OperatorRequest, RequestKind, events

SHORT_NS = 600 * SECOND_NS
"""Ten minutes: what is asked in them may be a flood."""
HOUR_NS = 3600 * SECOND_NS
AT_ONCE_NS = 300 * SECOND_NS
"""Open questions raised within five minutes are asked at once."""
DOUBT_SHARE = 0.3
"""A model that asks at once in more of its cells than this is doubted."""
DOUBT_CELLS = 3
"""At least so many: two cells of three that ask are an ordinary morning."""
MOST_COUNTED = 100_000
"""Questions that are remembered; more an hour is a flood whatever else."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person can take.

    Attributes:
        flood_short: More questions in ten minutes a person are a flood.
        budget_hour: Questions an hour a person answers with care.
    """

    flood_short: int = 10
    budget_hour: int = 6


@dataclass(frozen=True, slots=True)
class Load:
    """How much people are asked now.

    Attributes:
        flood: More than they can take; one card stands for one cause.
        since_at: UTC since when; None without a flood.
        asked_short: Questions of the last ten minutes.
        asked_hour: Questions of the last hour.
        budget_hour: What the people who are there answer with care in an hour.
        doubted: Families whose model asks in too many cells at once.
    """

    flood: bool = False
    since_at: datetime | None = None
    asked_short: int = 0
    asked_hour: int = 0
    budget_hour: int = 6
    doubted: tuple[FamilyId, ...] = ()


def one_person() -> int:
    """Count one person, whoever is there."""
    return 1


class Pressure:
    """Counts questions. It lives on the event loop, and no method awaits."""

    def __init__(
        self,
        clock: Clock,
        *,
        limits: Limits | None = None,
        people: Callable[[], int] = one_person,
        cells_of: Mapping[FamilyId, int] | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._people = people
        self._cells_of = cells_of or {}
        self._asked_ns: deque[int] = deque(maxlen=MOST_COUNTED)
        self._shown_ns: deque[int] = deque(maxlen=MOST_COUNTED)
        self._flood_at: datetime | None = None
        self._doubted: dict[FamilyId, int] = {}

    def asked(self, request: OperatorRequest) -> None:
        """Count a question that was just raised, or that is open at the start."""
        self._shown_ns.append(self._clock.monotonic_ns())
        if _counts_as_asked(request):
            self._asked_ns.append(self._clock.monotonic_ns())

    def remember(
        self, ended: Iterable[OperatorRequest], flood_at: datetime | None
    ) -> None:
        """Know what was asked before this coordinator began, and whether it was much.

        A restart must not make a flood look like an ordinary morning.

        Args:
            ended: Requests that have ended; those of the last hour count. Open ones
                are told by asked().
            flood_at: UTC since when there is a flood on record; None without one.
        """
        now_ns, now = self._clock.monotonic_ns(), self._clock.utc_now()
        for request in sorted(ended, key=lambda r: r.raised_at, reverse=True):
            # A clock that was set back makes no question of tomorrow.
            age_s = max(0.0, (now - request.raised_at).total_seconds())
            age_ns = round(age_s * SECOND_NS)
            if age_ns > HOUR_NS:
                break
            self._shown_ns.appendleft(now_ns - age_ns)
            if _counts_as_asked(request):
                self._asked_ns.appendleft(now_ns - age_ns)
        self._flood_at = flood_at

    @property
    def has_room(self) -> bool:
        """Whether people can take one more request that nobody needs.

        Audits count too here: they also want to be looked at.
        """
        now_ns = self._clock.monotonic_ns()
        shown = sum(1 for at_ns in self._shown_ns if now_ns - at_ns <= HOUR_NS)
        budget = self._limits.budget_hour * max(1, self._people())
        return not self.flood and shown < budget

    @property
    def flood(self) -> bool:
        """Whether one card stands for one cause now."""
        return self._flood_at is not None

    def load(self) -> Load:
        """Say how much people are asked now."""
        short, hour = self._counts()
        return Load(
            flood=self.flood,
            since_at=self._flood_at,
            asked_short=short,
            asked_hour=hour,
            budget_hour=self._limits.budget_hour * max(1, self._people()),
            doubted=tuple(sorted(self._doubted)),
        )

    def look(self, requests: Iterable[OperatorRequest]) -> list[events.Event]:
        """Look at the load; return what began or ended, to be recorded.

        Args:
            requests: The open ones.
        """
        found: list[events.Event] = []
        short, _ = self._counts()
        people = max(1, self._people())
        limit = self._limits.flood_short * people
        if not self.flood and short > limit:
            self._flood_at = self._clock.utc_now()
            found.append(events.FloodBegan(short, people))
        elif self.flood and short * 2 <= limit:
            self._flood_at = None
            found.append(events.FloodEnded(short, people))
        return found + self._doubts(requests)

    def _counts(self) -> tuple[int, int]:
        now_ns = self._clock.monotonic_ns()
        while self._asked_ns and now_ns - self._asked_ns[0] > HOUR_NS:
            self._asked_ns.popleft()
        short = sum(1 for asked_ns in self._asked_ns if now_ns - asked_ns <= SHORT_NS)
        return short, len(self._asked_ns)

    def _doubts(self, requests: Iterable[OperatorRequest]) -> list[events.Event]:
        """Tell of models that ask in too many cells at once.

        The gate stays as it is: every cell that is unsure holds already, and whether
        the model errs is measured elsewhere. A person has to look for the cause.
        """
        now_ns = self._clock.monotonic_ns()
        asking: dict[FamilyId, set[str]] = {}
        for r in requests:
            raised_ns = r.deadline_ns - r.time_allowed_ns
            if r.cause and now_ns - raised_ns <= AT_ONCE_NS:
                asking.setdefault(r.family, set()).add(r.cell_id)
        doubted = {
            family: len(cells)
            for family, cells in asking.items()
            if len(cells) >= DOUBT_CELLS
            and len(cells) > DOUBT_SHARE * self._cells_of.get(family, len(cells))
        }
        new = doubted.keys() - self._doubted.keys()
        self._doubted = doubted
        return [
            events.ModelDoubted(family, doubted[family], self._cells_of.get(family, 0))
            for family in sorted(new)
        ]


def _counts_as_asked(request: OperatorRequest) -> bool:
    """Whether a model's doubt raised it: no audit, and no cold start."""
    return request.kind is RequestKind.QUESTION and bool(request.cause)
