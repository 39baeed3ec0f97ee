"""What the page says: in two languages, and by the tokens of the coordinator."""

from __future__ import annotations

import json
import re

import pytest

from coordinator import errors
from coordinator.live.gate.judge import ALONE, ONLY_CONFIDENCE
from coordinator.live.gate.lately import CODE as UNFAMILIAR
from tests.house.sources import ROOT
from tests.tablet.conftest import MakePlant, OpenTablet
from tests.tablet.plant import PIN, Plant
from tui.words import read

WORDS = ROOT / "tablet/words"

NOT_MET = {
    # Of nodes, of engineers' calls, and of a start: no tablet hears them.
    *("ALREADY_DONE", "CELL_IN_USE", "CONFLICT", "SCHEMA_MISMATCH"),
    *("PROMOTION_REFUSED", "LIVE", "MODEL_UNAVAILABLE", "MODEL_FAULT", "STALE"),
    *("STORE", "STORE_LOCKED", "STORE_INTEGRITY", "SCHEMA_VERSION"),
}


def _leaves(kind: type[errors.AndonError]) -> set[str]:
    return {kind.refusal}.union(*(_leaves(one) for one in kind.__subclasses__()))


def _raised() -> set[str]:
    """Every word in capitals between quotes in the coordinator."""
    sources = (ROOT / "coordinator").rglob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    return set(re.findall(r'"([A-Z][A-Z_]{2,})"', text))


def _words(language: str) -> dict[str, str]:
    content = (WORDS / f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(content)
    return found


def test_both_languages_say_the_same_things() -> None:
    english, german = _words("en"), _words("de")

    assert list(english) == list(german)
    for key, sentence in english.items():
        places = sorted(re.findall(r"\{\w+\}", sentence))
        assert places == sorted(re.findall(r"\{\w+\}", german[key])), key


ASKS = {*(ONLY_CONFIDENCE - ALONE), UNFAMILIAR, "NOVEL", "MISSING_CHANNEL"}
"""The tokens with which the gate asks."""


def test_why_it_asks_has_words_on_the_page_and_in_the_terminal() -> None:
    page = {key.removeprefix("code.") for key in _words("en") if key[:5] == "code."}
    terminal = {key.removeprefix("asked.") for key in read("de") if key[:6] == "asked."}

    assert page == ASKS
    assert terminal == {*ASKS, "ACT"}  # an audit says that the model was sure


def test_every_word_that_the_page_says_is_there_and_no_other() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tablet/src").rglob("*.js")
    )
    said = set(re.findall(r'"([a-z]+\.[a-zA-Z_.]+)"', sources))
    begun = set(re.findall(r"`([a-z]+\.)\$\{", sources))
    known = _words("en")

    used = {key for key in known if key in said or key.partition(".")[0] + "." in begun}
    single = {key for key in known if "." not in key}
    rooms = {key.partition(".")[0] for key in known}
    assert sorted(known.keys() - used - single) == []
    assert (
        sorted(
            key for key in said if key.partition(".")[0] in rooms and key not in known
        )
        == []
    )


def test_every_refusal_that_an_operator_can_meet_has_words_of_its_own() -> None:
    kinds = (
        errors.ConflictError,
        errors.RoleError,
        errors.NotFoundError,
        errors.NotServedError,
        errors.LiveError,
        errors.StoreError,
        errors.UnknownLabelError,
    )
    met = set().union(*(_leaves(kind) for kind in kinds)) - NOT_MET
    known = {key.partition(".")[2] for key in _words("en") if key.startswith("error.")}

    assert sorted(met - known) == []
    assert sorted(known - _raised() - {"silent"}) == []


@pytest.mark.browser
@pytest.mark.slow
async def test_a_refusal_is_in_the_language_of_the_person_and_in_no_other(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant, language="de")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()
    await ana.see_text("NICHT VERBUNDEN")
    await ana.look()
    await ana.answer("gut")
    await ana.see_text("NICHT GESENDET", ".banners")
    await plant.answer(request_id, "collision", take_over=True)
    plant.mend()

    await ana.see_text("NICHT ANGENOMMEN: press-1", ".banners")
    told = await ana.text(".banner:has-text('NICHT ANGENOMMEN') p")
    assert told.endswith("„gut“. Sie ist nicht mehr offen.")


@pytest.mark.browser
@pytest.mark.slow
async def test_who_may_only_read_is_told_whom_to_ask(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("eve", "auditor")
    eve = await tablet(plant, "", language="de")
    await eve.log_in("Eve", PIN)
    await plant.cells["press-1"].ask()
    await eve.tap(".question")

    await eve.see_text("Ihre Rolle darf das nicht. Fragen Sie", ".standing")
    assert await eve.count(".answer:not([disabled])") == 0


@pytest.mark.browser
@pytest.mark.slow
async def test_where_haste_is_refused_the_page_says_how_long_to_look(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant = await make_plant(people={"refuse_rash": True, "least_view_s": 30.0})
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ana.answer("good")
    await ana.see_text("s more, then answer", ".news")
    assert await plant.answers(request_id) == []
    await ana.answer("collision")

    await ana.see_text("press-1: collision. Stored")
