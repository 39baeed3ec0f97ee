"""The labelling party at the terminal: a key a window, against the real services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.learning.training.dataset import frozen
from coordinator.terms import ExampleSource
from tests.builders import PEG, make_prediction, make_window
from tests.coordinator.learning.teach_world import judged, samples_like
from tests.coordinator.service.service_world import ServiceWorld
from tests.tui.conftest import ANA, BEN
from tests.tui.pilot import LARGE, SMALL, Desk
from tui import teacher
from tui.app import AndonApp
from tui.errors import NotConnectedError
from tui.lessons import Stage
from tui.screens.teach import TeachScreen
from tui.terms import Actor

pytestmark = pytest.mark.slow  # real services behind a real terminal


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """People in tests need no moment to look."""
    monkeypatch.setattr(teacher, "LOOK_S", 0.0)


async def put(world: ServiceWorld, count: int, kind: int | None = None) -> None:
    """Windows that the cell decided alone, none of the share that measures models."""
    cycle, done = 0 if kind is None else 10_000, 0
    while done < count:
        cycle += 1
        if frozen([f"press-1/{cycle}"])[0]:
            continue
        samples = samples_like(cycle if kind is None else kind, cycle)
        window = make_window(cycle=cycle, part_id=f"A-{cycle}", samples=samples)
        sure = 0.95 if kind is None else 0.3
        await world.real.commit(
            judged(window, make_prediction("ok", sure)), window=window
        )
        done += 1


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    """A coordinator with thirty windows that nobody was asked about."""
    world = await ServiceWorld.open(tmp_path)
    await put(world, 30)
    yield world
    await world.close()


@asynccontextmanager
async def seat(
    world: ServiceWorld, actor: Actor = ANA, size: tuple[int, int] = SMALL
) -> AsyncIterator[Desk]:
    """A terminal at the party."""
    app = AndonApp(world.address, actor)
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot)
        await desk.sees("press-1")
        await desk.press("t")
        await desk.until(lambda: isinstance(app.screen, TeachScreen))
        yield desk


def teaching(desk: Desk) -> Any:
    return desk.scene.teaching


def at_party(desk: Desk) -> teacher.Teacher:
    found = desk.app._teacher
    assert found is not None
    return found


async def labels(world: ServiceWorld) -> list[str]:
    return [e.label for e in await world.real.examples(PEG) if not e.retracted]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_a_window_is_shown_with_every_label_on_its_key(plant, size) -> None:
    async with seat(plant, size=size) as ana:
        await ana.sees("press-1", "part A-", "What is this?", "0 labelled")
        await ana.sees("1  collision", "2  misaligned", "4  ok", "0  cannot tell")
        await ana.sees("joint_pos", "1-", "of 4", "30 left")
        assert "95 %" not in ana.text, "what the model said must not be seen"


async def test_a_key_labels_and_brings_the_next_window(plant) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        first = teaching(ana).lesson

        await ana.press("2")
        await ana.sees("before: misaligned", "1 labelled")

        assert teaching(ana).lesson.window_id != first.window_id
        [example] = await plant.real.examples(PEG)
        assert (example.label, example.window_id) == ("misaligned", first.window_id)
        assert (example.person, example.source) == ("ana", ExampleSource.TEACH)


async def test_the_next_window_does_not_wait_for_the_coordinator(plant) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        await ana.until(lambda: len(at_party(ana)._ahead) == teacher.AHEAD - 1)
        stopped = asyncio.Event()

        async def hang(_events: Any) -> None:
            await stopped.wait()

        plant.store.before = hang
        seen = {teaching(ana).lesson.window_id}
        for _ in range(3):
            await ana.press("4")
            seen.add(teaching(ana).lesson.window_id)

        assert len(seen) == 4
        assert teaching(ana).unsent == 3
        await ana.sees("3 NOT SENT YET")
        stopped.set()
        plant.store.before = None
        await ana.sees("3 labelled")
        assert await labels(plant) == ["ok"] * 3


async def test_what_was_said_without_a_link_arrives_once_when_it_is_back(
    plant, monkeypatch
) -> None:
    monkeypatch.setattr(teacher, "AGAIN_S", 0.05)
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        said, school = [], at_party(ana)._school
        real = school.say

        async def lost_on_the_way_back(word: Any) -> Any:
            taken = await real(word)
            said.append(word.key)
            if len(said) == 1:
                raise NotConnectedError("cut")
            return taken

        monkeypatch.setattr(school, "say", lost_on_the_way_back)
        await ana.press("4")
        await ana.sees("1 labelled")

        assert said == [said[0]] * 2
        assert await labels(plant) == ["ok"]


async def test_u_takes_back_one_word_after_another(plant) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        first = teaching(ana).lesson
        await ana.press("4", "2")
        await ana.sees("2 labelled")

        await ana.press("u")
        await ana.sees("Taken back", "1 labelled")
        await ana.press("u")
        await ana.sees("0 labelled")

        assert teaching(ana).lesson.window_id == first.window_id
        assert await labels(plant) == []
        await ana.press("1")
        await ana.sees("1 labelled")
        assert await labels(plant) == ["collision"]


async def test_zero_says_that_it_cannot_be_told_and_space_leaves_it_to_others(
    plant,
) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        first = teaching(ana).lesson.window_id
        await ana.press("0")
        await ana.sees("before: cannot tell")
        second = teaching(ana).lesson.window_id
        await ana.press("space")
        await ana.until(lambda: teaching(ana).lesson.window_id != second)

        assert first != second
        assert await labels(plant) == []


async def test_all_like_this_shows_how_many_and_the_edge_before_anything(
    tmp_path,
) -> None:
    world = await ServiceWorld.open(tmp_path)
    await put(world, 60)
    await put(world, 6, kind=77_777)
    async with seat(world) as ana:
        await ana.sees("What is this?")
        shown = teaching(ana).lesson

        await ana.press("equals_sign")
        await ana.sees("The least alike of", "label all")
        many = teaching(ana).alike.count + 1
        assert 4 <= many <= 6, "what is in hand already is shown one by one"
        await ana.sees(f"labels all {many}")
        assert teaching(ana).shown.window_id != shown.window_id
        assert await labels(world) == []

        await ana.press("0")
        assert teaching(ana).stage is Stage.EDGE
        await ana.press("escape")
        await ana.sees("What is this?")
        assert teaching(ana).shown.window_id == shown.window_id

        await ana.press("equals_sign")
        await ana.sees(f"labels all {many}")
        await ana.press("3")
        await ana.sees(f"{many} windows are now", f"{many} labelled")
        assert await labels(world) == ["missing_part"] * many

        await ana.press("u")
        await ana.sees("Taken back")
        assert await labels(world) == []
    await world.close()


async def test_two_people_see_each_other_and_how_far_they_agree(plant) -> None:
    async with seat(plant, ANA) as ana, seat(plant, BEN) as ben:
        await ana.sees("What is this?")
        await ben.sees("What is this?")
        for _ in range(15):
            await ana.press("4")
            await ben.press("4")
        await ana.until(lambda: teaching(ana).party.percent is not None)

        await ana.sees("100 % agree", "with ben")


async def test_a_contradiction_is_told_kindly(plant) -> None:
    async with seat(plant, ANA) as ana:
        await ana.sees("What is this?")
        for _ in range(30):
            await ana.until(lambda: teaching(ana).stage is not Stage.COMING)
            await ana.press("4")
        await ana.sees("Nothing is left for you")
    async with seat(plant, BEN) as ben:
        await ben.sees("What is this?")
        await ben.press("1")
        await ben.sees("Another person said otherwise", "1 disputed")


async def test_the_board_gets_back_what_was_in_hand(plant) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        await ana.press("escape")
        await ana.sees("QUESTIONS")

        await ana.press("t")
        await ana.sees("What is this?", "30 left")


async def test_when_nothing_is_left_it_says_so(tmp_path) -> None:
    world = await ServiceWorld.open(tmp_path)
    async with seat(world) as ana:
        await ana.sees("Nothing is left for you")
        await ana.press("4", "u", "equals_sign", "space")
        assert await labels(world) == []
    await world.close()


async def test_a_key_that_comes_too_soon_labels_nothing(plant, monkeypatch) -> None:
    monkeypatch.setattr(teacher, "LOOK_S", 3600.0)
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        await ana.press("4")

        await ana.sees("Look first")
        assert await labels(plant) == []


async def test_o_shows_the_oldest_first(plant) -> None:
    async with seat(plant) as ana:
        await ana.sees("What is this?")
        await ana.press("o")
        await ana.until(lambda: len(at_party(ana)._ahead) == teacher.AHEAD - 1)

        cycles = [lesson.cycle for lesson in at_party(ana)._ahead]
        assert cycles == sorted(cycles)
