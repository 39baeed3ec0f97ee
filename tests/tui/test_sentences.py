"""The line above the keys: whose words it uses, and what it says first."""

import re

import pytest

from tests.tui.pilot import desk
from tui import seat
from tui.evidence import Answered
from tui.sentences import taken
from tui.terms import Action, Request
from tui.words import WORDS, speak

TEXTS = {"ok": "good", "slip": "part slipped"}


@pytest.fixture(autouse=True)
def _taught(monkeypatch) -> None:
    monkeypatch.setattr(seat, "LOOK_S", 0.0)
    WORDS.learn({"de": {"ok": "in Ordnung", "press-1": "Presse 1"}}, TEXTS)


def answered(label: str = "ok", action: Action = Action.CONTINUE, **facts) -> Answered:
    facts = {"correction": False, "undo_s": 3.0, "moves_on": True, **facts}
    request = Request("r-1", "press-1", pending_label=label, guess="slip")
    return Answered(request, action=action, **facts)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "press-1: good. The cell goes on in 3 s: continue."),
        ("de", "Presse 1: in Ordnung. Zelle in 3 s: weiter."),
    ],
)
def test_an_answer_is_called_what_the_key_beside_it_was_called(language, said) -> None:
    speak(language)

    assert taken(answered()) == said


def test_what_the_cell_does_comes_before_what_the_model_had_said() -> None:
    said = taken(answered("collision", Action.STOP, correction=True))

    assert said == (
        "press-1: collision. The cell is held: look at it, then r. "
        "The model had said: part slipped."
    )


def test_an_answer_for_which_nothing_waited_moves_nothing() -> None:
    assert taken(answered(moves_on=False)) == "press-1: good."


def test_a_label_that_families_call_differently_is_called_by_its_id() -> None:
    WORDS.learn({}, {"ok": ""})

    assert taken(answered(moves_on=False)) == "press-1: ok."


async def test_what_may_be_taken_back_is_called_so_and_its_seconds_stay_in_sight(
    coordinator,
) -> None:
    coordinator.undo_s = 60.0
    coordinator.ask("press-2", 17, {"grip_slip": 0.6, "ok": 0.4})

    async with desk(coordinator, go_on=False) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("1")
        await ana.sees("u takes back part slipped in the… of press-2")
        assert re.search(r"of press-2: \d+ s$", ana.text, re.MULTILINE)
