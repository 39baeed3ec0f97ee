"""What cells can do without may fail, at a start too: andon goes on, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from andon.v1 import cell_pb2
from coordinator import app
from coordinator.clock import ManualClock
from coordinator.errors import NotFoundError, StoreDegradedError
from coordinator.learning import path as learning_path
from coordinator.learning.path import LearningPath
from coordinator.live.gate import keeper
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.request.queue import RequestQueue
from coordinator.people.sessions import Sessions as PersonSessions
from coordinator.service import convert, known, usual
from coordinator.store import Store
from coordinator.terms import GateState, SensorWindow, window_digest
from tests.builders import FAMILY, NOON, PEG, make_window
from tests.coordinator.live.request.queue_world import QueueWorld
from tests.path.served import SOON_S, connect, heard, offer, serving

pytestmark = pytest.mark.slow
AT_START = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON_S):
        while not holds():  # noqa: ASYNC110 - the coordinator runs beside us
            await asyncio.sleep(0.01)


async def asks(channel: Any) -> None:
    """The cell has its link, and a window becomes a question."""
    call = await connect(channel, AT_START)
    await heard(call, "permit")
    await offer(call, convert.window(make_window(seq=1)))
    assert (await heard(call, "window_outcome")).request_id


class Fault:
    """Replaces a method until it is mended; counts how often it was tried."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        kind: type,
        name: str,
        error: Exception | None = None,
    ) -> None:
        self.tried = 0
        self.error = error
        whole = getattr(kind, name)

        def faulty(*given: Any, **more: Any) -> Any:
            self.tried += 1
            if self.error is not None:
                raise self.error
            return whole(*given, **more)

        patch.setattr(kind, name, faulty)


def bad_disk() -> StoreDegradedError:
    return StoreDegradedError("the disk cannot be read.")


# -- what windows usually look like ---------------------------------------------------


def shorter(window: SensorWindow) -> SensorWindow:
    """As it was before the family was configured anew: one row less."""
    samples = window.samples[:-1].copy()
    digest = window_digest(FAMILY.schema_digest, samples, window.present)
    return replace(window, samples=samples, digest=digest)


async def answered(folder: Path, patch: pytest.MonkeyPatch, *shapes: Any) -> None:
    """Answers on record, seven of each shape."""
    store = await Store.open(folder, clock=ManualClock(NOON))
    world = QueueWorld(store, ManualClock(NOON))
    for shape in shapes:
        with patch.context() as patched:
            patched.setattr(
                "tests.coordinator.live.request.queue_world.make_window",
                lambda shape=shape, **facts: shape(make_window(**facts)),
            )
            for _ in range(7):
                asked = await world.ask()
                await world.claim(asked)
                await world.answer(asked, label="ok")
    await store.close()


async def test_windows_from_before_a_new_configuration_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "EVERY_S", 0.05)
    await answered(tmp_path, monkeypatch, shorter, lambda window: window)
    async with serving(tmp_path) as (coordinator, channel):
        await until(lambda: PEG in coordinator.plant.usual)
        await asks(channel)

    drawn = coordinator.plant.usual[PEG]
    assert drawn.shape == (2, FAMILY.rows, len(FAMILY.channels))
    assert np.isfinite(drawn).all()


async def test_a_picture_that_cannot_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "EVERY_S", 0.05)
    await answered(tmp_path, monkeypatch, lambda window: window)
    fault = Fault(monkeypatch, usual, "_drawn", bad_disk())  # type: ignore[arg-type]
    async with serving(tmp_path) as (coordinator, channel):
        await until(lambda: fault.tried > 1)
        await asks(channel)
        fault.error = None

        await until(lambda: PEG in coordinator.plant.usual)


async def test_a_bug_in_the_picture_ends_nothing_and_shows_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "EVERY_S", 0.05)
    monkeypatch.setattr(app, "FAULT_PAUSE_S", 0.05)
    await answered(tmp_path, monkeypatch, lambda window: window)
    fault = Fault(monkeypatch, usual, "_drawn", ZeroDivisionError())  # type: ignore[arg-type]
    async with serving(tmp_path) as (coordinator, channel):
        await until(lambda: fault.tried > 1)
        assert not coordinator.plant.usual
        await asks(channel)


# -- what time demands ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (RequestQueue, "make_final"),
        (RequestQueue, "end_lapsed_claims"),
        (PersonSessions, "tick"),
        (known, "offer"),
    ],
)
async def test_one_thing_that_fails_keeps_no_deadline_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    fault = Fault(monkeypatch, place, name, NotFoundError("it is gone."))
    async with serving(tmp_path, deadline_s=1.0) as (coordinator, channel):
        await asks(channel)
        (asked,) = coordinator.plant.requests.all_open()

        await until(lambda: coordinator.plant.requests.get(asked.request_id) is None)
        assert fault.tried > 1
        assert len(coordinator.plant.requests.all_open()) == 1


# -- learning -------------------------------------------------------------------------


@pytest.mark.parametrize("error", [bad_disk(), OSError("no such folder")])
async def test_learning_that_cannot_begin_says_so_and_begins_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(learning_path, "RETRY_S", 0.05)
    monkeypatch.setattr(app, "FAULT_PAUSE_S", 0.05)
    fault = Fault(monkeypatch, LearningPath, "resume", error)
    async with serving(tmp_path) as (coordinator, channel):
        teacher = coordinator.plant.learning[PEG]
        await until(lambda: fault.tried > 1)
        assert teacher.status.text.endswith((learning_path.AGAIN, learning_path.FAILED))
        await asks(channel)
        fault.error = None

        await until(lambda: teacher.status.text == "no model yet.")


async def test_a_bug_in_learning_keeps_what_serves_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "FAULT_PAUSE_S", 0.05)
    fault = Fault(monkeypatch, LearningPath, "_is_due", ValueError("shapes"))
    resumed = Fault(monkeypatch, LearningPath, "resume")
    async with serving(tmp_path) as (coordinator, channel):
        teacher = coordinator.plant.learning[PEG]
        await until(lambda: teacher.status.text == learning_path.FAILED)
        teacher.note_example()
        await until(lambda: fault.tried > 1)  # it tries the next time
        await asks(channel)

    assert resumed.tried == 1


# -- the gate -------------------------------------------------------------------------


async def test_a_gate_that_cannot_be_read_asks_and_reads_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RETRY_S", 0.05)
    fault = Fault(monkeypatch, Store, "gate", bad_disk())
    async with serving(tmp_path) as (coordinator, channel):
        gate = coordinator.plant.gates[PEG]
        await until(lambda: fault.tried > 1)
        assert gate.text() == keeper.READING
        await asks(channel)
        fault.error = None

        await until(lambda: gate.text() != keeper.READING)


@pytest.mark.parametrize("method", ["_remember", "_carry_out", "_look"])
async def test_a_bug_in_the_gate_asks_everything_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(app, "FAULT_PAUSE_S", 0.05)
    fault = Fault(monkeypatch, GateKeeper, method, ZeroDivisionError())
    async with serving(tmp_path) as (coordinator, channel):
        gate = coordinator.plant.gates[PEG]
        await until(lambda: fault.tried or gate.text() != keeper.READING)
        gate._woken.set()
        await until(lambda: gate.text() == keeper.FAILED)
        fault.error = None
        await asyncio.sleep(0.3)

        assert gate.text() == keeper.FAILED  # not by itself
        assert gate.state() is GateState.ASK_ALL
        assert gate.judge().ask_all
        await until(
            lambda: coordinator.plant.learning[PEG].status.gate.text == keeper.FAILED
        )
        await asks(channel)
