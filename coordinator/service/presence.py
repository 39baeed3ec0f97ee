"""Who can answer: the clients that watch and said that they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coordinator.clock import SECOND_NS
from coordinator.terms import Actor, OperatorRequest, RequestKind, SessionId

UNHEARD_NS = 30 * SECOND_NS
"""A question waits unheard after so long without a claim or an answer anywhere."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who is there.

    Attributes:
        people: Their names, each once.
        answering: Connected clients that can answer.
        nobody: A question waits, and nobody is there or nobody takes it.
    """

    people: tuple[str, ...]
    answering: int
    nobody: bool


class Presence:
    """Counts connected clients that can answer. It lives on the event loop."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._answering: Counter[Actor] = Counter()

    def people(self, lives: Callable[[SessionId], bool]) -> int:
        """How many people can answer, each once, at however many places.

        Args:
            lives: Whether a person's session has not ended.
        """
        return len(self._present(lives))

    @contextmanager
    def answering(self, actor: Actor) -> Iterator[None]:
        """Count a client until the block ends."""
        self._answering[actor] += 1
        self._changed()
        try:
            yield
        finally:
            self._answering[actor] -= 1
            self._answering = +self._answering  # names of people who left are let go
            self._changed()

    def attendance(
        self,
        requests: Sequence[OperatorRequest],
        now_ns: int,
        last_answer_ns: int | None,
        *,
        lives: Callable[[SessionId], bool],
    ) -> Attendance:
        """Say who is there.

        Args:
            requests: The open ones.
            now_ns: Monotonic clock.
            last_answer_ns: Monotonic time of the newest answer; None before the first.
            lives: Whether a person's session has not ended.
        """
        present = self._present(lives)
        questions = [r for r in requests if r.kind is RequestKind.QUESTION]
        busy = (
            last_answer_ns is not None and now_ns - last_answer_ns <= UNHEARD_NS
        ) or any(request.claimed_by for request in questions)
        unheard = any(
            now_ns - (request.deadline_ns - request.time_allowed_ns) > UNHEARD_NS
            for request in questions
        )
        return Attendance(
            people=tuple(sorted(present)),
            answering=present.total(),
            nobody=bool(questions) and (present.total() == 0 or (unheard and not busy)),
        )

    def _present(self, lives: Callable[[SessionId], bool]) -> Counter[str]:
        """Whose clients can answer: of those who log in, only while they are."""
        present: Counter[str] = Counter()
        for actor, clients in self._answering.items():
            if not actor.verified or lives(actor.session):
                present[actor.person] += clients
        return present
