"""Serialised messages of one topic, taken when the event loop has time for them.

A subscription in an executor costs a wake-up and a callback a message and loses
messages at a thousand a second. A tap polls instead: every few milliseconds it takes
all that arrived, as bytes. It uses what rclpy's own `wait_for_message` uses; where an
rclpy lacks it, the caller lets an executor call `keep`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, Final

_DEPTH: Final = 1000


class Tap:
    """One raw subscription.

    Args:
        topic: Word for the topic in counts of losses.
        dropped: Where losses are counted.
    """

    def __init__(self, topic: str, dropped: Counter[str]) -> None:
        self._lost = f"lost_{topic}"
        self._overrun = f"overrun_{topic}"
        self._dropped = dropped
        self._kept: deque[bytes] = deque()
        self._subscription: Any = None
        self._publisher = b""
        self._number = 0

    def keep(self, message: bytes) -> None:
        """Keep one message that an executor took; the oldest is lost when full."""
        if len(self._kept) >= _DEPTH:
            self._kept.popleft()
            self._dropped[self._overrun] += 1
        self._kept.append(message)

    def poll(self, subscription: Any) -> bool:
        """Take messages from a subscription that is in no executor.

        Returns:
            False when this rclpy cannot; then the subscription needs an executor.
        """
        if not hasattr(subscription.handle, "take_message"):
            return False
        self._subscription = subscription
        return True

    def drain(self) -> Iterator[bytes]:
        """All messages that arrived, oldest first."""
        while self._kept:
            yield self._kept.popleft()
        if self._subscription is None:
            return
        handle, kind = self._subscription.handle, self._subscription.msg_type
        with handle:
            for _ in range(_DEPTH):
                taken = handle.take_message(kind, True)  # noqa: FBT003 - raw
                if taken is None:
                    return
                message, facts = taken
                self._count_losses(facts)
                yield message

    def _count_losses(self, facts: Any) -> None:
        number = facts.get("publication_sequence_number")
        publisher = (facts.get("publisher_gid") or {}).get("data", b"")
        if not number:
            return
        if publisher == self._publisher and number > self._number + 1:
            self._dropped[self._lost] += number - self._number - 1
        self._publisher, self._number = publisher, number
