"""Does what the kernel keeps for a socket last through a busy moment?

DDS receives by UDP. What arrives while its process waits for the CPU stays in the
socket's buffer, and what does not fit there is lost without a word to anybody: windows
with gaps, and cells that hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from coordinator.config import Settings

CORE: Final = Path("/proc/sys/net/core")
LIMIT: Final = "rmem_default"
"""What a socket gets that asks for nothing, as those of DDS do."""
MESSAGE_BYTES: Final = 1280
"""What the kernel counts for a message of some hundred bytes in a socket, B."""
BUSY_S: Final = 0.5
"""A wait for the CPU that must lose nothing, s."""
RECOMMENDED: Final = 4 * 1024**2
"""With it ten cells at 500 Hz lost nothing on two busy cores (docs/evidence), B."""


def about_buffers(settings: Settings, core: Path | None = None) -> Iterator[str]:
    """One sentence about the cell that would lose most, if any would.

    Args:
        settings: Whose topics have rates.
        core: Where the kernel says what it keeps; what it does not say is no warning.
    """
    rates_hz = {
        name: sum(topic.rate_hz for topic in cell.ros.topics.values())
        for name, cell in settings.cells.items()
    }
    name, rate_hz = max(rates_hz.items(), key=lambda one: one[1])
    kept = None
    with suppress(OSError, ValueError):
        kept = int(((core or CORE) / LIMIT).read_text(encoding="ascii"))
    if kept is None or not rate_hz * BUSY_S * MESSAGE_BYTES > kept:
        return
    lasts_s = kept / MESSAGE_BYTES / rate_hz
    yield (
        f"cell {name} hears {rate_hz:,.0f} messages a second, and net.core.{LIMIT} = "
        f"{kept} holds {lasts_s:.2f} s of them: a busy moment on this machine would "
        f"lose some. As root: sysctl -w net.core.rmem_default={RECOMMENDED} "
        f"net.core.rmem_max={RECOMMENDED}"
    )
