"""Where the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only commands that speak to a coordinator need it
    from google.protobuf.message import Message


def print_json(value: object) -> None:
    """Print one JSON document; NaN would not be JSON and is refused."""
    text = json.dumps(value, indent=2, sort_keys=False, allow_nan=False)
    sys.stdout.write(text + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Print a table as wide as the terminal, or as its content when there is none.

    Cells are shown literally: a `[` in a person's note is not markup.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print name and value pairs, one a line, the values in one column."""
    pairs = list(facts)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        sys.stdout.write(f"{name:<{width}}  {value}\n")


def as_mapping(message: Message) -> dict[str, Any]:
    """A protobuf message as plain values, every field there, enums by their names."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
