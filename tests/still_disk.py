"""A disk that stands still: the writer's thread waits inside its next transaction."""

import threading
from types import TracebackType
from typing import Any, Self

from coordinator.store import Store


class StillDisk:
    """While it lasts nothing becomes durable; what was under way does so after it."""

    def __init__(self, store: Store) -> None:
        self._writer: Any = store._writer
        self._commit = self._writer._commit
        self._moves = threading.Event()
        self.stands = threading.Event()

    def __enter__(self) -> Self:
        self._writer._commit = self._stand
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer._commit = self._commit
        self._moves.set()

    def _stand(self, units: Any) -> Any:
        self.stands.set()
        self._moves.wait()
        return self._commit(units)
