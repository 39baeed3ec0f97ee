"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import getpass
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:  # numpy and pydantic come with it, and --help does not need them
    from coordinator.config import Settings

CONFIG_NAME: Final = "andon.toml"
DEFAULT_SERVER: Final = "127.0.0.1:50551"

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")
]
ServerOption = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help=f"The coordinator; by default the one of ./{CONFIG_NAME}, "
        f"else {DEFAULT_SERVER}.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for a program.")]
FamilyOption = Annotated[str, typer.Option(metavar="ID", help="Family of cells.")]
NoteOption = Annotated[str, typer.Option(help="What the record should say about it.")]

CONFIG: Final = Path(CONFIG_NAME)


def load_settings(path: Path) -> Settings:
    """The settings in a file; raises ConfigError."""
    from coordinator import config

    return config.load(path)


def resolve_server(server: str, config: Path = CONFIG) -> str:
    """The address that was given, else the configured one, else the default.

    Raises:
        ConfigError: there is a configuration and it is refused.
    """
    if server:
        return server
    if config.exists():
        return load_settings(config).coordinator.listen
    return DEFAULT_SERVER


def as_id(text: str) -> str:
    """Turn a name into an id: what an id may not hold becomes a dash."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:63] or "unknown"


def this_person() -> str:
    """The user of the operating system, as an id: who acts until accounts exist."""
    return as_id(getpass.getuser())


def this_device() -> str:
    """This computer, as the id of the device that somebody acts on."""
    return as_id(f"cli-{platform.node()}")
