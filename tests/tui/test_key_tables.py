"""The keys that a page names are those that the terminal has, and none is left out."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.binding import Binding

from tui.app import AndonApp
from tui.screens.board import BoardScreen
from tui.screens.cases import CasesScreen
from tui.screens.clip import ClipScreen
from tui.screens.dialogs import ReleaseDialog
from tui.screens.journal import JournalScreen
from tui.screens.login import LoginScreen
from tui.screens.models import ModelsScreen
from tui.screens.numbers import NumbersScreen
from tui.screens.request import RequestScreen
from tui.screens.sheet import SheetScreen
from tui.screens.teach import TeachScreen
from tui.widgets.clip_strips import ClipStrips
from tui.widgets.report import Confusion
from tui.widgets.rows import Rows
from tui.widgets.strips import Strips

DOCS = Path(__file__).parents[2] / "docs"
WORDS = {
    "arrows": ("up", "down", "left", "right", "j", "k"),
    "1 to 4": tuple("1234"),
    "1 to 9": tuple("123456789"),
    "↑ ↓": ("up", "down"),
    "← →": ("left", "right"),
    "Ctrl+P": ("ctrl+p",),
    "H H": ("H",),
    "Esc": ("escape",),
    "?": ("question_mark",),
    "PgUp": ("pageup",),
    "PgDn": ("pagedown",),
    "+": ("plus",),
    "-": ("minus",),
    "=": ("equals_sign",),
    "[": ("left_square_bracket",),
    "]": ("right_square_bracket",),
}
TABLES: dict[str, tuple[str, tuple[type, ...], tuple[type, ...]]] = {
    "on the board": ("terminal.md", (AndonApp, BoardScreen), (Rows,)),
    "on a release": ("terminal.md", (ReleaseDialog,), ()),
    "on a question": ("terminal.md", (RequestScreen,), (Strips,)),
    "on a clip": ("terminal.md", (ClipScreen, ClipStrips), ()),
    "on the models": ("terminal.md", (ModelsScreen, Confusion), (Rows,)),
    "on the cases": ("terminal.md", (CasesScreen,), (Rows,)),
    "on the numbers": ("terminal.md", (NumbersScreen,), (Rows,)),
    "on the sheet": ("terminal.md", (SheetScreen,), ()),
    "on the journal": ("terminal.md", (JournalScreen,), (Rows,)),
    "on who are you": ("terminal.md", (LoginScreen,), ()),
    "what it does": ("teaching.md", (TeachScreen,), (Strips,)),
}
"""By the heading of a table: its page, whose keys it must name, and whose it may."""

ALSO = {"tab", "left", "right", "ctrl+p"}
"""Keys of the board that are Textual's own, or of cells that are drawn as tiles."""


def bindings(*places: type) -> list[tuple[str, ...]]:
    """What these do themselves, or what they are made of: the keys of each."""
    found: list[tuple[str, ...]] = []
    for place in places:
        for part in place.__mro__:
            if part.__module__.startswith("tui."):
                for one in vars(part).get("BINDINGS", ()):
                    assert isinstance(one, Binding)
                    found.append(tuple(one.key.split(",")))
    return found


def named(page: str, heading: str) -> set[str]:
    """The keys in the first column of the table under a heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    table = re.split(r"\n\n", text.split(f"| key | {heading} |")[1])[0]
    cells = (row.split("|")[1].replace("`", "") for row in table.splitlines()[2:])
    keys = (word.strip() for cell in cells for word in cell.split(","))
    return {key for word in keys for key in spelled(word)}


def spelled(word: str) -> Iterable[str]:
    return WORDS.get(word, (word if len(word) == 1 else word.lower(),))


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_stands_in_the_table_of_its_screen(heading):
    page, places, _ = TABLES[heading]
    known = named(page, heading)

    # Of keys that do the same, one has to be named.
    assert [keys for keys in bindings(*places) if not known & set(keys)] == []


@pytest.mark.parametrize("heading", TABLES)
def test_no_table_names_a_key_that_does_nothing(heading):
    page, places, may = TABLES[heading]
    also = ALSO if heading == "on the board" else set()
    do = {key for keys in bindings(*places, *may) for key in keys}

    assert sorted(named(page, heading) - do - also) == []


def test_every_table_of_keys_is_one_of_these():
    text = (DOCS / "terminal.md").read_text(encoding="utf-8")

    ours = [heading for heading, (page, *_) in TABLES.items() if page == "terminal.md"]
    assert re.findall(r"\| key \| (.+?) \|", text) == ours
