"""A clip's whole way: from real processes to a file that others read; and a kill."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from andon.v1 import operator_pb2, operator_pb2_grpc
from ros_nodes.clock import SECOND_NS
from ros_nodes.config import ClipSpec, RosNames
from tests.ros_nodes.cells import cell_up, free_domain, write_config
from tests.ros_nodes.conducted import Cell, running
from tests.ros_nodes.coordinated import ASKS_ALL, coordinating, free_port

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]


@asynccontextmanager
async def operators(port: int) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield operator_pb2_grpc.OperatorServiceStub(channel)


async def eventually(fact: Callable[[], Any], within: float = 30.0) -> Any:
    """Wait for a call to give something."""
    async with asyncio.timeout(within):
        while not (found := await fact()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
        return found


async def asked_about(stub: Any, *, with_clip: bool) -> Any:
    """The open request, once it is there; with its clip, once that is."""

    async def look() -> Any:
        reply = await stub.ListRequests(operator_pb2.ListRequestsRequest())
        return next((r for r in reply.requests if r.clip_id or not with_clip), None)

    return await eventually(look)


async def fetched(stub: Any, clip_id: str) -> bytes:
    call = stub.GetClip(operator_pb2.GetClipRequest(clip_id=clip_id))
    return b"".join([part.chunk async for part in call])


def read_by_mcap(path: Path) -> tuple[dict[str, dict[str, str]], dict[str, list[Any]]]:
    """Metadata by name, and (publish time, decoded) by topic."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    found: dict[str, list[Any]] = {}
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        notes = {note.name: note.metadata for note in reader.iter_metadata()}
        for _, channel, message, decoded in reader.iter_decoded_messages():
            entry = (message.publish_time, message.data, decoded)
            found.setdefault(channel.topic, []).append(entry)
    return notes, found


def check_by_rosbags(path: Path, expected: dict[str, list[Any]]) -> None:
    from rosbags.highlevel import AnyReader

    found: dict[str, list[bytes]] = {}
    with AnyReader([path]) as reader:
        for connection, _, data in reader.messages():
            reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append(bytes(data))
    assert {topic: len(messages) for topic, messages in found.items()} == {
        topic: len(messages) for topic, messages in expected.items()
    }


def check_by_rclpy(expected: dict[str, list[Any]]) -> None:
    from geometry_msgs.msg import WrenchStamped
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import JointState

    for topic, kind in (("joint_states", JointState), ("wrench", WrenchStamped)):
        for _, data, decoded in expected[f"/press_1/{topic}"]:
            message = deserialize_message(data, kind)
            assert message.header.stamp.nanosec == decoded.header.stamp.nanosec
    joints = deserialize_message(expected["/press_1/joint_states"][0][1], JointState)
    assert len(joints.name) == 7


async def test_a_question_brings_a_clip_that_three_readers_read(tmp_path: Path) -> None:
    port = free_port()
    config = write_config(tmp_path, port=port, domain=free_domain(6))
    text = config.read_text(encoding="utf-8")
    text = text.replace("autostart = false", "autostart = true")
    text = text.replace("before_s = 10.0", "before_s = 0.6")
    text = text.replace("after_s = 2.0 ", "after_s = 0.4 ")
    config.write_text(text, encoding="utf-8")
    async with (
        coordinating(config),
        cell_up(tmp_path, config=config) as cell,
        operators(port) as stub,
    ):
        asked = await asked_about(stub, with_clip=True)
        path = tmp_path / "clip.mcap"
        path.write_bytes(await fetched(stub, asked.clip_id))
        [cut] = cell.trace("clip_cut")
        [uploaded] = cell.trace("clip_uploaded")
        [window] = cell.trace("window_cut")

    assert uploaded["clip_id"] == asked.clip_id
    notes, found = read_by_mcap(path)
    about = {k: v for k, v in notes["andon.clip"].items() if not k.endswith("_ns")}
    span = [int(notes["andon.clip"][f"span_{end}_ns"]) for end in ("start", "end")]
    assert about["request"] == asked.request_id
    assert about["window"] == window["window_id"]
    assert about["software"].startswith("andon ")
    assert about["whole"] == "true"
    assert span[1] - span[0] == SECOND_NS
    # Nothing but the span, and all of it.
    stamps = [entry[0] for entries in found.values() for entry in entries]
    assert min(stamps) >= span[0]
    assert max(stamps) <= span[1]
    # At the robot's own pace, 50 Hz played 8 times faster, which no window keeps. A
    # busy machine may let it stumble; it reaches from end to end all the same.
    joints = [entry[0] for entry in found["/press_1/joint_states"]]
    steps = sorted(later - sooner for sooner, later in itertools.pairwise(joints))
    assert 2_000_000 < steps[len(steps) // 2] < 4_000_000
    assert joints[0] - span[0] < SECOND_NS // 5
    assert joints[-1] >= span[1] - 2 * SECOND_NS // 5, "nothing after the window"
    assert sum(len(entries) for entries in found.values()) == cut["messages"]
    said = [json.loads(e[2].data)["event"] for e in found["/press_1/steps"]]
    assert said[-1] == "end"
    assert len(notes["andon.channels"]) == 24
    check_by_rosbags(path, found)
    check_by_rclpy(found)


def _feel_much(cell: Cell) -> None:
    """Twelve megabytes that cannot be compressed: a second and a half on the way."""
    now_ns = cell.clock.monotonic_ns()
    for n in range(120):
        cell.conductor.clips.keep("joints", os.urandom(100_000), now_ns - n)


async def test_a_coordinator_killed_in_mid_upload_keeps_the_request_and_no_half_clip(
    tmp_path: Path,
) -> None:
    port = free_port()
    config = tmp_path / "andon.toml"
    config.write_text(ASKS_ALL.format(port=port), encoding="utf-8")
    clips = tmp_path / "data/clips"
    short = RosNames(clip=ClipSpec(before_s=2.0, after_s=0.1))
    async with running(port, tmp_path, ros=short) as cell:

        async def halfway() -> bool:
            return any(p.stat().st_size > 2_000_000 for p in clips.glob("*.part"))

        async with coordinating(config) as killed, operators(port) as stub:
            await cell.until(lambda: cell.robot.leaves)
            cell.play(0)
            _feel_much(cell)
            asked = await asked_about(stub, with_clip=False)
            await eventually(halfway)
            killed.kill()
            await killed.wait()
        assert [path.suffix for path in clips.iterdir()] == [".part"]

        async with coordinating(config), operators(port) as stub:
            # What was being received is gone, the question is not.
            looked = await asked_about(stub, with_clip=False)
            listed = await stub.ListClips(operator_pb2.ListClipsRequest())
            assert [looked.request_id, *listed.clips] == [asked.request_id]
            later = await asked_about(stub, with_clip=True)
            content = await fetched(stub, later.clip_id)

    assert later.request_id == asked.request_id
    assert len(content) > 12_000_000
    assert [path.name for path in clips.iterdir()] == [f"{later.clip_id}.mcap"]
    lines = (tmp_path / "node.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events.count("clip_cut") == 1
    assert "clip_delayed" in events
    assert events.count("clip_uploaded") == 1
