"""The keys that a page names are those that the terminal has, and none is left out."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.binding import Binding

from tui.app import AndonApp
from tui.screens.board import BoardScreen
from tui.screens.request import RequestScreen

PAGE = Path(__file__).parents[2] / "docs/terminal.md"
WORDS = {
    "arrows": ("up", "down", "left", "right", "j", "k"),
    "1 to 4": tuple("1234"),
    "Ctrl+P": ("ctrl+p",),
    "H H": ("H",),
    "Esc": ("escape",),
    "?": ("question_mark",),
    "Space": ("space",),
}


def bound(*places: type) -> set[str]:
    """The keys that these have themselves, and what they are made of."""
    found: set[str] = set()
    for place in places:
        for part in place.__mro__:
            if part.__module__.startswith("tui."):
                for one in vars(part).get("BINDINGS", ()):
                    assert isinstance(one, Binding)
                    found |= set(one.key.split(","))
    return found


def named(heading: str) -> set[str]:
    """The keys in the first column of the table under a heading."""
    text = PAGE.read_text(encoding="utf-8")
    table = re.split(r"\n\n", text.split(f"| key | {heading} |")[1])[0]
    cells = (row.split("|")[1] for row in table.splitlines()[2:])
    keys = (word.strip() for cell in cells for word in cell.split(","))
    return {key for word in keys for key in spelled(word)}


def spelled(word: str) -> Iterable[str]:
    return WORDS.get(word, (word if len(word) == 1 else word.lower(),))


@pytest.mark.parametrize(
    ("heading", "places"),
    [
        ("on the board", (AndonApp, BoardScreen)),
        ("on a question", (RequestScreen,)),
    ],
)
def test_every_key_stands_in_the_table_of_its_screen(heading, places):
    assert sorted(bound(*places) - named(heading)) == []


@pytest.mark.parametrize(
    ("heading", "places"),
    [
        ("on the board", (AndonApp, BoardScreen)),
        ("on a question", (RequestScreen,)),
    ],
)
def test_no_table_names_a_key_that_does_nothing(heading, places):
    moves = {"tab", "up", "down", "left", "right", "j", "k", "ctrl+p"}

    assert sorted(named(heading) - bound(*places) - moves) == []
