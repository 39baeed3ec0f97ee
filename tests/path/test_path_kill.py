"""A coordinator that is killed while an answer may still be taken back."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from andon.v1 import cell_pb2, operator_pb2, operator_pb2_grpc, terms_pb2
from coordinator.__main__ import main
from coordinator.service import convert
from tests.builders import CHANNELS, FAMILY, LABELS, make_window
from tests.path.served import ANA, answer, connect, heard, offer

pytestmark = pytest.mark.slow

LONGEST_S = 60.0
"""More than a cold start of a coordinator takes, s."""
UNDO_S = 12.0
"""Long enough that an answer still waits when its coordinator is killed, s."""


def configured(folder: Path) -> tuple[Path, str]:
    """An andon.toml with one cell, on a port of its own; the address too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    labels = [f'{{ name = "{x.name}", action = "{x.action.value}" }}' for x in LABELS]
    channels = [
        f'{{ name = "{c.name}", unit = "{c.unit}", minimum = {c.minimum}, '
        f'maximum = {c.maximum}, policy = "{c.policy.value}", '
        f"stuck_rows = {c.stuck_rows} }}"
        for c in CHANNELS
    ]
    path = folder / "andon.toml"
    path.write_text(f"""
[coordinator]
listen = "{address}"
data_dir = "andon-data"
device = "cpu"
[gate]
maximum_age_s = 5.0
audit_share = 0.0
[policies]
autostart = true
[requests]
undo_s = {UNDO_S}
[families.peg]
rows = {FAMILY.rows}
monitor_rows = {FAMILY.monitor_rows}
default_label = "ok"
labels = [{", ".join(labels)}]
channels = [{", ".join(channels)}]
[cells.press-1]
family = "peg"
""")
    return path, address


@asynccontextmanager
async def program(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A coordinator in a process of its own, which serves; it does not outlive this."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "coordinator", "serve", "-c", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LONGEST_S):
            ready = await process.stdout.readline()
        if not ready:
            _, complaint = await process.communicate()
            raise AssertionError(complaint.decode())
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """A channel to it, closed at the end."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


def entries(path: Path, kind: str, request_id: str) -> list[dict[str, Any]]:
    """What the journal holds of that kind about that request, oldest first."""
    store = path.parent / "andon-data" / "store.db"
    with closing(sqlite3.connect(store)) as database:
        rows = database.execute(
            "SELECT payload FROM journal WHERE kind = ? ORDER BY seq", (kind,)
        ).fetchall()
    return [json.loads(row) for (row,) in rows if request_id in row]


async def summary_of(channel: Any, request_id: str) -> operator_pb2.RequestSummary:
    operators = operator_pb2_grpc.OperatorServiceStub(channel)
    ask = operator_pb2.GetRequestRequest(request_id=request_id)
    found: operator_pb2.RequestSummary = (await operators.GetRequest(ask)).summary
    return found


async def answered_and_killed(path: Path, address: str) -> tuple[str, Any]:
    """Kill a coordinator under an answer that waits; the request and its window."""
    window = convert.window(make_window(seq=1))
    async with program(path) as process, connected(address) as channel:
        at_start = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
        call = await connect(channel, at_start)
        await heard(call, "permit")
        await offer(call, window)
        request_id = (await heard(call, "window_outcome")).request_id
        given = await answer(channel, request_id)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    assert given.undo_within.seconds > 0
    assert given.summary.pending_label == "ok"
    return request_id, window


async def test_an_answer_that_waits_outlives_a_kill_and_counts_exactly_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, address = configured(tmp_path)
    request_id, window = await answered_and_killed(path, address)
    at_kill = [len(entries(path, k, request_id)) for k in ("AnswerGiven", ENDED)]

    async with program(path) as process, connected(address) as channel:
        waiting = await summary_of(channel, request_id)
        scene = cell_pb2.Scene(
            stand=cell_pb2.STAND_DECIDING,
            cycle=window.cycle,
            window_digest=window.window_digest,
        )
        call = await connect(channel, scene)
        await heard(call, "reoffer")
        window.offered_again = True
        await offer(call, window)
        async with asyncio.timeout(LONGEST_S):
            permit = await _permit(call, scene)
        final = await summary_of(channel, request_id)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    again = await restarted(path, address, request_id)
    capsys.readouterr()
    verified = main(["journal", "verify", "-c", str(path), "--json"])

    assert at_kill == [1, 0]
    assert (waiting.outcome, waiting.pending_label) == (OPEN, "ok")
    assert waiting.pending_by == ANA.person
    for ended in (final, again):
        assert (ended.outcome, ended.label) == (terms_pb2.OUTCOME_ANSWERED, "ok")
        assert ended.answered_by == ANA.person
    assert permit.window_digest == window.window_digest
    assert permit.action == terms_pb2.ACTION_CONTINUE
    assert len(entries(path, "AnswerGiven", request_id)) == 1
    assert len(entries(path, ENDED, request_id)) == 1
    assert entries(path, "RequestEnded", request_id) == []
    assert len(entries(path, "ExampleAdded", window.window_id)) == 1
    assert verified == 0, capsys.readouterr().out


OPEN = terms_pb2.OUTCOME_UNSPECIFIED
ENDED = "RequestAnswered"


async def _permit(call: Any, scene: cell_pb2.Scene) -> Any:
    """The permit for the next step, while the node's heart beats."""
    beating = asyncio.create_task(_beat(call, scene))
    try:
        while True:
            message = await call.read()
            assert message is not grpc.aio.EOF
            if message.WhichOneof("message") == "permit":
                return message.permit
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _beat(call: Any, scene: cell_pb2.Scene) -> None:
    for seq in itertools.count(1):
        beat = cell_pb2.Heartbeat(seq=seq, scene=scene)
        await call.write(cell_pb2.NodeMessage(heartbeat=beat))
        await asyncio.sleep(0.2)


async def restarted(path: Path, address: str, request_id: str) -> Any:
    """How the request stands after one more restart, which changes nothing."""
    async with program(path) as process, connected(address) as channel:
        found = await summary_of(channel, request_id)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    return found
