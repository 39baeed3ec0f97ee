"""A walk through every screen of the page, for tests and for the pictures in docs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.tablet.plant import ATTACK, PIN, Plant, until
from tests.tablet.seat import Tablet
from tests.tui.fake_clips import make_clip

CELLS = 8
FEW = {"undo_s": 30.0, "flood_per_10_min": 4}
"""More questions are a flood here."""
TOO_SMALL = (4, "it had too few examples to be judged.", 0.0, 0.5)
GOOD = (6, "", 0.41, 0.02)
"""Models that wait: their examples, why not, what they would do alone, what wrong."""
SCREENS = (
    "login", "pin", "board", "question", "clip", "labels", "sent", "cell", "hold",
    "teach", "models", "flood", "cause", "apart", "settings", "lost",
)  # fmt: skip


async def prepare(plant: Plant, *, plain: bool = False) -> None:
    """Cells in several states, two questions, two models, two people with a PIN.

    Args:
        plant: Of so many CELLS, with FEW questions for a flood.
        plain: Nothing in it tries to do harm.
    """
    await plant.add_person("ana")
    await plant.add_person("ben")
    await plant.label_some(6)
    await plant.train(TOO_SMALL, GOOD)
    plant.believe("misaligned", 0.62)
    await plant.cells["press-2"].ask("misaligned")
    await plant.cells["press-2"].bring_clip(make_clip())
    await plant.cells["press-4"].ask("misaligned", part="" if plain else ATTACK)
    await plant.cells["press-5"].end()


async def flood(plant: Plant) -> None:
    """Ask more than people can answer: three cells for the cause of a fourth."""
    plant.believe("grip_slip", 0.58)
    await plant.cells["press-1"].ask("misaligned")
    plant.believe("misaligned", 0.62)
    for name in ("press-6", "press-7", "press-8"):
        await plant.cells[name].ask("misaligned")
    await until(lambda: plant.coordinator.plant.requests.pressure.flood)


async def walk(plant: Plant, one: Tablet, board: str, close: str) -> AsyncIterator[str]:
    """Show one screen after the other; the name of each.

    Args:
        plant: Prepared.
        one: A tablet at the page, nobody logged in.
        board: Word of the tab that leads back.
        close: Word that shuts a sheet.
    """
    shut = f".sheet .close:has-text('{close}')"
    await one.see(".names button")
    await one.see(".top .lamp.good")
    yield "login"
    await one.tap(".names button:has-text('Ana')")
    await one.tap(".keys button:text-is('1')")
    yield "pin"
    await one.tap(".keys .word >> nth=0")
    await one.type_pin(PIN)
    await one.see(".question >> nth=1")
    yield "board"
    await one.open_question("press-2")
    await one.see(".trace canvas >> nth=2")
    yield "question"
    await one.tap(".pager button >> nth=2")
    await one.see(".clip canvas >> nth=2")
    await one.page.fill(".scrub input", "-2")
    yield "clip"
    await one.tap(".clip-keys .big")
    await one.tap(".more button >> nth=1")
    await one.see(".sheet .answer")
    yield "labels"
    await one.tap(shut)
    await one.answer_first()
    await one.see(".undo")
    yield "sent"
    await one.tap(f".tab:has-text('{board}')")
    await one.tap(".hold")
    await one.see(".sheet .danger")
    yield "hold"
    await one.tap(".sheet button:has-text('press-3')")
    await one.tap(".cell.s-held")
    await one.see(".sheet")
    yield "cell"
    await one.tap(shut)
    await one.tap(".tab >> nth=1")
    await one.see(".teach")
    await one.page.wait_for_timeout(300)
    yield "teach"
    await one.tap(".tab >> nth=2")
    await one.see(".models .model >> nth=1")
    yield "models"
    await flood(plant)
    await one.tap(f".tab:has-text('{board}')")
    await one.see(".question:has-text('press-6')")
    await one.see(".banner.warn")
    yield "flood"
    await one.tap(".question:has-text('press-6')")
    await one.see(".cause")
    await one.ready()
    yield "cause"
    shown = await one.text("h1")
    other = next(name for name in ("press-7", "press-8") if name != shown)
    await plant.claim(plant.question_of(other).request_id)
    await one.answer_first()
    await one.see(".banner.bad")
    yield "apart"
    await one.tap(".banner.bad button")
    await one.tap(".gear")
    await one.see(".sheet")
    yield "settings"
    await one.tap(shut)
    await one.tap(f".tab:has-text('{board}')")
    plant.cut()
    await one.see(".banner.bad")
    yield "lost"
    plant.mend()
    await one.see(".top .lamp.good")
