"""A labelling party: several people, one queue of stored windows, nobody twice.

A window is lent to one person for a while; when nothing was said by then it is offered
again. What a person has said anything of, or passed over, does not come back to them.
Every few windows one comes that another person has labelled: their agreement tells how
far the labels can be trusted. Such windows are drawn at random, or agreement would be
measured on the hard ones alone.

Windows of the groups that no model learns from are never offered: what measures a model
must come as the cells made it, and must not be open to anybody's choice.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import NotFoundError
from coordinator.learning.correction.opinions import Opinions
from coordinator.learning.correction.pool import Pool, Stored
from coordinator.terms import Digest, FamilyId, PersonId, WindowId
from coordinator.terms.teaching import PartyStatus, Pick

SECOND_EVERY: Final = 5
"""Of so many windows one is for a second opinion, where there are any."""
HERE_NS: Final = 30 * SECOND_NS
"""Who did nothing for so long is not counted as here."""
MINUTE_NS: Final = 60 * SECOND_NS
PACE_NS: Final = 5 * MINUTE_NS
"""Time over which opinions a minute are counted."""
MOST_ALIKE: Final = 50
"""Windows that are labelled with one key at most."""

KeptApart = Callable[[Sequence[str]], NDArray[np.bool_]]
"""Which groups no model learns from."""
Busy = Callable[[], Collection[WindowId]]
"""Windows that a person is asked about right now."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A window in one person's hands.

    Attributes:
        window: Which.
        person: Whose.
        pick: Why this one.
        chance: Probability with which the pick fell on it.
        until_ns: Monotonic end; afterwards it is offered again.
    """

    window: Stored
    person: PersonId
    pick: Pick
    chance: float
    until_ns: int


@dataclass(slots=True)
class Cluster:
    """Windows nearly the same as one that a person looks at.

    Attributes:
        shown: The one that is shown.
        windows: The others, the most alike first; the last is the edge.
    """

    shown: Stored
    windows: list[Stored]

    @property
    def digest(self) -> Digest:
        """SHA-256 over all of it: what a person agreed to label."""
        text = "\n".join(
            ("alike/1", *(w.window_digest for w in (self.shown, *self.windows)))
        )
        return Digest(hashlib.sha256(text.encode()).hexdigest())


@dataclass(slots=True)
class _Guest:
    """One person at the party."""

    last_ns: int
    handed: int = 0
    passed: set[WindowId] = field(default_factory=set)
    cluster: Cluster | None = None


class Party:
    """The queue of one family. Not thread-safe: it lives on the event loop."""

    def __init__(
        self,
        family: FamilyId,
        *,
        clock: Clock,
        lease_ns: int,
        kept_apart: KeptApart,
        busy: Busy,
    ) -> None:
        self.family = family
        self.pool = Pool()
        self.opinions = Opinions()
        self._clock = clock
        self._lease_ns = lease_ns
        self._kept_apart = kept_apart
        self._busy = busy
        self._lent: dict[WindowId, Lent] = {}
        self._guests: dict[PersonId, _Guest] = {}
        self._said_ns: deque[int] = deque(maxlen=100_000)
        self._apart: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def start_over(self) -> None:
        """Forget the windows, not who has which: they are about to be read again."""
        self.pool = Pool()
        self.opinions = Opinions()
        self._apart = np.zeros(0, np.bool_)

    # -- lending ---------------------------------------------------------------------

    def lend(
        self, person: PersonId, count: int, *, oldest_first: bool = False
    ) -> list[Lent]:
        """Hand a person their next windows, each for one lease.

        Args:
            person: Who.
            count: How many at most.
            oldest_first: In the order of time, not by what teaches most.
        """
        guest = self._guest(person)
        handed: list[Lent] = []
        while len(handed) < count:
            found = self._next(guest, person, oldest_first=oldest_first)
            if found is None:
                break
            i, pick, chance = found
            until_ns = self._clock.monotonic_ns() + self._lease_ns
            lent = Lent(self.pool.windows[i], person, pick, chance, until_ns)
            self._lent[lent.window.window_id] = lent
            self.pool.take(i)
            guest.handed += 1
            handed.append(lent)
        return handed

    def lent_to(self, person: PersonId, window_id: WindowId) -> Lent | None:
        """Return what a person holds, None when the lease ran out."""
        lent = self._lent.get(window_id)
        return lent if lent and lent.person == person and self._holds(lent) else None

    def give_back(self, person: PersonId, window_id: WindowId, *, passed: bool) -> None:
        """Take a window back unsaid.

        Args:
            person: Who had it.
            window_id: The window.
            passed: The person does not want to see it again; others may.
        """
        guest = self._guest(person)
        if passed:
            guest.passed.add(window_id)
        lent = self._lent.get(window_id)
        if lent is not None and lent.person == person:
            del self._lent[window_id]

    def cluster(self, person: PersonId, window_id: WindowId) -> Cluster:
        """Lend a person what is nearly the same as a window.

        It stays theirs for one lease, so that nobody labels it twice meanwhile.

        Raises:
            NotFoundError: the window is not here.
        """
        i = self.pool.place.get(window_id)
        if i is None:
            raise NotFoundError(f"window {window_id} is not to be labelled.")
        guest = self._guest(person)
        places = self.pool.alike(i, self._first(guest, person), MOST_ALIKE)
        until_ns = self._clock.monotonic_ns() + self._lease_ns
        for j in places:
            window = self.pool.windows[j]
            self._lent[window.window_id] = Lent(
                window, person, Pick.ALIKE, 1.0, until_ns
            )
        windows = [self.pool.windows[j] for j in places]
        guest.cluster = Cluster(self.pool.windows[i], windows)
        return guest.cluster

    def cluster_of(self, person: PersonId, digest: Digest) -> Cluster | None:
        """Return the cluster that a person was shown, if it is this one."""
        cluster = self._guest(person).cluster
        return cluster if cluster is not None and cluster.digest == digest else None

    def drop_cluster(self, person: PersonId) -> None:
        """Let others have what was lent as a cluster and not labelled."""
        guest = self._guest(person)
        for window in guest.cluster.windows if guest.cluster else ():
            self.give_back(person, window.window_id, passed=False)
        guest.cluster = None

    def noted(self, person: PersonId, *windows: Stored) -> None:
        """Windows have been labelled: nobody holds them, and the pace is known."""
        guest = self._guest(person)
        for window in windows:
            self._lent.pop(window.window_id, None)
            self._said_ns.append(guest.last_ns)

    def taken_back(self, person: PersonId, window_id: WindowId) -> None:
        """An opinion was taken back: the window is in this person's hands again."""
        until_ns = self._guest(person).last_ns + self._lease_ns
        i = self.pool.place.get(window_id)
        if i is not None:
            self._lent[window_id] = Lent(
                self.pool.windows[i], person, Pick.AGAIN, 1.0, until_ns
            )

    def _next(
        self, guest: _Guest, person: PersonId, *, oldest_first: bool
    ) -> tuple[int, Pick, float] | None:
        turn = guest.handed % SECOND_EVERY == SECOND_EVERY - 1
        if turn and (found := self._of_others(guest, person)):
            return found
        may = self._first(guest, person)
        if may.any():
            if oldest_first:
                return int(np.argmax(may)), Pick.TIME, 1.0
            i = self.pool.most(may)
            if i is not None:
                return i, Pick.MOST, 1.0
        return self._of_others(guest, person)

    def _of_others(
        self, guest: _Guest, person: PersonId
    ) -> tuple[int, Pick, float] | None:
        """A window that others labelled: disputed ones first, else drawn at random."""
        free = self._free(guest, person)
        for digest in self.opinions.disputed():
            if (i := self.pool.find(digest)) is not None and free[i]:
                return i, Pick.DISPUTED, 1.0
        once = [
            i
            for digest, people in self.opinions.labelled().items()
            if people == 1 and (i := self.pool.find(digest)) is not None and free[i]
        ]
        if once:
            drawn = min(once, key=lambda i: _lot(person, self.pool.windows[i]))
            return drawn, Pick.SECOND, 1.0 / len(once)
        return None

    def measures_models(self, window: Stored) -> bool:
        """Whether no model learns from it: nobody may choose to label it."""
        return bool(self._kept()[self.pool.place[window.window_id]])

    # -- what may be shown -----------------------------------------------------------

    def _first(self, guest: _Guest, person: PersonId) -> NDArray[np.bool_]:
        """Which windows nobody has labelled and this person may: (windows,)."""
        return self._unlabelled(self._free(guest, person))

    def _unlabelled(self, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of these windows those that nobody has labelled: (windows,) -> (windows,)."""
        free = free.copy()
        for digest in self.opinions.labelled():
            if (i := self.pool.find(digest)) is not None:
                free[i] = False
        return free

    def _free(self, guest: _Guest, person: PersonId) -> NDArray[np.bool_]:
        """Which windows are in nobody's hands and new to this person: (windows,)."""
        free = ~self._kept()
        held = {w for w, lent in self._lent.items() if self._holds(lent)}
        for window_id in {*held, *guest.passed, *self._busy()}:
            if (i := self.pool.place.get(window_id)) is not None:
                free[i] = False
        for digest in self.opinions.spoken_by(person):
            if (i := self.pool.find(digest)) is not None:
                free[i] = False
        return free

    def _kept(self) -> NDArray[np.bool_]:
        """Which windows measure models, and teach none: (windows,)."""
        known, count = len(self._apart), len(self.pool)
        if known < count:
            groups = [window.group for window in self.pool.windows[known:]]
            self._apart = np.concatenate([self._apart, self._kept_apart(groups)])
        return self._apart

    def _holds(self, lent: Lent) -> bool:
        return self._clock.monotonic_ns() < lent.until_ns

    def _guest(self, person: PersonId) -> _Guest:
        now_ns = self._clock.monotonic_ns()
        guest = self._guests.setdefault(person, _Guest(now_ns))
        guest.last_ns = now_ns
        return guest

    def unlabelled(self) -> list[Stored]:
        """Return the windows that nobody has labelled, the oldest first."""
        free = self._unlabelled(~self._kept())
        return [self.pool.windows[int(i)] for i in np.flatnonzero(free)]

    def is_disputed(self, window_id: WindowId) -> bool:
        """Whether people contradict each other about a window."""
        i = self.pool.place.get(window_id)
        if i is None:
            return False
        return self.pool.windows[i].window_digest in self.opinions.disputed()

    # -- for people ------------------------------------------------------------------

    def status(self, *, unread: bool = False) -> PartyStatus:
        """Say how far it is."""
        now_ns = self._clock.monotonic_ns()
        left, second = self._counts()
        agreed = self.opinions.agreement()
        here = sorted(
            p for p, g in self._guests.items() if now_ns - g.last_ns <= HERE_NS
        )
        return PartyStatus(
            family=self.family,
            left=left,
            second=second,
            disputed=len(agreed.disputes),
            taught=self.opinions.standing,
            per_minute=self._pace(now_ns),
            people=tuple(here),
            percent=agreed.percent,
            value=agreed.value,
            unread=unread,
        )

    def _pace(self, now_ns: int) -> float:
        """Opinions a minute, over the last minutes."""
        while self._said_ns and now_ns - self._said_ns[0] > PACE_NS:
            self._said_ns.popleft()
        if not self._said_ns:
            return 0.0
        span_ns = max(now_ns - self._said_ns[0], MINUTE_NS)
        return len(self._said_ns) * MINUTE_NS / span_ns

    def _counts(self) -> tuple[int, int]:
        may = ~self._kept()
        once = [d for d, people in self.opinions.labelled().items() if people == 1]
        second = sum(bool(may[i]) for i in map(self.pool.find, once) if i is not None)
        return int(self._unlabelled(may).sum()), second


def _lot(person: PersonId, window: Stored) -> bytes:
    """A lot that anybody can draw again."""
    text = f"second/1 {person} {window.window_digest}"
    return hashlib.sha256(text.encode()).digest()
