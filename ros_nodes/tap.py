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
_ANYBODY: Final = b""
"""Whose messages are whose, where the middleware does not say it: rclpy of Jazzy."""
_SOON: Final = 1_000
"""Numbers that go back twice within so many messages are of several publishers."""


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
        self._newest_gap = 0
        self._went_back_at = -_SOON
        self.received = 0
        """Messages taken since the node began."""
        self.counts_losses = True
        """False when this middleware numbers no messages, or numbers those of several
        publishers and does not say whose they are: losses stay unseen."""

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
                for _ in range(_DEPTH):
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
            whose = facts.get("publisher_gid")
            publisher = whose["data"] if whose else _ANYBODY
            newest = numbers.get(publisher)
            if newest is None:
                if len(numbers) >= _MOST_PUBLISHERS:
                    numbers.clear()
            elif number <= newest:
                if publisher == _ANYBODY:
                    self._went_back(number)
                continue
            elif number > newest + 1 and self.counts_losses:
                self._newest_gap = number - newest - 1
                self._dropped[self._lost] += self._newest_gap
            numbers[publisher] = number

    def _went_back(self, number: int) -> None:
        """Anybody's numbers went back: it began anew, or there are several.

        Between several, the newest gap was none; when it happens again soon, no gap is
        believed any more.
        """
        self._dropped[self._lost] -= self._newest_gap
        self._newest_gap = 0
        if self.received - self._went_back_at < _SOON:
            self.counts_losses = False
        self._went_back_at = self.received
        self._numbers[_ANYBODY] = number
