"""Digits that are read from the other end of the hall."""

from __future__ import annotations

from typing import Final

_GLYPHS: Final = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ":": (" ", "#", " ", "#", " "),
    "-": ("   ", "   ", "###", "   ", "   "),
}

ROWS: Final = 5
"""Rows of a digit at scale 1."""


def big(text: str, scale: int = 1) -> list[str]:
    """The text in block digits: 5 rows a scale, two columns a dot; others are blank."""
    rows: list[str] = []
    for row in range(ROWS):
        dots = " ".join(_GLYPHS.get(c, ("   ",) * ROWS)[row] for c in text)
        line = "".join(("█" if dot == "#" else " ") * 2 * scale for dot in dots)
        rows += [line] * scale
    return rows
