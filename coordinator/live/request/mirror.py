"""What is open, as a mirror of the store: who reads a board never waits for a disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from coordinator.clock import Clock
from coordinator.live.request.rules import urgency
from coordinator.terms import CellId, OperatorRequest, Outcome, RequestId, RequestKind

Publish = Callable[[OperatorRequest], None]


class Mirror:
    """The open requests. It lives on the event loop, and no method awaits."""

    def __init__(self, clock: Clock, publish: Publish) -> None:
        self._clock = clock
        self._publish = publish
        self._open: dict[RequestId, OperatorRequest] = {}
        self._causes: Counter[str] = Counter()

    def load(self, requests: Iterable[OperatorRequest]) -> None:
        """Begin with what is open in the store."""
        self._open = {request.request_id: request for request in requests}
        self._causes = Counter(request.cause for request in self._open.values())

    def all_open(self) -> list[OperatorRequest]:
        """Return the open requests, most urgent first."""
        return sorted(self._open.values(), key=urgency)

    def get(self, request_id: RequestId) -> OperatorRequest | None:
        """Return an open request, None if it is not open."""
        return self._open.get(request_id)

    def question_of(self, cell_id: CellId) -> OperatorRequest | None:
        """Return the open question that holds a cell, None if there is none."""
        return next(
            (
                r
                for r in self._open.values()
                if r.cell_id == cell_id and r.kind is RequestKind.QUESTION
            ),
            None,
        )

    def due(self) -> list[OperatorRequest]:
        """Return the open requests whose deadline has passed unanswered."""
        now_ns = self._clock.monotonic_ns()
        return [
            r
            for r in self._open.values()
            if not now_ns < r.deadline_ns and not r.is_pending
        ]

    def unwarned(self) -> list[OperatorRequest]:
        """Return the open requests nobody was warned about, and nobody answered."""
        return [r for r in self._open.values() if not r.warned and not r.is_pending]

    def of_cause(self, cause: str) -> list[OperatorRequest]:
        """Return the open requests of one cause, oldest first."""
        found = [r for r in self._open.values() if r.cause == cause]
        return sorted(found, key=lambda r: (r.raised_at, r.request_id))

    def count_of_cause(self, cause: str) -> int:
        """Count the open requests of one cause."""
        return self._causes[cause]

    def pending(self) -> list[OperatorRequest]:
        """Return the open requests whose answer may still be taken back."""
        return [r for r in self._open.values() if r.is_pending]

    def lapsed(self) -> list[OperatorRequest]:
        """Return the open requests whose claim was not renewed in time."""
        now_ns = self._clock.monotonic_ns()
        return [
            r
            for r in self._open.values()
            if r.claimed_by and not now_ns < r.claim_expires_ns and not r.is_pending
        ]

    def postpone(self, by_ns: int) -> None:
        """Move every deadline, every claim's end, every end of an undo."""
        for request in list(self._open.values()):
            until_ns, pending_ns = request.claim_expires_ns, request.pending_until_ns
            self._open[request.request_id] = replace(
                request,
                deadline_ns=request.deadline_ns + by_ns,
                claim_expires_ns=until_ns + by_ns if request.claimed_by else 0,
                pending_until_ns=pending_ns + by_ns if request.is_pending else 0,
            )

    def add(self, request: OperatorRequest) -> OperatorRequest:
        """Mirror a request that was just committed."""
        if request.request_id not in self._open:
            self._causes[request.cause] += 1
        self._open[request.request_id] = request
        self._publish(request)
        return request

    def change(self, request: OperatorRequest, *, told: bool = True) -> OperatorRequest:
        """Mirror a change; of a request that has ended meanwhile nothing is kept."""
        if request.request_id in self._open:
            self._open[request.request_id] = request
            if told:
                self._publish(request)
        return request

    def end(self, request: OperatorRequest) -> OperatorRequest:
        """Mirror an end."""
        if self._open.pop(request.request_id, None) is not None:
            self._causes[request.cause] -= 1
            self._publish(request)
        return request

    def ended(self, request: OperatorRequest, outcome: Outcome) -> OperatorRequest:
        """Mirror an end without an answer."""
        current = self._open.get(request.request_id, request)
        return self.end(
            replace(current, outcome=outcome, resolved_at=self._clock.utc_now())
        )
