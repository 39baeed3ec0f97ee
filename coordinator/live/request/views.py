"""What people saw with each open request: an answer must be to one of these views.

Two people may look at different times and see different reasons for the same evidence;
either may answer. What was shown is on record, so that an answer still fits after a
restart; when it cannot be recorded, the question is shown all the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from coordinator import log
from coordinator.errors import StoreError
from coordinator.live.request.view import view_digest
from coordinator.terms import NO_DIGEST, Digest, Family, OperatorRequest, RequestId
from coordinator.terms.events import Event, RequestExplained
from coordinator.terms.why import Why

REMEMBERED: Final = 4096
"""Requests whose views are known; a plant has a few dozen open ones."""

_log = log.get("views")


class ViewStore(Protocol):
    """What views need of a store."""

    async def commit(self, *events: Event) -> Any:
        """See seams.StoreWriter."""

    async def shown(self, request_id: RequestId) -> Sequence[Digest]:
        """Return the digests of the reasons that people saw with a request."""


class Views:
    """Which reasons were shown with which request. It lives on the event loop."""

    def __init__(self, store: ViewStore) -> None:
        self._store = store
        self._shown: OrderedDict[RequestId, set[Digest]] = OrderedDict()

    async def load(self, requests: Iterable[OperatorRequest]) -> None:
        """Take over what was shown before a restart."""
        for request in requests:
            for shown in await self._store.shown(request.request_id):
                self._note(request.request_id, shown)

    async def show(self, request: OperatorRequest, why: Why) -> None:
        """Note and record the reasons that are about to be shown with a request."""
        shown = why.digest
        if not self._note(request.request_id, shown):
            return
        explained = RequestExplained(
            request.request_id, request.decision_id, shown, why.in_short
        )
        try:
            await self._store.commit(explained)
        except StoreError as error:
            _log.warning(
                "view_not_recorded", request=request.request_id, text=error.text
            )

    def fits(self, view: Digest, request: OperatorRequest, family: Family) -> bool:
        """Whether somebody was shown this request so, and it is still what is asked.

        Bare evidence always fits: it is all that the reasons are about.
        """
        shown = self._shown.get(request.request_id, set())
        return any(
            view == view_digest(request, family, one) for one in (NO_DIGEST, *shown)
        )

    def _note(self, request_id: RequestId, shown: Digest) -> bool:
        """Remember a view; False when it is known."""
        known = self._shown.setdefault(request_id, set())
        if shown in known:
            return False
        known.add(shown)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        return True
