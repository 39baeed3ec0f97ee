"""One browser's connection: how long it may be slow, and who goes when all have come.

Nobody logs in before connecting, so whoever reaches the port could fill it. A hold has
to get through even then.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from coordinator.service.web_bridge import CARRIED
from coordinator.service.web_places import MOST_CALLS, MOST_URGENT, is_here

FIRST_WORDS_S: Final = 10.0
"""A browser that has not said what it wants by then is sent away, s."""
REPLIED_S: Final = 60.0
"""A browser that has not taken a reply by then is sent away, s."""
UNHEARD_MS: Final = 5_000
"""A tablet that acknowledges nothing for so long is gone: its radio says no goodbye."""
MOST_CONNECTIONS: Final = MOST_CALLS + MOST_URGENT + 64
"""Connections at once. However many are calls, there is room for those who come; when
it is full, the oldest that is no call has to go."""
MOST_OF_ONE: Final = 64
"""Connections of one address; this machine, with its proxy, has no limit of its own."""


class Connection(H11Protocol):
    """One browser's connection, for one request; it may be slow, but not for ever.

    What is not a call that is carried has to go when room is needed, the oldest first:
    who holds a cell says so in one breath, and has become a call before it is old.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        self.came = self.loop.time()
        plug = transport.get_extra_info("socket")
        if plug is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
        self._timer = self.loop.call_later(FIRST_WORDS_S, self._look_at_words)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no longer."""
        self._timer.cancel()
        super().connection_lost(exc)

    @property
    def carries(self) -> bool:
        """Whether the bridge counts it as a call."""
        asked: Any = self.scope  # None until the head of the request is whole
        return asked is not None and bool(asked.get(CARRIED))

    def _look_at_words(self) -> None:
        asked: object = self.scope
        if asked is None:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(REPLIED_S, self._look_at_reply)

    def _look_at_reply(self) -> None:
        if self.carries:
            self._timer = self.loop.call_later(REPLIED_S, self._look_at_reply)
        else:
            self.transport.abort()

    def _make_room(self) -> None:
        """Where it is full, for this address or for all, the oldest has to go."""
        host = self.client[0] if self.client else ""
        every = [one for one in self.connections if isinstance(one, Connection)]
        if not is_here(host):
            theirs = [one for one in every if one.client and one.client[0] == host]
            _thin_out(theirs, MOST_OF_ONE)
        _thin_out(every, MOST_CONNECTIONS)


def _thin_out(connections: list[Connection], most: int) -> None:
    idle = [one for one in connections if not one.carries]
    if len(connections) > most and idle:
        oldest = min(idle, key=lambda one: one.came)
        oldest.connections.discard(oldest)
        oldest.transport.abort()
