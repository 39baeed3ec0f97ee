"""A person looks at the full-rate clip of a question, against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.fake_clips import make_clip
from tests.tui.pilot import LARGE, SMALL, Desk, desk
from tui import seat
from tui.screens.clip import ClipScreen
from tui.widgets.clip_strips import ClipStrips

SLIP = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.07, "misaligned": 0.03}
CLIP = make_clip()


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch) -> None:
    monkeypatch.setattr(seat, "LOOK_S", 0.0)


@pytest.fixture
def asked(coordinator) -> str:
    """A question whose clip is here."""
    request_id: str = coordinator.ask("press-2", 17, SLIP)
    coordinator.put_clip(request_id, CLIP)
    return request_id


async def look(ana: Desk) -> ClipStrips:
    """Open the question and its clip."""
    await ana.sees("QUESTIONS 1")
    await ana.press("n")
    await ana.sees("yours", "c clip")
    await ana.press("c")
    await ana.sees("12.0 s at full rate")
    return ana.app.screen.query_one(ClipStrips)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_a_clip_shows_channels_time_and_what_was_said(
    coordinator, asked, size
) -> None:
    async with desk(coordinator, size) as ana:
        await look(ana)

        await ana.sees("press-2", "part A-1017", "2218 messages", "0.1 MB")
        await ana.sees("elbow_pos", "rad", "elbow_effort", "N·m", "force_z", "60.0 N")
        await ana.sees("╷begin", "╷end", "-10 s", "0", "of 4")
        await ana.sees("/press_2/cam: 3 not drawn")
        # The question goes on: its deadline stays in sight.
        await ana.sees("then the cell stays held", "←→ time", "e export")


async def test_without_colour_the_window_is_still_marked(
    coordinator, asked, monkeypatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async with desk(coordinator) as ana:
        strips = await look(ana)
        rows = [strips.render_line(y) for y in range(strips.size.height)]
        drawn = strips.in_sight

    underlined = [
        "".join(s.text for s in row if s.style is not None and s.style.underline)
        for row in rows
    ]
    marked = [text for text in underlined if text]
    assert len(marked) == min(drawn, 4)
    # From -6 s to 0 of 12 s: half of the 58 columns.
    assert {len(text) for text in marked} == {29}


async def test_a_clip_that_comes_later_is_offered_when_it_is_here(coordinator) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        assert "c clip" not in ana.text
        await ana.press("c")
        await ana.sees("There is no clip of this question, or not yet.")
        coordinator.put_clip(request_id, CLIP)
        await ana.sees("c clip")
        await ana.press("c")
        await ana.sees("12.0 s at full rate")


async def test_keys_move_through_time_and_come_back(coordinator, asked) -> None:
    async with desk(coordinator) as ana:
        strips = await look(ana)
        whole = strips.view
        assert whole is not None

        await ana.press("plus")
        assert strips.view is not None
        assert strips.view.span_s == pytest.approx(6.0)
        await ana.press("right")
        assert strips.view.last_s == pytest.approx(0.5)
        await ana.press("left", "left", "left", "left", "left", "left", "left")
        assert strips.view.first_s == -10.0
        await ana.press("w")
        assert strips.view.first_s == pytest.approx(-6.6)
        assert strips.view.last_s == pytest.approx(0.6)
        await ana.press("minus", "minus")
        assert strips.view == whole
        await ana.press("plus", "home")
        assert strips.view == whole


async def test_going_close_shows_the_moment_and_what_is_missing(
    coordinator, asked
) -> None:
    async with desk(coordinator, LARGE) as ana:
        await look(ana)
        await ana.press(*["plus"] * 5, *["left"] * 3)

        await ana.sees("-4.25 s", "nothing here")


async def test_only_what_was_picked_is_drawn(coordinator, asked) -> None:
    async with desk(coordinator) as ana:
        await look(ana)
        await ana.press("p")
        await ana.sees("Space picks", "■ force_z", "□ joint_states velocity.elbow")
        await ana.press("a", "a", "down", "down", "space", "escape")
        await ana.sees("elbow_effort", "1-1 of 1")
        assert "elbow_pos" not in ana.text
        # Nothing picked leaves it as it was.
        await ana.press("p", "a", "a", "escape")
        await ana.sees("elbow_effort", "1-1 of 1")


async def test_a_clip_is_saved_as_it_was_stored(coordinator, asked, tmp_path) -> None:
    async with desk(coordinator) as ana:
        assert ana.app._clips is not None
        ana.app._clips._folder = tmp_path / "clips"
        await look(ana)
        await ana.press("e")
        await ana.sees("Saved to")

    [saved] = (tmp_path / "clips").iterdir()
    assert saved.name == "press-2-20250101T120000Z-c-r-press-2-17.mcap"
    assert saved.read_bytes() == CLIP


async def test_a_folder_that_cannot_be_written_is_said(
    coordinator, asked, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")

    async with desk(coordinator) as ana:
        assert ana.app._clips is not None
        ana.app._clips._folder = tmp_path / "file"
        await look(ana)
        await ana.press("e")
        await ana.sees("NOT SAVED: ")


async def test_the_claim_is_kept_while_looking_and_answering_goes_on(
    coordinator, asked
) -> None:
    coordinator.lease_s = 3.0

    async with desk(coordinator) as ana:
        await look(ana)
        await ana.until(lambda: "renew r-press-2-17" in coordinator.calls)
        await ana.press("escape")
        await ana.sees("1  part slipped")
        await ana.press("1")
        await ana.until(lambda: coordinator.answers() == {asked: "grip_slip"})


async def test_the_cord_is_pulled_from_the_clip_as_well(coordinator, asked) -> None:
    async with desk(coordinator) as ana:
        await look(ana)
        await ana.press("h")
        await ana.until(lambda: "hold press-2" in coordinator.calls)


async def test_a_clip_is_fetched_once_however_often_it_is_looked_at(
    coordinator, asked
) -> None:
    async with desk(coordinator) as ana:
        await look(ana)
        await ana.press("c")
        await ana.sees("yours")
        await ana.press("c")
        await ana.sees("12.0 s at full rate")

    assert coordinator.calls.count(f"clip c-{asked}") == 1


async def test_a_clip_that_does_not_arrive_whole_is_not_shown(
    coordinator, asked
) -> None:
    coordinator.spoil_clips = 1

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("c")
        await ana.sees("The clip did not arrive as it was stored.")
        await ana.press("e")
        await ana.sees("Not yet: the clip is not here.")
        assert isinstance(ana.app.screen, ClipScreen)


async def test_a_clip_that_is_gone_is_said(coordinator, asked) -> None:
    del coordinator.clips[f"c-{asked}"]

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("c")
        await ana.sees("no clip c-r-press-2-17 is stored.")


async def test_an_answer_that_arrives_late_closes_the_clip_too(
    coordinator, asked
) -> None:
    async with desk(coordinator, go_on=False) as ana:
        await look(ana)
        await ana.press("escape")
        coordinator.lose_replies = 1
        await ana.press("1")
        await ana.sees("NOT SENT")
        await ana.press("c")
        await ana.sees("12.0 s at full rate")
        await coordinator.stop()
        await ana.sees("NOT CONNECTED")
        await coordinator.start()
        await ana.sees("CELLS")
