"""Each screen at one frozen moment, cell by cell: what changes is seen and looked at.

`python -m pytest tests/tui/test_stills.py --snapshot-update` takes them anew; look at
them in a browser before they are committed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from tests.tui.pilot import LARGE, SMALL
from tests.tui.stills import AT_WORK, LOST, SCENE, SCREENS, Still, at_the_door
from tui.scene import Scene
from tui.theme import CALM, CONTRAST
from tui.words import WORDS

SIZES = {"80x24": SMALL, "160x48": LARGE}


@pytest.fixture(autouse=True)
def _english_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield
    WORDS.speak("en")
    monkeypatch.undo()
    time.tzset()


async def drawn(pilot: Pilot[None]) -> None:
    """Draw, let the widgets take their size, and draw again."""
    for _ in range(3):
        app = pilot.app
        assert isinstance(app, Still)
        app.draw()
        await pilot.pause()


def still(
    name: str, scene: Scene = SCENE, language: str = "en", look: str = ""
) -> Still:
    return Still(SCREENS[name], scene, language, look or CALM.name)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen(name: str, size: str, snap_compare) -> None:
    assert snap_compare(still(name), terminal_size=SIZES[size], run_before=drawn)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", AT_WORK)
def test_where_a_person_decides(name: str, size: str, snap_compare) -> None:
    app = Still(*AT_WORK[name], "en", CALM.name)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=drawn)


@pytest.mark.parametrize("size", SIZES)
def test_who_are_you(size: str, snap_compare) -> None:
    app = at_the_door()
    assert snap_compare(app, terminal_size=SIZES[size], run_before=drawn)


@pytest.mark.parametrize("name", ["request", "flood"])
def test_a_question_in_german(name: str, snap_compare) -> None:
    app = Still(*AT_WORK[name], "de", CALM.name)
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn)


@pytest.mark.parametrize("name", ["board", "models", "wall"])
def test_a_screen_in_german(name: str, snap_compare) -> None:
    app = still(name, language="de")
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn)


def test_high_contrast(snap_compare) -> None:
    app = still("board", look=CONTRAST.name)
    assert snap_compare(app, terminal_size=SMALL, run_before=drawn)


def test_without_colour(snap_compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(still("board"), terminal_size=SMALL, run_before=drawn)


def test_not_connected(snap_compare) -> None:
    assert snap_compare(still("board", LOST), terminal_size=SMALL, run_before=drawn)
