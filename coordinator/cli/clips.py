"""`andon clip`: full-rate recordings around unclear moments, as MCAP files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

from coordinator.cli import options, output
from coordinator.cli.output import as_mapping

if TYPE_CHECKING:
    import grpc

    from andon.v1 import operator_pb2
    from coordinator.cli.clip_tables import Written

FIRST_WITHIN_S: Final = 10.0
"""Time for the first piece of a clip, s."""


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    clip = typer.Typer(
        help="Full-rate clips around unclear moments.", rich_markup_mode=None
    )
    clip.command("list")(list_clips)
    clip.command("export")(export)
    app.add_typer(clip, name="clip")


def list_clips(
    request: Annotated[
        str, typer.Option(metavar="ID", help="Only of this request's window.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 100,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the stored clips, newest first."""
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        found = _listed(channel, request, limit)
    if as_json:
        output.print_json([as_mapping(clip) for clip in found])
        return
    output.print_table(
        "clips", ("clip", "cell", "request", "MB", "begins"), map(_row, found)
    )


def _row(clip: operator_pb2.ClipInfo) -> tuple[str, ...]:
    return (
        clip.clip_id,
        clip.cell_id,
        clip.request_id,
        f"{clip.bytes / 1e6:.1f}",
        f"{clip.start_at.ToDatetime():%Y-%m-%d %H:%M:%S} UTC",
    )


def _listed(
    channel: grpc.Channel, request_id: str, limit: int
) -> list[operator_pb2.ClipInfo]:
    from andon.v1 import operator_pb2, operator_pb2_grpc
    from coordinator.cli import client

    stub = operator_pb2_grpc.OperatorServiceStub(channel)
    ask = operator_pb2.ListClipsRequest(request_id=request_id, page_size=limit)
    return list(client.ask(stub.ListClips, ask).clips)


def export(
    about: Annotated[
        str, typer.Argument(metavar="ID", help="The clip, or the request it is of.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to; by default named after the clip."),
    ] = None,
    csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="Also a folder of CSV files beside it, one a topic."
        ),
    ] = False,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Write a clip to an .mcap file.

    `mcap`, `rosbags`, Foxglove and `ros2 bag` read it; the definitions of its messages
    are inside. With --csv its numbers also become tables: a row a message, a column a
    value, with units where the cell's channels say them.
    """
    from coordinator.cli import client
    from coordinator.cli.progress import Bar

    with (
        client.connect(options.resolve_server(server)) as channel,
        Bar("fetching") as bar,
    ):
        of_request = _listed(channel, about, 1)
        clip_id = of_request[0].clip_id if of_request else about
        pieces = _pieces(channel, clip_id)
        info, first = next(pieces)
        path = out or Path(_file_name(info))
        with _Partial(path) as partial:
            partial.add(first)
            for _, piece in pieces:
                partial.add(piece)
                bar.show(partial.bytes, info.bytes)
            partial.keep(info)
    tables = _tables(path) if csv else None
    if as_json:
        said: dict[str, object] = {"file": str(path), "clip": as_mapping(info)}
        if tables is not None:
            said["tables"] = [str(table) for table in tables.files]
            said["left_out"] = list(tables.left_out)
        output.print_json(said)
        return
    typer.echo(f"{path}: {info.bytes / 1e6:.1f} MB of {info.cell_id}")
    if tables is not None:
        for table in tables.files:
            typer.echo(str(table))
        for topic in tables.left_out:
            typer.echo(f"left out: {topic}, in which nothing is a number or a text")


def _tables(path: Path) -> Written:
    from coordinator.cli.clip_tables import write_tables

    return write_tables(path, path.with_suffix(""))


def _pieces(
    channel: grpc.Channel, clip_id: str
) -> Iterator[tuple[operator_pb2.ClipInfo, bytes]]:
    """What a clip is, with each of its pieces.

    Raises:
        StoreIntegrityError: nothing came, or not what a clip begins with.
    """
    from andon.v1 import operator_pb2, operator_pb2_grpc
    from coordinator.cli import client
    from coordinator.errors import StoreIntegrityError

    stub = operator_pb2_grpc.OperatorServiceStub(channel)
    call = stub.GetClip(operator_pb2.GetClipRequest(clip_id=clip_id))
    info: operator_pb2.ClipInfo | None = None
    for part in client.watch(call, first_within_s=FIRST_WITHIN_S):
        if part.HasField("clip"):
            info = part.clip
        if info is None:
            break
        yield info, part.chunk
    if info is None:
        raise StoreIntegrityError(f"clip {clip_id} came without a word on what it is.")


def _file_name(clip: operator_pb2.ClipInfo) -> str:
    began_at = clip.start_at.ToDatetime()
    named = f"{clip.cell_id}-{began_at:%Y%m%dT%H%M%SZ}-{clip.clip_id}.mcap"
    # What names a file is not left to the other side of a wire.
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in named)


class _Partial:
    """A file that has its name only when all of it is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __enter__(self) -> Self:
        self._file = self._part.open("wb")
        return self

    def add(self, piece: bytes) -> None:
        """Write the next piece."""
        self._file.write(piece)
        self._digest.update(piece)
        self.bytes += len(piece)

    def keep(self, clip: operator_pb2.ClipInfo) -> None:
        """Give it its name.

        Raises:
            StoreIntegrityError: it is not what was stored.
        """
        from coordinator.errors import StoreIntegrityError

        if (self.bytes, self._digest.hexdigest()) != (clip.bytes, clip.clip_digest):
            raise StoreIntegrityError("the clip did not arrive as it was stored.")
        self._file.close()
        self._part.replace(self._path)

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            self._part.unlink()
