"""The terminal's own themes: calm until something needs a person."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

CALM: Final = Theme(
    name="andon",
    primary="#7aa2c8",
    secondary="#5f7f9f",
    accent="#8fb8de",
    success="#7fbf7f",
    warning="#ffc94d",
    error="#ff6b5e",
    foreground="#d5dae0",
    background="#14181d",
    surface="#1a1f26",
    panel="#2a323c",
)

CONTRAST: Final = Theme(
    name="andon-contrast",
    primary="#ffffff",
    secondary="#e0e0e0",
    accent="#7fdfff",
    success="#5fff5f",
    warning="#ffff00",
    error="#ff8080",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#3a3a3a",
    text_alpha=1.0,
)

ALL: Final = (CALM, CONTRAST)
"""The themes of this terminal, in the order in which a key puts them on."""
