"""How many calls of browsers are carried at once, and whose: a hold finds its place.

Streams stay for hours, so they get fewer places than there are, and one address gets
few of them. What is urgent has places of its own, which nothing else takes.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final

from coordinator.errors import OverloadedError

MOST_CALLS: Final = 384
"""Calls at once, streams among them; what is urgent is not counted here."""
MOST_STREAMS: Final = 256
MOST_STREAMS_OF_ONE: Final = 32
"""Streams of one address: a tablet has one, and a few tabs beside."""
MOST_URGENT: Final = 64
MOST_URGENT_OF_ONE: Final = 8
"""Urgent calls of one address: nobody fills the places of all by holding."""


class Manner(Enum):
    """How a call is carried."""

    ONCE = "once"
    STREAM = "stream"
    URGENT = "urgent"
    """It makes the plant safer, and must get through whatever else goes on."""


class Places:
    """Counts the calls under way. It lives on the event loop."""

    def __init__(self) -> None:
        self._taken: Counter[Manner] = Counter()
        self._of: Counter[tuple[Manner, str]] = Counter()

    @contextmanager
    def take(self, manner: Manner, address: str) -> Iterator[None]:
        """Have a place until the block ends.

        Args:
            manner: Of the call.
            address: Where it comes from; "" for this machine, which has no limit of
                its own.

        Raises:
            OverloadedError: there is none.
        """
        if self._full(manner):
            raise OverloadedError("too many calls at once; try again in a moment.")
        if address and self._is_greedy(manner, address):
            raise OverloadedError("too many calls from this device: close some pages.")
        self._taken[manner] += 1
        self._of[manner, address] += 1
        try:
            yield
        finally:
            self._taken[manner] -= 1
            self._of[manner, address] -= 1
            self._of = +self._of  # addresses that are gone are let go

    def _full(self, manner: Manner) -> bool:
        if manner is Manner.URGENT:
            return self._taken[manner] >= MOST_URGENT
        if manner is Manner.STREAM and self._taken[manner] >= MOST_STREAMS:
            return True
        return self._taken.total() - self._taken[Manner.URGENT] >= MOST_CALLS

    def _is_greedy(self, manner: Manner, address: str) -> bool:
        most = {
            Manner.STREAM: MOST_STREAMS_OF_ONE,
            Manner.URGENT: MOST_URGENT_OF_ONE,
        }.get(manner)
        return most is not None and self._of[manner, address] >= most


def address_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    """Where a request comes from; "" when it is this machine.

    A proxy for TLS runs on this machine, and says whom it speaks for: what it adds
    stands last. The word counts for these limits alone.
    """
    client = scope.get("client")
    host = str(client[0]) if client else ""
    if not is_here(host):
        return host
    told = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    return told.rpartition(",")[2].strip()


def is_here(host: str) -> bool:
    """Whether an address is this machine's own; "" is."""
    try:
        return not host or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
