"""The full-rate recording of a moment is seen on the page, line by line."""

from __future__ import annotations

import pytest

from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import Plant
from tests.tablet.seat import Tablet
from tests.tui.fake_clips import ClipMaker, make_clip

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INKED = """found => found.map((one) => {
  const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
  return data.some((value) => value > 0);
})"""
FORCE = ".clip .trace:has-text('force_z')"


async def question(plant: Plant, one: Tablet, clip: bytes) -> str:
    """Ask, bring the recording, and open both."""
    request_id = await plant.cells["press-2"].ask()
    await plant.cells["press-2"].bring_clip(clip)
    await one.open_question("press-2")
    await one.tap("button:has-text('Recording')")
    return request_id


async def test_a_recording_is_drawn_and_read_at_the_moment_that_is_touched(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await question(plant, ana, make_clip())
    await ana.see_text("12.0 s at full rate. The shaded 6.0 s", ".facts")
    await ana.see_text("begin -6.00 s, end 0.00 s", ".facts")
    await ana.see_text("Not drawn: /press_2/cam (3)", ".facts")
    assert await ana.page.eval_on_selector_all(".clip canvas", INKED) == [True] * 3

    await ana.page.fill(".scrub input", "-1")
    await ana.see_text("At -1.00 s", ".scrub")
    assert "60 N" in await ana.text(f"{FORCE} .mark")
    canvas = await ana.page.locator(".clip canvas >> nth=0").bounding_box()
    await ana.page.touchscreen.tap(
        canvas["x"] + canvas["width"] * 5.5 / 12, canvas["y"] + 20
    )
    await ana.see_text("At -4.5", ".scrub")
    assert "nothing measured" in await ana.text(f"{FORCE} .mark")


async def test_whoever_looks_closer_sees_less_time_and_a_finer_scale(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await question(plant, ana, make_clip())
    await ana.see(FORCE)
    assert "60 N" in await ana.text(f"{FORCE} figcaption")
    await ana.page.fill(".scrub input", "-8")
    for _ in range(4):
        await ana.tap("button:has-text('Closer')")

    await ana.see_text("0.", FORCE)
    assert "60 N" not in await ana.text(f"{FORCE} figcaption")
    await ana.page.focus(".scrub input")
    await ana.page.keyboard.press("ArrowRight")
    await ana.see_text("At -7.9", ".scrub")


async def test_a_question_is_answered_with_its_recording_in_sight(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await question(plant, ana, make_clip())
    await ana.see(FORCE)
    await ana.look()
    await ana.answer("good")

    await ana.see_text("Stored")
    assert len(await plant.answers(request_id)) == 1
    assert await ana.count(".clip") == 0


async def test_where_there_is_no_recording_words_say_so_until_it_comes(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-2"].ask()
    await ana.open_question("press-2")
    await ana.see_text("no recording yet", ".pager")
    await plant.cells["press-2"].bring_clip(make_clip())

    await ana.see("button:has-text('Recording')")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"no recording at all" * 99, id="other-bytes"),
        pytest.param(make_clip()[:-900], id="cut-off"),
    ],
)
async def test_a_recording_that_cannot_be_read_is_told_and_the_window_is_there(
    plant: Plant, tablet: OpenTablet, content: bytes
) -> None:
    ana = await tablet(plant)
    await question(plant, ana, content)
    await ana.see_text("cannot be read here", ".clip")
    await ana.tap("button:has-text('Back to the window')")

    await ana.see(".trace canvas >> nth=2")


async def test_a_recording_without_channels_is_drawn_of_whatever_is_a_number(
    plant: Plant, tablet: OpenTablet
) -> None:
    maker = ClipMaker()
    grip = ("plant_msgs/msg/Grip", "bool closed\nfloat32[3] fingers\nuint16 tool\n")
    for n in range(40):
        facts = {"closed": n > 20, "fingers": [0.5, n / 10, 2.0], "tool": 7}
        maker.add("/press_2/grip", grip, n / 10 - 4, **facts)
    ana = await tablet(plant)
    await question(plant, ana, maker.bytes())

    await ana.see_text("grip fingers.1", ".clip")
    assert "0 … 3.9" in await ana.text(".clip .trace:has-text('grip fingers.1')")


async def test_a_recording_that_stops_coming_is_told_and_fetched_again(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-2"].ask()
    await plant.cells["press-2"].bring_clip(make_clip())
    await ana.open_question("press-2")
    plant.cut()
    await ana.tap("button:has-text('Recording')")
    await ana.see_text("Not connected", ".clip")
    plant.mend()
    await ana.see(".top .lamp.good")
    await ana.tap("button:has-text('Try again')")

    await ana.see(FORCE)


async def test_who_labels_a_stored_window_may_see_its_recording(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.label_some(2, make_clip())
    ana = await tablet(plant)
    await ana.tap(".tab:has-text('Teach')")
    await ana.tap("button:has-text('Recording')")
    await ana.see(FORCE)
    await ana.look()
    await ana.answer("good")

    await ana.see_text("1 labelled")
    await ana.gone(".clip")
