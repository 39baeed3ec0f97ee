"""How long the next try waits after wrong PINs, for names that nobody has too. Pure.

The first few cost nothing: gloves slip. Then the wait doubles with each, up to a limit,
and never becomes a lock: a stranger at a tablet must not be able to lock a shift out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from coordinator.clock import SECOND_NS

FIRST_WAIT_NS: Final = 2 * SECOND_NS
"""The first wait."""
MOST_NAMES: Final = 4096
"""Names that are remembered; the one that was tried longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Failing:
    """Wrong PINs for one name: how many in a row, and when the newest was."""

    count: int
    last_ns: int


class Patience:
    """Wrong PINs by name. It lives on the event loop, and no method awaits.

    Args:
        free: Wrong PINs that cost no wait.
        longest_ns: The longest wait.
    """

    def __init__(self, *, free: int, longest_ns: int) -> None:
        self._free = free
        self._longest_ns = longest_ns
        self._failing: OrderedDict[str, Failing] = OrderedDict()

    def left_ns(self, name: str, now_ns: int) -> int:
        """Return how long a try with this name has to wait still; 0 if it need not."""
        failing = self._failing.get(name)
        if failing is None:
            return 0
        return max(0, failing.last_ns + self._wait_ns(failing.count) - now_ns)

    def failed(self, name: str, now_ns: int) -> int:
        """Note a wrong PIN; return how many that are in a row."""
        before = self._failing.pop(name, Failing(0, now_ns))
        self.note(name, before.count + 1, now_ns)
        return before.count + 1

    def note(self, name: str, count: int, now_ns: int) -> None:
        """Take over what is on record of a name."""
        self._failing[name] = Failing(count, now_ns)
        while len(self._failing) > MOST_NAMES:
            self._failing.popitem(last=False)

    def forget(self, name: str) -> None:
        """Begin anew: the right PIN came, or an administrator said so."""
        self._failing.pop(name, None)

    def _wait_ns(self, count: int) -> int:
        beyond = count - self._free
        if beyond < 0:
            return 0
        return min(self._longest_ns, FIRST_WAIT_NS << min(beyond, 40))
