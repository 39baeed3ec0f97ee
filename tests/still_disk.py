"""A disk that stands still: the writer's thread waits inside its next transaction."""

import threading
from types import TracebackType
from typing import Any, Self

from coordinator.store import Store


class StillDisk:
    """While it lasts nothing becomes durable; what was under way does so after it.

    Args:
        store: Whose disk.
        deadline_s: Of commits meanwhile, in seconds; None leaves it as it is.
    """

    def __init__(self, store: Store, deadline_s: float | None = 0.01) -> None:
        self._store: Any = store
        self._writer: Any = self._store._writer
        self._before = (
            self._writer._commit,
            self._writer.take_back,
            self._store._deadline_s,
        )
        self._deadline_s = deadline_s
        self._moves = threading.Event()
        self.stands = threading.Event()

    def __enter__(self) -> Self:
        self._writer._commit = self._stand
        self._writer.take_back = self._take_back
        if self._deadline_s is not None:
            self._store._deadline_s = self._deadline_s
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        commit, take_back, deadline_s = self._before
        self._writer._commit, self._writer.take_back = commit, take_back
        self._store._deadline_s = deadline_s
        self._moves.set()

    def _stand(self, units: Any) -> Any:
        self.stands.set()
        self._moves.wait()
        commit, _, _ = self._before
        return commit(units)

    def _take_back(self, unit: Any) -> bool:
        # However slow the machine: what was brought first is under way by now.
        self.stands.wait()
        _, take_back, _ = self._before
        return bool(take_back(unit))
