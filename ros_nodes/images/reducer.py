"""Features of the images of one topic, computed in a thread: the newest image wins."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ros_nodes.images.decode import ImageError, decoder
from ros_nodes.images.features import features_named

_log = logging.getLogger(__name__)

Row = tuple[int, tuple[float, ...]]
"""Stamp in the image's header, ns, and its features."""


class Reducer:
    """Reduces images to features beside the event loop. Lives on the loop.

    At most one image is under way and one waits; the others are skipped and counted, so
    that a slow feature makes its channel coarse, or absent, and nothing else late.

    Args:
        key: Key of the topic, for counts.
        kind: Type of its messages.
        names: The features that channels come from.
        dropped: Where images without features are counted.

    Raises:
        ConfigRefusedError: A feature, or Pillow, is not installed here.
    """

    def __init__(
        self, key: str, kind: str, names: Sequence[str], dropped: Counter[str]
    ) -> None:
        self._key = key
        self._names = tuple(names)
        self._decode = decoder(kind)
        self._features = features_named(names)
        self._dropped = dropped
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"images-{key}")
        self._under_way: Future[Row] | None = None
        self._waiting: bytes | None = None
        self._said = False

    def offer(self, messages: Sequence[bytes]) -> None:
        """Take images that arrived; only the newest has a chance."""
        if not messages:
            return
        skipped = len(messages) - 1 + (self._waiting is not None)
        if skipped:
            self._dropped[f"skipped_{self._key}"] += skipped
        self._waiting = messages[-1]
        self._start()

    def take(self) -> list[Row]:
        """Return what has been computed since the last call."""
        done = self._under_way
        if done is None or not done.done():
            return []
        self._under_way = None
        self._start()
        error = done.exception()
        if error is None:
            return [done.result()]
        unread = isinstance(error, ImageError)
        self._dropped[f"{'malformed' if unread else 'failed'}_{self._key}"] += 1
        if not (unread or self._said):
            self._said = True
            _log.error(
                "a feature of %s failed (%s); it is counted from now on",
                self._key,
                ", ".join(self._names),
                exc_info=error,
            )
        return []

    def _start(self) -> None:
        if self._under_way is None and self._waiting is not None:
            message, self._waiting = self._waiting, None
            self._under_way = self._worker.submit(self._reduce, message)

    def _reduce(self, message: bytes) -> Row:
        """In the thread."""
        stamp_ns, pixels = self._decode(message)
        return stamp_ns, tuple(float(feature(pixels)) for feature in self._features)

    def close(self) -> None:
        """Take no more images; one under way is left to itself."""
        self._waiting = None
        self._worker.shutdown(wait=False, cancel_futures=True)
