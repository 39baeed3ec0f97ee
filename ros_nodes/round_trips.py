"""How long a heartbeat and its answer are on their way, by the node's clock alone."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

_WAITING: Final = 64
"""Heartbeats whose answer may still come."""
_NEWEST: Final = 4
"""Round trips that count: one late answer says nothing, four say the way is long."""


class RoundTrips:
    """The newest round trips of one session. Not thread-safe: on the event loop."""

    def __init__(self) -> None:
        self._sent_ns: OrderedDict[int, int] = OrderedDict()
        self._newest: deque[int] = deque(maxlen=_NEWEST)

    @property
    def shortest_ns(self) -> int | None:
        """The shortest of the newest few; None before the first answer."""
        return min(self._newest, default=None)

    def sent(self, seq: int, now_ns: int) -> None:
        """Note that a heartbeat leaves."""
        self._sent_ns[seq] = now_ns
        while len(self._sent_ns) > _WAITING:
            self._sent_ns.popitem(last=False)

    def answered(self, seq: int, now_ns: int) -> None:
        """Note that it was answered; an answer to nothing, or a second one, is none."""
        sent_ns = self._sent_ns.pop(seq, None)
        if sent_ns is not None and now_ns >= sent_ns:
            self._newest.append(now_ns - sent_ns)
