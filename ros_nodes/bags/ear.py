"""One topic heard as bytes, with when each message came and how many did not.

Like tap.Tap, which the live path uses, but nothing here is in a hurry: an ear also
keeps the times, and counts losses for each publisher.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_AT_ONCE: Final = 1_000
_ANYBODY: Final = b""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message.

    Attributes:
        data: Its bytes.
        log_ns: When it was received, UTC ns; 0: the middleware does not say.
        publish_ns: When it was published, UTC ns; 0: the middleware does not say.
    """

    data: bytes
    log_ns: int
    publish_ns: int


class Ear:
    """A raw subscription that is drained now and then. Not thread-safe.

    Args:
        topic: Full name.
        kind: Message type, "package/msg/Name".
    """

    def __init__(self, topic: str, kind: str) -> None:
        self.topic = topic
        self.kind = kind
        self.count = 0
        self.lost = 0
        """Messages that were published and did not come, by their numbers."""
        self.alone = True
        """Whether one publisher speaks; with several, an rclpy that does not tell them
        apart (Jazzy's) cannot tell a loss either."""
        self._subscription: Any = None
        self._kept: deque[Heard] = deque()
        self._newest: dict[bytes, int] = {}

    def keep(self, message: bytes) -> None:
        """Keep one message that an executor took."""
        self._kept.append(Heard(message, 0, 0))

    def poll(self, subscription: Any) -> bool:
        """Take messages from a subscription that is in no executor.

        Returns:
            False when this rclpy cannot; then the subscription needs an executor.
        """
        if not hasattr(subscription.handle, "take_message"):
            return False
        self._subscription = subscription
        return True

    def drain(self) -> Iterator[Heard]:
        """What came since the last time, at most a thousand messages."""
        while self._kept:
            self.count += 1
            yield self._kept.popleft()
        if self._subscription is None:
            return
        handle, kind = self._subscription.handle, self._subscription.msg_type
        with handle:
            for _ in range(_AT_ONCE):
                taken = handle.take_message(kind, True)  # noqa: FBT003 - raw
                if taken is None:
                    return
                message, facts = taken
                self.count += 1
                self._count_losses(facts)
                yield Heard(
                    message,
                    facts.get("received_timestamp") or 0,
                    facts.get("source_timestamp") or 0,
                )

    def _count_losses(self, facts: Any) -> None:
        number = facts.get("publication_sequence_number")
        if not number:
            return
        publisher = (facts.get("publisher_gid") or {}).get("data", _ANYBODY)
        before = self._newest.get(publisher)
        self._newest[publisher] = number
        told_apart = publisher != _ANYBODY or self.alone
        if before is not None and number > before + 1 and told_apart:
            self.lost += number - before - 1
