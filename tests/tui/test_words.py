"""Two languages that say the same, and no sentence anywhere but in their files."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pilot import desk
from tui import words
from tui.board import Pictured
from tui.errors import RefusedError
from tui.terms import Family, Presence
from tui.words import LANGUAGES, WORDS, Words, preferred, read, speak

ROOM = Path(words.__file__).parent.parent
ENGLISH, GERMAN = (read(language) for language in LANGUAGES)

SPOKEN = sorted([*(ROOM / "screens").glob("*.py"), *(ROOM / "widgets").glob("*.py")])
SPOKEN += [ROOM / "app.py", ROOM / "board.py", ROOM / "sentences.py"]
SPOKEN += sorted((ROOM / "errands").glob("*.py"))

NOT_YET: set[str] = set()
"""Screens that other hands are converting; this set only shrinks."""

SENTENCE = re.compile(r"[A-Za-z][a-z']+ [a-z']+( [a-z']+)?")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_keys() -> None:
    assert ENGLISH.keys() == GERMAN.keys()


@pytest.mark.parametrize("key", sorted(ENGLISH))
def test_a_sentence_has_the_same_placeholders_in_every_language(key: str) -> None:
    assert placeholders(ENGLISH[key]) == placeholders(GERMAN[key])


def strings(file: Path) -> Iterator[tuple[int, str]]:
    """Every text in a module that is no docstring, no key and no style."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    quiet = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            quiet |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.keyword) and node.arg in {"classes", "id", "name"}:
            quiet.add(id(node.value))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            styled = "bold" in node.value or "$" in node.value
            if id(node) not in quiet and not styled:
                yield node.lineno, node.value


@pytest.mark.parametrize("file", SPOKEN, ids=lambda file: file.name)
def test_no_sentence_is_left_in_a_screen(file: Path) -> None:
    if file.name in NOT_YET:
        pytest.skip("still being converted")
    found = [f"{line}: {text}" for line, text in strings(file) if SENTENCE.search(text)]

    assert found == []


@pytest.mark.parametrize("file", SPOKEN, ids=lambda file: file.name)
def test_every_key_that_is_asked_for_is_known(file: Path) -> None:
    keys = re.findall(r'\bsay\(\s*"([A-Za-z_.]+)"', file.read_text(encoding="utf-8"))

    assert [k for k in keys if k not in ENGLISH and f"{k}.one" not in ENGLISH] == []


def test_one_is_not_many() -> None:
    spoken = Words()

    assert spoken.say("wall.cells_wait", count=1) == "CELL WAITS"
    assert spoken.say("wall.cells_wait", count=0) == "CELLS WAIT"


def test_a_key_that_nobody_wrote_down_is_said_as_it_stands() -> None:
    assert Words().say("no.such.key") == "no.such.key"


def test_a_language_that_is_not_shipped_is_english() -> None:
    spoken = Words()
    spoken.speak("fr")

    assert spoken.language == "en"


@pytest.mark.parametrize(
    ("asked", "environment", "language"),
    [
        ("de", "en_US.UTF-8", "de"),
        ("", "de_AT.UTF-8", "de"),
        ("", "de-CH", "de"),
        ("", "C.UTF-8", "en"),
        ("", "", "en"),
        ("fr", "de_DE", "en"),
    ],
)
def test_what_is_asked_for_comes_before_the_environment(
    asked: str, environment: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", environment)

    assert preferred(asked) == language


def test_the_plant_has_words_of_its_own() -> None:
    spoken = Words()
    spoken.learn({"de": {"press-1": "Presse 1"}})

    assert spoken.plant("press-1") == "press-1"
    spoken.speak("de")
    assert spoken.plant("press-1") == "Presse 1"
    assert spoken.plant("press-2") == "press-2"


def test_the_words_of_all_families_are_learned() -> None:
    families = (
        Family("peg", words={"de": {"a": "A"}}),
        Family("gear", words={"de": {"b": "B"}}),
    )
    picture = Pictured((), (), Presence(), (), families, "", 0.0)

    assert picture.words == {"de": {"a": "A", "b": "B"}}


@pytest.fixture
def english_again() -> Iterator[None]:
    yield
    WORDS.speak("en")
    WORDS.learn({})


@pytest.mark.usefixtures("english_again")
async def test_a_key_changes_the_language_while_it_runs(coordinator) -> None:
    coordinator.words = {"de": {"press-1": "Presse 1"}}
    async with desk(coordinator) as ana:
        await ana.sees("● working", "press-1", "QUESTIONS")
        await ana.press("f2")
        await ana.sees("● arbeitet", "Presse 1", "FRAGEN", "Das Terminal spricht")
        await ana.press("f2")
        await ana.sees("● working", "press-1", "The terminal speaks English.")


BINDING = re.compile(r'Binding\(\s*f?"[^"]*",\s*f?"[^"]*",\s*"([^"]*)"', re.DOTALL)


@pytest.mark.parametrize("file", SPOKEN, ids=lambda file: file.name)
def test_every_key_has_a_word_for_help_and_palette(file: Path) -> None:
    described = BINDING.findall(file.read_text(encoding="utf-8"))

    assert [key for key in described if key not in ENGLISH] == []


def test_a_refusal_is_said_in_the_language_of_the_person_with_what_only_it_knows():
    refused = RefusedError("CLAIMED_BY", "CLAIMED_BY: ben, 3 s ago.")
    unheard = RefusedError("NEW_TOKEN", "NEW_TOKEN: a newer coordinator says this.")

    english = refused.plain
    speak("de")
    german, other = refused.plain, unheard.plain
    speak("en")

    assert english == "ben, 3 s ago."
    assert german == "Jemand anders beantwortet sie gerade. (ben, 3 s ago)"
    assert other == "a newer coordinator says this."
