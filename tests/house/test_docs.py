"""What is written for people is true for what is there."""

import re
from enum import Enum
from pathlib import Path

import pytest

from coordinator import terms
from tests.house.sources import ROOT, committed_text, name

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/adr").glob("*.md"))

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)

# In pieces, so that this file does not find itself.
ONE_MACHINE = re.compile("|".join(f"/{place}/" for place in ("tmp", "work", "root")))
REGISTRY = re.compile("|".join(("py" + "pi.org", "python" + "hosted", "npm" + "js.")))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [link for link in LINK.findall(text) if "://" not in link]

    assert [link for link in targets if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("note", DECISIONS, ids=name)
def test_decision_note_is_short_and_says_what_it_costs(note: Path) -> None:
    text = note.read_text(encoding="utf-8")
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]

    assert len(text.splitlines()) <= 40
    assert headings == [
        "Status",
        "Context",
        "Decision",
        "What we gave up",
        "What would change our mind",
    ]


def test_nothing_is_tied_to_one_machine_or_registry() -> None:
    found = [
        f"{name(path)}: {match.group()}"
        for path, text in committed_text()
        for match in [ONE_MACHINE.search(text) or REGISTRY.search(text)]
        if match is not None
    ]

    assert found == []


def test_changelog_has_a_place_for_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## [Unreleased]" in text


@pytest.mark.parametrize(
    "words", [terms.CellState, terms.HoldReason, terms.Decision, terms.Outcome]
)
def test_every_word_of_a_state_a_reason_or_an_outcome_is_explained(
    words: type[Enum],
) -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").lower()

    assert [word.name for word in words if word.name.lower() not in glossary] == []
