"""Read ahead in a thread, so that a page from the disk delays no message."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Final

from ros_nodes.bags.terms import Recorded, RecordingRefusedError

DEPTH: Final = 4_000
"""Messages read before they are due."""
_LOOK_S: Final = 0.2


class ReadAhead:
    """Iterates over messages that another thread reads.

    Args:
        messages: Read by the thread alone, from the moment it is entered.
    """

    def __init__(self, messages: Iterator[Recorded]) -> None:
        self._messages = messages
        self._read: queue.Queue[Recorded | RecordingRefusedError | None]
        self._read = queue.Queue(DEPTH)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-ahead")

    def __enter__(self) -> Iterator[Recorded]:
        self._thread.start()
        return self._taken()

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def _taken(self) -> Iterator[Recorded]:
        while True:
            one = self._read.get()
            if one is None:
                return
            if isinstance(one, RecordingRefusedError):
                raise one
            yield one

    def _run(self) -> None:
        try:
            for message in self._messages:
                self._put(message)
                if self._closed.is_set():
                    return
        except RecordingRefusedError as refusal:
            self._put(refusal)
        finally:
            self._put(None)  # also after a bug: whoever plays must not wait for ever

    def _put(self, one: Recorded | RecordingRefusedError | None) -> None:
        while not self._closed.is_set():
            try:
                self._read.put(one, timeout=_LOOK_S)
            except queue.Full:
                continue
            return
