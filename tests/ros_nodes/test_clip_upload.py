"""Clips on their way: whole, beside the session, again after a failure."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from mcap.reader import make_reader

from andon.v1 import cell_pb2
from coordinator.service.server import OPTIONS
from ros_nodes import clip_upload
from ros_nodes.clip_upload import CHUNK_BYTES
from ros_nodes.clock import SECOND_NS
from ros_nodes.config import ClipSpec, RosNames
from ros_nodes.windowing import Span
from tests.link.proxy import UP, Harm, Proxy, Weather
from tests.ros_nodes.conducted import Cell, running
from tests.ros_nodes.scripted_coordinator import (
    SMALL_STREAMS,
    ScriptedCoordinator,
    Spoken,
    serving,
)

# Writing a clip needs the classes of its messages.
pytestmark = [pytest.mark.ros, pytest.mark.slow]

CODE = grpc.StatusCode


def _feel(cell: Cell, megabytes: float) -> None:
    """Fill the ring, and note a window in it whose clip is over already."""
    end_ns = cell.clock.monotonic_ns() - 3 * SECOND_NS
    for n in range(round(megabytes * 10)):
        # What cannot be compressed, as a camera's pictures cannot.
        cell.conductor.clips.keep("joints", os.urandom(100_000), end_ns - n)
    cell.conductor.clips.remember("w-1", Span(end_ns - SECOND_NS, end_ns))


async def _ask(session: Spoken) -> None:
    await session.say(
        clip_wanted=cell_pb2.ClipWanted(request_id="r-1", window_id="w-1")
    )


@asynccontextmanager
async def connected(
    folder: Path,
) -> AsyncIterator[tuple[ScriptedCoordinator, Cell, Spoken]]:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port), running(port, folder) as cell:
        yield coordinator, cell, await coordinator.session()


async def test_a_clip_arrives_whole_with_what_it_is(tmp_path: Path) -> None:
    async with connected(tmp_path) as (coordinator, cell, session):
        _feel(cell, 0.5)
        await _ask(session)
        await cell.until(lambda: coordinator.clips)

    [(header, content)] = coordinator.clips
    assert header.cell_id == "press-1"
    assert (header.request_id, header.window_id) == ("r-1", "w-1")
    assert header.bytes == len(content) > 500_000
    assert coordinator.largest_piece == CHUNK_BYTES <= 256 << 10
    assert header.clip_digest == hashlib.sha256(content).hexdigest()
    reader = make_reader(io.BytesIO(content))
    first_ns = min(m.publish_time for _, _, m in reader.iter_messages())
    assert header.start_at.ToNanoseconds() == first_ns
    notes = {note.name: note.metadata for note in reader.iter_metadata()}
    clip = notes["andon.clip"]
    assert clip["request"] == "r-1"
    span = [int(clip[f"span_{end}_ns"]) for end in ("start", "end")]
    window = [int(clip[f"window_{end}_ns"]) for end in ("start", "end")]
    assert [b - a for a, b in (span, window)] == [12 * SECOND_NS, SECOND_NS]
    assert window[1] - span[0] == 10 * SECOND_NS
    assert notes["andon.channels"] == {
        "elbow_pos": "/press_1/joint_states:position:elbow rad",
        "elbow_effort": "/press_1/joint_states:effort:elbow N*m",
        "force_z": "/press_1/wrench:force:z N",
    }


async def test_a_twenty_megabyte_clip_costs_no_heartbeat(tmp_path: Path) -> None:
    async with connected(tmp_path) as (coordinator, cell, session):
        _feel(cell, 20.0)
        before = session.last_heartbeat
        left: list[int | None] = []
        await _ask(session)
        async with asyncio.timeout(30):
            while not coordinator.clips:
                left.append(cell.conductor._lease_left_ns())
                await asyncio.sleep(0.005)

        # The lease was never in danger: it lasts 2 s from a heartbeat every 0.5 s.
        assert min(ns or 0 for ns in left) > SECOND_NS
        assert session.last_heartbeat - before >= 3
        assert len(coordinator.sessions) == 1
        assert len(coordinator.clips[0][1]) > 20_000_000


async def test_a_narrow_line_carries_the_clip_and_keeps_the_lease(
    tmp_path: Path,
) -> None:
    # 8 Mbit/s with a deep buffer in front: what is under way cannot be called back, so
    # the coordinator's small stream window is what keeps a clip out of the way.
    assert SMALL_STREAMS in OPTIONS
    coordinator, spec = ScriptedCoordinator(), RosNames(clip=ClipSpec(2.0, 0.1))
    async with serving(coordinator) as (_, port):
        proxy = Proxy(port)
        through = await proxy.start()
        async with running(through, tmp_path, ros=spec) as cell:
            session = await coordinator.session()
            proxy.become(Weather(Harm.NARROW, UP, 1e6))
            _feel(cell, 4.0)
            left: list[int | None] = []
            await _ask(session)
            async with asyncio.timeout(30):
                while not coordinator.clips:
                    left.append(cell.conductor._lease_left_ns())
                    await asyncio.sleep(0.005)
        await proxy.close()

    assert len(coordinator.sessions) == 1
    assert min(ns or 0 for ns in left) > SECOND_NS // 2


async def test_a_clip_is_sent_again_when_the_coordinator_could_not(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(clip_upload, "FIRST_BACKOFF_S", 0.01)
    async with connected(tmp_path) as (coordinator, cell, session):
        coordinator.clip_refusals = [
            (CODE.RESOURCE_EXHAUSTED, "STORE_DEGRADED: the disk is full."),
            (CODE.UNAVAILABLE, "gone"),
        ]
        _feel(cell, 0.2)
        await _ask(session)
        await cell.until(lambda: coordinator.clips)

        assert coordinator.clip_refusals == []
        assert cell.conductor.evidence.dropped["clip_lost"] == 0


async def test_a_clip_that_is_refused_for_good_is_given_up(tmp_path: Path) -> None:
    async with connected(tmp_path) as (coordinator, cell, session):
        coordinator.refused_clips = {"r-1": (CODE.NOT_FOUND, "NOT_FOUND: no r-1.")}
        _feel(cell, 0.2)
        await _ask(session)
        await cell.until(lambda: cell.conductor.evidence.dropped["clip_lost"] == 1)

        # The next one is carried as if nothing had been.
        cell.conductor.clips.remember(
            "w-2", Span(0, cell.clock.monotonic_ns() - 3 * SECOND_NS)
        )
        await session.say(
            clip_wanted=cell_pb2.ClipWanted(request_id="r-2", window_id="w-2")
        )
        await cell.until(lambda: coordinator.clips)
        assert coordinator.clips[0][0].request_id == "r-2"


async def test_a_clip_outlives_the_session_in_which_it_was_cut(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (server, port),
        running(port, tmp_path) as cell,
    ):
        session = await coordinator.session()
        _feel(cell, 4.0)
        await _ask(session)
        await cell.until(lambda: coordinator.clip_bytes > 1_000_000)
        await server.stop(grace=None)
        assert coordinator.clips == []

        async with serving(coordinator, port=port):
            await coordinator.session(2)
            await cell.until(lambda: coordinator.clips)

    [(header, content)] = coordinator.clips
    assert header.request_id == "r-1"
    assert header.clip_digest == hashlib.sha256(content).hexdigest()
