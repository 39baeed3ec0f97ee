"""`andon handover` and `andon numbers`: the shift on one page, and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import options, output
from coordinator.cli.output import as_mapping, print_json

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

HoursOption = Annotated[float, typer.Option(help="How far to look back, h.")]

TITLES: Final = {
    "waiting": "Waits for an answer",
    "cells": "Stands still now",
    "held": "Was held",
    "timed_out": "Nobody answered in time",
    "models": "Models",
    "gate": "The gate",
    "numbers": "In numbers",
}
"""What the sections of the sheet are called."""


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    app.command("handover")(handover)
    app.command("numbers")(numbers)


def handover(
    hours: HoursOption = 8.0,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> None:
    """Print the hand-over sheet: what waits, what was held, what was promoted."""
    from andon.v1 import insight_pb2, insight_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server, config)) as channel:
        stub = insight_pb2_grpc.InsightServiceStub(channel)
        request = insight_pb2.GetHandoverRequest(back=_back(hours))
        sheet = client.ask(stub.GetHandover, request)
    if as_json:
        print_json(as_mapping(sheet))
        return
    span = f"{_clock(sheet.from_at)} - {_clock(sheet.until_at)}"
    typer.echo(f"HAND-OVER {span}")
    for section in sheet.sections:
        typer.echo(f"\n{TITLES.get(section.name, section.name)}")
        for line in section.lines:
            when = _clock(line.at) if line.HasField("at") else ""
            about = [part for part in (when, line.cell_id, line.text) if part]
            typer.echo(f"  {'  '.join(about)}")
        if not section.lines:
            typer.echo("  nothing")


def numbers(
    hours: HoursOption = 8.0,
    family: Annotated[str, typer.Option(metavar="ID", help="Only a family.")] = "",
    cell: Annotated[str, typer.Option(metavar="ID", help="Only a cell.")] = "",
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> None:
    """Print the key numbers of the last hours; docs/numbers.md says what they mean."""
    from andon.v1 import insight_pb2, insight_pb2_grpc
    from coordinator.cli import client

    request = insight_pb2.GetNumbersRequest(
        family=family, cell_id=cell, back=_back(hours)
    )
    with client.connect(options.resolve_server(server, config)) as channel:
        stub = insight_pb2_grpc.InsightServiceStub(channel)
        found = client.ask(stub.GetNumbers, request)
    if as_json:
        rows = [
            {"family": r.family, "cell_id": r.cell_id, "numbers": dict(r.numbers)}
            for r in found.rows
        ]
        print_json({"rows": rows})
        return
    names = sorted({name for row in found.rows for name in row.numbers})
    heads = [row.cell_id or row.family or "all" for row in found.rows]
    output.print_table(
        f"The last {hours:g} h",
        ["number", *heads],
        [[name, *(_number(row.numbers, name) for row in found.rows)] for name in names],
    )


def _number(numbers: Mapping[str, float], name: str) -> str:
    """One number, and "-" for what could not be measured."""
    return f"{numbers[name]:.3g}" if name in numbers else "-"


def _back(hours: float) -> Duration:
    from google.protobuf.duration_pb2 import Duration

    if not 0.0 < hours <= 744.0:
        raise typer.BadParameter("give hours above 0 and at most 744.")
    duration = Duration()
    duration.FromTimedelta(timedelta(hours=hours))
    return duration


def _clock(stamp: Timestamp) -> str:
    from datetime import UTC

    return f"{stamp.ToDatetime(tzinfo=UTC).astimezone():%d.%m. %H:%M}"
