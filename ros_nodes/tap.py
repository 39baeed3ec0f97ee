"""Serialised messages of one topic, taken when the event loop has time for them.

A subscription in an executor costs a wake-up and a callback a message and loses
messages at a thousand a second. A tap polls instead: every few milliseconds it takes
all that arrived, as bytes. It uses what rclpy's own `wait_for_message` uses; where an
rclpy lacks it, the caller lets an executor call `keep`.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

from ros_nodes.node_time import Facts

_DEPTH: Final = 2000
"""Most messages kept for the loop, and most taken at once."""
_MOST_PUBLISHERS: Final = 16


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
        self._kept: deque[tuple[bytes, Facts]] = deque()
        self._subscription: Any = None
        self._numbers: dict[bytes, int] = {}
        self.received = 0
        """Messages taken since the node began."""
        self.counts_losses = True
        """False when this middleware numbers no messages: losses stay unseen."""

    @property
    def lost(self) -> int:
        """Messages that were published and did not arrive, as far as numbers tell."""
        return self._dropped[self._lost] + self._dropped[self._overrun]

    def keep(self, message: bytes) -> None:
        """Keep one message that an executor took; the oldest is lost when full."""
        if len(self._kept) >= _DEPTH:
            self._kept.popleft()
            self._dropped[self._overrun] += 1
        self._kept.append((message, {}))

    def poll(self, subscription: Any) -> bool:
        """Take messages from a subscription that is in no executor.

        Returns:
            False when this rclpy cannot; then the subscription needs an executor.
        """
        if not hasattr(subscription.handle, "take_message"):
            self.counts_losses = False
            return False
        self._subscription = subscription
        return True

    def drain(self) -> list[tuple[bytes, Facts]]:
        """Take all messages that arrived, oldest first, each with its facts."""
        taken: list[tuple[bytes, Facts]] = []
        while self._kept:
            taken.append(self._kept.popleft())
        if self._subscription is not None:
            handle, kind = self._subscription.handle, self._subscription.msg_type
            with handle:
                take = handle.take_message
                while len(taken) < _DEPTH:
                    one = take(kind, True)  # noqa: FBT003 - raw
                    if one is None:
                        break
                    taken.append(one)
            if taken:
                self._count_losses(taken)
        self.received += len(taken)
        return taken

    def _count_losses(self, taken: list[tuple[bytes, Facts]]) -> None:
        numbers = self._numbers
        for _, facts in taken:
            number = facts["publication_sequence_number"]
            if not number:
                self.counts_losses = False
                return
            publisher = facts["publisher_gid"]["data"]
            newest = numbers.get(publisher)
            if newest is None:
                if len(numbers) >= _MOST_PUBLISHERS:
                    numbers.clear()
            elif number <= newest:
                continue
            elif number > newest + 1:
                self._dropped[self._lost] += number - newest - 1
            numbers[publisher] = number
