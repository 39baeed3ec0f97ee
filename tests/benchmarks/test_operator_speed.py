"""The benchmark of the operator's seat still finds its way: one question a seat."""

import shutil
from pathlib import Path

import pytest

from benchmarks import operator_speed
from benchmarks.seat.plant import Plant, busy, cells
from benchmarks.seat.report import Figures, page

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_speed, "MEASURE_S", 0.2)
    monkeypatch.setattr(operator_speed, "SETTLE_S", 0.5)


async def test_a_question_is_drawn_answered_and_heard(tmp_path: Path) -> None:
    figures, names = Figures(1), (operator_speed.ASKING, "press-a")
    async with (
        Plant.serving(tmp_path, names) as plant,
        cells(plant.address, names) as (asks, works),
        busy([works], 0.5),
    ):
        await operator_speed.terminal(figures, plant, asks, tmp_path, 1)
        await operator_speed.tablet(figures, plant, asks, 1)
    seats = 2 if shutil.which("chromium") else 1

    assert len(figures.card_tui + figures.card_page) == seats
    assert len(figures.leave_tui + figures.leave_page) == seats
    assert min(figures.card_tui + figures.leave_tui) > 0
    assert (
        page(figures).count("| yes |") + page(figures).count("| **no** |") == 2 * seats
    )


async def test_tablets_that_watch_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_speed, "WATCHED_CELLS", 2)
    monkeypatch.setattr(operator_speed, "TABLETS", 2)
    figures = Figures(0)
    await operator_speed.watched(figures, tmp_path)

    assert figures.native_s > 0
    assert figures.browser_s > 0
