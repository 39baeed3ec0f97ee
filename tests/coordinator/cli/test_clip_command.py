"""Clips on the command line: listed, and written to a file whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.__main__ import main
from coordinator.cli.exits import Exit
from tests.tui.fake_clips import make_clip

CONTENT = os.urandom(600_000)
NAME = "press-1-20250101T120000Z-c-1.mcap"


class FakeOperators(operator_pb2_grpc.OperatorServiceServicer):
    """Knows one clip, of one request."""

    def __init__(self) -> None:
        self.lost = 0
        self.info = operator_pb2.ClipInfo(
            clip_id="c-1", cell_id="press-1", request_id="r-1", window_id="w-1"
        )
        self.info.start_at.FromJsonString("2025-01-01T12:00:00Z")
        self.keep(CONTENT)

    def keep(self, content: bytes) -> None:
        self.content = content
        self.info.clip_digest = hashlib.sha256(content).hexdigest()
        self.info.bytes = len(content)

    def ListClips(self, request, context):
        wanted = request.request_id in ("", "r-1")
        return operator_pb2.ListClipsResponse(clips=[self.info] if wanted else [])

    def GetClip(self, request, context):
        if request.clip_id != "c-1":
            detail = Any()
            detail.Pack(error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="andon"))
            text = f"NOT_FOUND: no clip {request.clip_id} is stored."
            status = status_pb2.Status(
                code=code_pb2.NOT_FOUND, message=text, details=[detail]
            )
            context.abort_with_status(rpc_status.to_status(status))
        content = self.content[: len(self.content) - self.lost]
        for at in range(0, len(content), 256 << 10):
            yield operator_pb2.GetClipResponse(
                chunk=content[at : at + (256 << 10)], clip=None if at else self.info
            )


@pytest.fixture
def fake() -> FakeOperators:
    return FakeOperators()  # type: ignore[abstract]


@pytest.fixture
def server(fake: FakeOperators, tmp_path: Path, monkeypatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    serving = grpc.server(futures.ThreadPoolExecutor(2))
    operator_pb2_grpc.add_OperatorServiceServicer_to_server(fake, serving)
    port = serving.add_insecure_port("127.0.0.1:0")
    serving.start()
    yield f"127.0.0.1:{port}"
    serving.stop(None).wait()


def test_clips_are_listed_for_people_and_for_programs(server: str, capsys) -> None:
    assert main(["clip", "list", "--server", server]) == Exit.OK
    table = capsys.readouterr().out
    assert main(["clip", "list", "--server", server, "--json"]) == Exit.OK
    [clip] = json.loads(capsys.readouterr().out)
    assert main(["clip", "list", "--request", "r-9", "--server", server]) == Exit.OK
    nothing = capsys.readouterr().out

    assert all(word in table for word in ("c-1", "press-1", "r-1", "0.6", "2025-01-01"))
    assert clip["clip_id"] == "c-1"
    assert clip["bytes"] == str(len(CONTENT))
    assert "c-1" not in nothing


@pytest.mark.parametrize("about", ["c-1", "r-1"])
def test_a_clip_is_written_as_it_was_stored(
    server: str, tmp_path: Path, capsys, about: str
) -> None:
    assert main(["clip", "export", about, "--server", server]) == Exit.OK

    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert capsys.readouterr().out == f"{NAME}: 0.6 MB of press-1\n"


def test_a_file_may_be_named(server: str, tmp_path: Path, capsys) -> None:
    out = tmp_path / "one.mcap"
    arguments = ["clip", "export", "c-1", "--out", str(out), "--server", server]

    assert main([*arguments, "--json"]) == Exit.OK

    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(out)
    assert said["clip"]["clip_id"] == "c-1"
    assert out.read_bytes() == CONTENT


def test_its_numbers_come_as_tables_beside_it(
    server: str, fake: FakeOperators, tmp_path: Path, capsys
) -> None:
    fake.keep(make_clip(hz=10))
    arguments = ["clip", "export", "c-1", "--csv", "--server", server]

    assert main(arguments) == Exit.OK
    said = capsys.readouterr().out
    assert main([*arguments, "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)

    folder = Path(NAME).with_suffix("")
    assert str(folder / "press_2_wrench.csv") in told["tables"]
    assert told["left_out"] == ["/press_2/cam"]
    assert all(table in said for table in told["tables"])
    assert "left out: /press_2/cam" in said
    assert (tmp_path / folder / "press_2_wrench.csv").is_file()


def test_what_arrives_cut_leaves_no_file(
    server: str, fake: FakeOperators, tmp_path: Path, capsys
) -> None:
    fake.lost = 1

    assert main(["clip", "export", "c-1", "--server", server]) == Exit.INTEGRITY

    assert "did not arrive as it was stored" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_is_not_there_is_a_negative_finding(
    server: str, tmp_path: Path, capsys
) -> None:
    assert main(["clip", "export", "c-9", "--server", server]) == Exit.NEGATIVE

    assert "NOT_FOUND: no clip c-9 is stored." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_name_from_the_wire_stays_in_this_folder(
    server: str, fake: FakeOperators, tmp_path: Path
) -> None:
    fake.info.cell_id = "../../up"

    assert main(["clip", "export", "c-1", "--server", server]) == Exit.OK

    assert [path.name for path in tmp_path.iterdir()] == [
        ".._.._up-20250101T120000Z-c-1.mcap"
    ]


def test_a_folder_that_is_not_there_is_the_disks_fault(server: str, tmp_path) -> None:
    out = str(tmp_path / "nowhere" / "x.mcap")

    code = main(["clip", "export", "c-1", "--out", out, "--server", server])

    assert code == Exit.DISK
