"""How a number went, in one line of blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def trend(values: Sequence[float], *, top: float | None = None) -> str:
    """One block a value, from 0 to the greatest or `top`; · where there is none."""
    there = [value for value in values if math.isfinite(value)]
    most = top if top is not None else max(there, default=0.0)
    return "".join(_block(value, most) for value in values)


def _block(value: float, most: float) -> str:
    if not math.isfinite(value):
        return "·"
    if not most > 0.0:
        return _BLOCKS[0]
    step = round(value / most * (len(_BLOCKS) - 1))
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, step))]
