"""One thing that is not as the configuration says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Weight(Enum):
    """What a finding means for the cell."""

    HOLDS = "holds"
    """The cell would not start, or would be held."""
    NOTE = "note"
    """It would work, and somebody should know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the configuration says.

    Attributes:
        code: What kind, for programs.
        weight: What it means.
        where: Key in andon.toml below the cell's table `ros`.
        text: What is there and what is not.
        remedy: What to do.
    """

    code: str
    weight: Weight
    where: str
    text: str
    remedy: str
