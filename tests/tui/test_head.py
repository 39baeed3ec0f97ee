"""No two phrases of a question's head touch, and no phrase is cut in two."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from textual.content import Content

from tests.tui.test_reasons import EVIDENCE
from tui.board import Board
from tui.evidence import Phase, Sitting
from tui.scene import Scene
from tui.terms import Actor, Request, RequestKind
from tui.widgets.head import About, head
from tui.words import LANGUAGES, say, speak

ANA = Actor("ana", "desk-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
QUESTION = Request("r-1", "press-2", part_id="A-1017", cycle=17)
LONG = replace(
    QUESTION,
    cell_id="body-shop-west-insertion-cell-0042",
    part_id="SN-2026-11-23-000000417",
    cycle=1_234_567,
    arrived_by="maximiliane.oberhauser",
)
HEADS = {
    "short": (QUESTION, Phase.MINE, ""),
    "long": (LONG, Phase.MINE, ""),
    "audit": (replace(LONG, kind=RequestKind.AUDIT), Phase.OPENING, ""),
    "shift-lead": (replace(LONG, level=1), Phase.UNSENT, ""),
    "theirs": (LONG, Phase.THEIRS, "maximiliane.oberhauser"),
    "endless": (replace(LONG, cell_id="c" * 200), Phase.THEIRS, "p" * 200),
    "no-part": (replace(LONG, part_id=""), Phase.SENDING, ""),
}


def first_line(request: Request, phase: Phase, holder: str, width: int) -> Content:
    evidence = replace(EVIDENCE, request=request)
    sitting = Sitting("r-1", phase, evidence=evidence, holder=holder)
    scene = Scene(Board(), ANA, "", 0.0, NOON, sitting=sitting)
    return About().draw(scene, width)[0]


def phrases(request: Request) -> dict[str, str]:
    """Everything that the left side may say, by what it is."""
    who = request.arrived_by
    kind = "request.for_lead" if request.level else "request.waits"
    audit = request.kind is RequestKind.AUDIT
    return {
        "kind": say("request.audit" if audit else kind),
        "there": say("hands.person_at_cell", person=who) if who else "",
        "part": say("cell.part", part=request.part_id) if request.part_id else "",
        "cycle": say("cell.cycle", cycle=request.cycle),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HEADS)
def test_phrases_are_whole_and_stand_apart_at_every_width(name, language) -> None:
    speak(language)
    request, phase, holder = HEADS[name]
    known = phrases(request)

    for width in range(80, 161):
        line = first_line(request, phase, holder, width)
        said = re.split(r" {2,}", line.plain.strip())

        assert line.cell_length == width
        assert set(said[1:-1]) <= set(known.values()), (width, said)
        assert len(said) >= 2, (width, said)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("long", ["cycle", "kind", "part", "there"]),
        ("audit", ["cycle", "part", "there", "kind"]),
        ("shift-lead", ["cycle", "part", "there", "kind"]),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_tells_least_gives_way_first(name, order, language) -> None:
    speak(language)
    request, phase, holder = HEADS[name]
    known = phrases(request)

    for width in range(200, 20, -1):
        line = first_line(request, phase, holder, width).plain
        there = [known[what] in line for what in order]
        assert there == sorted(there), (width, line)  # what went first is not there


def test_who_holds_it_leaves_the_name_room() -> None:
    line = head("press-2", [], Content("x" * 300), 80).plain

    assert re.match(" press-2 {2,}xxx", line)
    assert len(line) == 80


def test_a_name_that_is_too_long_is_cut_and_stays_apart() -> None:
    line = head("c" * 300, [(1, Content("lost"))], Content("yours"), 80).plain

    assert line.endswith("c…  yours ")
    assert "lost" not in line
