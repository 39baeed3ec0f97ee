"""Clips over a real server: taken whole or refused by name, and given back as taken."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import cell_pb2, cell_pb2_grpc
from andon.v1 import operator_pb2 as o
from coordinator.errors import StoreDegradedError
from coordinator.live import clips as shelf
from coordinator.service import clips
from coordinator.service.clips import LARGEST_PIECE
from coordinator.terms import ClipId, WindowId, events
from tests.coordinator.service.service_world import (
    Node,
    ServiceWorld,
    actor,
    refused,
)

CODE = grpc.StatusCode
BAD = CODE.INVALID_ARGUMENT
PIECE = 64 << 10


class Asked:
    """An open request, and a node that brings its clip."""

    def __init__(self, world: ServiceWorld, summary: Any, window_id: str) -> None:
        self.world = world
        self.request_id = summary.request_id
        self.window_id = window_id
        self.stub = cell_pb2_grpc.CellServiceStub(world.channel)

    def header(self, content: bytes, **changes: Any) -> cell_pb2.UploadClipRequest:
        facts: dict[str, Any] = {
            "cell_id": "press-1",
            "request_id": self.request_id,
            "window_id": self.window_id,
            "start_at": Timestamp(seconds=1_767_225_600),
            "bytes": len(content),
            "clip_digest": hashlib.sha256(content).hexdigest(),
        }
        return cell_pb2.UploadClipRequest(header=cell_pb2.ClipHeader(**facts | changes))

    async def upload(self, content: bytes, **changes: Any) -> str:
        return await self.send(self.header(content, **changes), *pieces(content))

    async def send(self, *parts: cell_pb2.UploadClipRequest) -> str:
        async def each() -> AsyncIterator[cell_pb2.UploadClipRequest]:
            for part in parts:
                yield part

        call: Any = self.stub.UploadClip(each())
        return str((await call).clip_id)

    def left(self) -> list[str]:
        """Names of the files that are there."""
        folder = self.world.clip_files.path(ClipId("x")).parent
        return sorted(path.name for path in folder.iterdir())


def pieces(content: bytes) -> Iterable[cell_pb2.UploadClipRequest]:
    for at in range(0, len(content), PIECE):
        yield cell_pb2.UploadClipRequest(chunk=content[at : at + PIECE])


def newest_wanted(node: Node) -> cell_pb2.ClipWanted:
    """What clip the coordinator asked this node for."""
    return [m.clip_wanted for m in node.got if m.HasField("clip_wanted")][-1]


@pytest.fixture
async def asked(world: ServiceWorld) -> Asked:
    node, summary = await world.asked()
    wanted = newest_wanted(node)
    assert wanted.request_id == summary.request_id
    # How much is kept is the node's configuration.
    assert not wanted.HasField("before")
    assert not wanted.HasField("after")
    return Asked(world, summary, wanted.window_id)


async def got(world: ServiceWorld, clip_id: str) -> SimpleNamespace:
    call = world.operators.GetClip(o.GetClipRequest(clip_id=clip_id))
    parts = [part async for part in call]
    return SimpleNamespace(
        content=b"".join(part.chunk for part in parts),
        infos=[part.clip for part in parts if part.HasField("clip")],
        sizes=[len(part.chunk) for part in parts],
    )


async def test_a_clip_is_given_back_as_it_was_taken(asked: Asked) -> None:
    content = os.urandom(700_000)
    clip_id = await asked.upload(content)

    found = await got(asked.world, clip_id)

    assert found.content == content
    assert max(found.sizes) <= LARGEST_PIECE
    [info] = found.infos
    assert info.request_id == asked.request_id
    assert info.window_id == asked.window_id
    assert (info.cell_id, info.bytes) == ("press-1", len(content))
    assert info.clip_digest == hashlib.sha256(content).hexdigest()
    [stored] = await asked.world.journal(events.ClipStored)
    assert (stored.clip.clip_id, stored.clip.digest) == (clip_id, info.clip_digest)


async def test_the_request_names_its_clip_and_watchers_are_told(asked: Asked) -> None:
    world = asked.world
    watch = world.operators.Watch(o.WatchRequest(actor=actor()))
    first = await watch.read()
    clip_id = await asked.upload(b"some bytes")
    while not (change := await watch.read()).HasField("request"):
        pass
    watch.cancel()

    looked = await world.operators.GetRequest(
        o.GetRequestRequest(request_id=asked.request_id)
    )
    listed = await world.operators.ListRequests(o.ListRequestsRequest())

    assert first.snapshot.requests[0].clip_id == ""
    assert change.request.clip_id == clip_id
    assert looked.clip_id == looked.summary.clip_id == clip_id
    assert listed.requests[0].clip_id == clip_id


async def test_a_clip_changes_nothing_about_the_question(asked: Asked) -> None:
    # Who looked before the clip came answers what is still the same question.
    world = asked.world
    look = o.GetRequestRequest(request_id=asked.request_id)
    before = await world.operators.GetRequest(look)
    await asked.upload(b"some bytes")
    after = await world.operators.GetRequest(look)

    assert before.view_digest == after.view_digest


async def test_the_same_clip_twice_is_one_clip(asked: Asked) -> None:
    content = os.urandom(300_000)
    first = await asked.upload(content)
    again = await asked.upload(content)
    # Its bytes are not needed a second time.
    short = await asked.send(asked.header(content))

    assert first == again == short
    assert len(await asked.world.journal(events.ClipStored)) == 1
    assert asked.left() == [f"{first}.mcap"]


async def test_the_same_clip_at_once_on_two_calls_is_one_clip(asked: Asked) -> None:
    content = os.urandom(300_000)

    both = await asyncio.gather(asked.upload(content), asked.upload(content))

    assert both[0] == both[1]
    assert len(await asked.world.journal(events.ClipStored)) == 1
    assert asked.left() == [f"{both[0]}.mcap"]


async def test_another_clip_of_the_same_window_is_refused(asked: Asked) -> None:
    await asked.upload(b"one")

    why = await refused(asked.upload(b"two"))

    assert (why.code, why.token) == (CODE.FAILED_PRECONDITION, "ALREADY_THERE")


CONTENT = b"x" * 1000


@pytest.mark.parametrize(
    ("changes", "code", "token"),
    [
        pytest.param({"cell_id": ""}, BAD, "MISSING_FIELD", id="no-cell"),
        pytest.param({"cell_id": "x/y"}, BAD, "BAD_ID", id="no-id"),
        pytest.param({"cell_id": "press-9"}, CODE.NOT_FOUND, "UNKNOWN_CELL", id="cell"),
        pytest.param({"cell_id": "press-2"}, BAD, "WRONG_CELL", id="other-cell"),
        pytest.param({"request_id": ""}, BAD, "MISSING_FIELD", id="no-r"),
        pytest.param({"request_id": "r-9"}, CODE.NOT_FOUND, "NOT_FOUND", id="request"),
        pytest.param({"window_id": "w-other"}, BAD, "WRONG_WINDOW", id="window"),
        pytest.param({"bytes": 0}, BAD, "WRONG_SIZE", id="empty"),
        pytest.param(
            {"bytes": 1_000_001},
            BAD,
            "WRONG_SIZE",
            id="over-the-limit",
        ),
        pytest.param({"bytes": 2**64 - 1}, BAD, "WRONG_SIZE", id="huge"),
        pytest.param({"bytes": 999}, BAD, "WRONG_SIZE", id="more-came"),
        pytest.param({"bytes": 1001}, BAD, "WRONG_SIZE", id="less-came"),
        pytest.param(
            {"clip_digest": "0" * 64},
            BAD,
            "DIGEST_MISMATCH",
            id="digest",
        ),
        pytest.param(
            {"clip_digest": "A" * 64},
            BAD,
            "BAD_DIGEST",
            id="no-digest",
        ),
        pytest.param(
            {"start_at": Timestamp(seconds=-1)},
            BAD,
            "BAD_TIME",
            id="time",
        ),
    ],
)
async def test_what_does_not_fit_its_header_is_refused_by_name(
    asked: Asked, changes: dict[str, Any], code: grpc.StatusCode, token: str
) -> None:
    why = await refused(asked.upload(CONTENT, **changes))

    assert (why.code, why.token) == (code, token)
    await asked.world.clip_files.run(lambda: None)
    assert asked.left() == []
    assert await asked.world.journal(events.ClipStored) == []


def _chunk(size: int) -> cell_pb2.UploadClipRequest:
    return cell_pb2.UploadClipRequest(chunk=b"x" * size)


UNSET = cell_pb2.UploadClipRequest()


@pytest.mark.parametrize(
    ("parts", "token"),
    [
        pytest.param([], "MISSING_FIELD", id="nothing"),
        pytest.param([_chunk(10)], "MISSING_FIELD", id="chunk-first"),
        pytest.param(
            ["header", _chunk(10), "header"], "SECOND_HEADER", id="two-headers"
        ),
        pytest.param(["header", _chunk(LARGEST_PIECE + 1)], "WRONG_CHUNK", id="large"),
        pytest.param(["header", _chunk(0)], "WRONG_CHUNK", id="empty"),
        pytest.param(
            ["header", cell_pb2.UploadClipRequest()], "WRONG_CHUNK", id="unset"
        ),
    ],
)
async def test_what_is_no_clip_at_all_is_refused(
    asked: Asked, parts: list[Any], token: str
) -> None:
    header = asked.header(b"x" * 500_000)
    why = await refused(asked.send(*[header if p == "header" else p for p in parts]))

    assert (why.code, why.token) == (BAD, token)
    await asked.world.clip_files.run(lambda: None)
    assert asked.left() == []


async def test_a_node_that_falls_silent_is_given_up(asked: Asked, monkeypatch) -> None:
    monkeypatch.setattr(clips, "SILENT_S", 0.05)
    call: Any = asked.stub.UploadClip()
    await call.write(asked.header(CONTENT))

    why = await refused(call)

    assert (why.code, why.token) == (CODE.UNAVAILABLE, "UNAVAILABLE")


async def test_a_node_that_goes_in_the_middle_leaves_nothing(asked: Asked) -> None:
    world, content = asked.world, os.urandom(500_000)
    call: Any = asked.stub.UploadClip()
    await call.write(asked.header(content))
    await call.write(cell_pb2.UploadClipRequest(chunk=content[:PIECE]))
    await world.until(asked.left)
    during = asked.left()
    call.cancel()
    await world.until(lambda: not asked.left())

    assert during[0].endswith(".part")
    assert await world.plant.clips.all(None, 9) == []
    assert await asked.upload(content)


async def test_a_full_disk_is_named_and_the_clip_may_come_again(
    asked: Asked, monkeypatch
) -> None:
    async def full() -> int:
        return shelf.LEAST_FREE_BYTES

    with monkeypatch.context() as patched:
        patched.setattr(asked.world.clip_files, "free_bytes", full)
        why = await refused(asked.upload(CONTENT))

    assert (why.code, why.token) == (CODE.RESOURCE_EXHAUSTED, "CLIPS_FULL")
    assert "the disk has less than" in why.text
    assert await asked.upload(CONTENT)


async def test_a_store_that_cannot_note_a_clip_keeps_no_file(asked: Asked) -> None:
    asked.world.store.failure = StoreDegradedError(
        "the disk is full; nothing was kept."
    )
    why = await refused(asked.upload(CONTENT))
    asked.world.store.failure = None

    assert (why.code, why.token) == (CODE.RESOURCE_EXHAUSTED, "STORE_DEGRADED")
    assert asked.left() == []


async def test_too_many_clips_at_once_wait(asked: Asked, monkeypatch) -> None:
    monkeypatch.setattr(shelf, "MOST_AT_ONCE", 1)
    slow: Any = asked.stub.UploadClip()
    await slow.write(asked.header(CONTENT))
    await slow.write(cell_pb2.UploadClipRequest(chunk=CONTENT[:10]))
    await asked.world.until(asked.left)

    why = await refused(asked.upload(CONTENT))
    await slow.write(cell_pb2.UploadClipRequest(chunk=CONTENT[10:]))
    await slow.done_writing()

    assert (why.code, why.token) == (CODE.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert (await slow).clip_id


async def _answer(world: ServiceWorld, request_id: str) -> None:
    looked = await world.operators.GetRequest(
        o.GetRequestRequest(request_id=request_id, actor=actor())
    )
    claim = await world.operators.Claim(
        o.ClaimRequest(
            request_id=request_id, actor=actor(), idempotency_key=f"c-{request_id}"
        )
    )
    await world.operators.Answer(
        o.AnswerRequest(
            request_id=request_id,
            actor=actor(),
            idempotency_key=f"a-{request_id}",
            claim_epoch=claim.claim_epoch,
            label="ok",
            view_digest=looked.view_digest,
        )
    )


async def test_the_oldest_clip_gives_way_and_the_journal_says_so(asked: Asked) -> None:
    world = asked.world
    world.limits.all_bytes = 1500
    first = await asked.upload(b"1" * 1000)
    await _answer(world, asked.request_id)
    node = world.nodes[0]
    await node.heard("permit")
    await node.offer()
    await node.heard("window_outcome")
    wanted = newest_wanted(node)
    second = Asked(
        world, SimpleNamespace(request_id=wanted.request_id), wanted.window_id
    )

    # Room for one: the answered one goes, and the open one would not.
    newer = await second.upload(b"2" * 1000)
    gone = await refused(
        world.operators.GetClip(o.GetClipRequest(clip_id=first)).read()
    )
    listed = await world.operators.ListClips(o.ListClipsRequest())

    assert (gone.code, gone.token) == (CODE.NOT_FOUND, "NOT_FOUND")
    assert [clip.clip_id for clip in listed.clips] == [newer]
    assert second.left() == [f"{newer}.mcap"]
    [removed] = await world.journal(events.ClipRemoved)
    assert (removed.clip_id, removed.window_id) == (first, WindowId(asked.window_id))


async def test_a_clip_of_an_open_request_never_gives_way(asked: Asked) -> None:
    world = asked.world
    world.limits.all_bytes = 1500
    first = await asked.upload(b"1" * 1000)
    other = await world.working("press-2")
    await other.offer()
    await other.heard("window_outcome")
    wanted = newest_wanted(other)
    second = Asked(
        world, SimpleNamespace(request_id=wanted.request_id), wanted.window_id
    )

    why = await refused(second.upload(b"2" * 1000, cell_id="press-2"))

    assert (why.code, why.token) == (CODE.RESOURCE_EXHAUSTED, "CLIPS_FULL")
    assert (await got(world, first)).content == b"1" * 1000


async def test_clips_are_listed_by_page_and_by_request(asked: Asked) -> None:
    world = asked.world
    clip_id = await asked.upload(CONTENT)

    page = await world.operators.ListClips(o.ListClipsRequest(page_size=1))
    mine = await world.operators.ListClips(
        o.ListClipsRequest(request_id=asked.request_id)
    )
    nobodys = await world.operators.ListClips(o.ListClipsRequest(request_id="r-9"))
    odd = await refused(world.operators.ListClips(o.ListClipsRequest(page_token="x")))  # noqa: S106

    assert [clip.clip_id for clip in page.clips] == [clip_id]
    assert page.next_page_token == ""
    assert [clip.clip_id for clip in mine.clips] == [clip_id]
    assert list(nobodys.clips) == []
    assert odd.token == "BAD_PAGE_TOKEN"  # noqa: S105


@pytest.mark.parametrize(
    ("clip_id", "code", "token"),
    [
        ("", BAD, "MISSING_FIELD"),
        ("../../store.db", BAD, "BAD_ID"),
        ("c-9", CODE.NOT_FOUND, "NOT_FOUND"),
    ],
)
async def test_what_is_no_clip_is_not_given(
    world: ServiceWorld, clip_id: str, code: grpc.StatusCode, token: str
) -> None:
    call = world.operators.GetClip(o.GetClipRequest(clip_id=clip_id))

    why = await refused(call.read())

    assert (why.code, why.token) == (code, token)


async def test_a_clip_whose_file_is_gone_is_a_loss_and_said_to_be(asked: Asked) -> None:
    clip_id = ClipId(await asked.upload(CONTENT))
    await asked.world.clip_files.remove(clip_id)

    why = await refused(
        asked.world.operators.GetClip(o.GetClipRequest(clip_id=clip_id)).read()
    )

    assert (why.code, why.token) == (CODE.DATA_LOSS, "STORE_INTEGRITY")


async def test_a_late_clip_belongs_to_the_request_that_has_ended(asked: Asked) -> None:
    await _answer(asked.world, asked.request_id)
    clip_id = await asked.upload(CONTENT)

    looked = await asked.world.operators.GetRequest(
        o.GetRequestRequest(request_id=asked.request_id)
    )

    assert looked.clip_id == clip_id


async def test_a_start_with_less_room_lets_closed_clips_go(asked: Asked) -> None:
    world = asked.world
    clip_id = await asked.upload(CONTENT)
    world.limits.all_bytes = 10

    await world.plant.clips.open()
    still_asked = asked.left()
    await _answer(world, asked.request_id)
    await world.plant.clips.open()

    assert still_asked == [f"{clip_id}.mcap"]
    assert asked.left() == []
    [removed] = await world.journal(events.ClipRemoved)
    assert removed.clip_id == clip_id


async def test_a_start_sweeps_what_a_killed_coordinator_left(asked: Asked) -> None:
    clip_id = await asked.upload(CONTENT)
    for leftover in ("c-half.part", "c-never-journalled.mcap"):
        asked.world.clip_files.path(ClipId("x")).with_name(leftover).write_bytes(b"x")

    await asked.world.plant.clips.open()

    assert asked.left() == [f"{clip_id}.mcap"]
