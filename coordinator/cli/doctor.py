"""`andon doctor`: is this computer fit to run andon?

Each check is a function that answers with a Finding; none of them changes anything.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from coordinator.cli import options, output
from coordinator.cli.configure import require_loopback, split_address
from coordinator.cli.exits import Exit
from coordinator.cli.serve import LEAST_FREE_BYTES
from coordinator.errors import ConfigError, InsecureBindError

if TYPE_CHECKING:
    from coordinator.config import Settings

Version = tuple[int, int, int]

COMFORTABLE_FREE_BYTES: Final = 1024**3
LEAST_MEMORY_BYTES: Final = 2 * 1024**3
FOREIGN_EYES: Final = stat.S_IRWXG | stat.S_IRWXO

# The WAL-reset bug: two connections that write or checkpoint can corrupt the file.
WAL_BUG_FIRST: Final[Version] = (3, 7, 0)
WAL_BUG_FIXED: Final[Version] = (3, 51, 3)
WAL_BUG_BACKPORTS: Final[tuple[Version, ...]] = ((3, 44, 6), (3, 50, 7))


class Grade(Enum):
    """How well a check went."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """It works; somebody should know."""
    FAIL = "fail"
    """andon, or the part of it that is named, does not work here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a sentence."""

    check: str
    grade: Grade
    text: str


def register(app: typer.Typer) -> None:
    """Add the command to andon."""
    app.command("doctor")(doctor)


def doctor(
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> int:
    """Say whether this computer is fit to run andon.

    Looks at the computer, the libraries, the disk and the port; changes nothing.
    """
    findings = [*examine_host(), *examine_plant(config)]
    failed = any(finding.grade is Grade.FAIL for finding in findings)
    if as_json:
        rows = [asdict(f) | {"grade": f.grade.value} for f in findings]
        output.print_json({"fit": not failed, "findings": rows})
    else:
        output.print_table(
            "",
            ("check", "", "finding"),
            [(f.check, f.grade.value, f.text) for f in findings],
        )
    return Exit.NEGATIVE if failed else Exit.OK


def examine_host() -> Iterator[Finding]:
    """What holds whatever is configured."""
    yield _host()
    yield judge_python(sys.version_info[:3])
    yield sqlite_here()
    yield _torch()
    yield _library("rclpy", "simulated and real cells need ROS 2 (andon[ros])")
    yield _library("mujoco", "simulated cells need it (andon[sim])")


def examine_plant(config: Path) -> Iterator[Finding]:
    """What a configuration asks of this computer; without one, that it is missing."""
    if not config.exists():
        text = f"no {config}: `andon init` writes one"
        yield Finding("config", Grade.NOTE, text)
        yield judge_disk(Path.cwd(), shutil.disk_usage(Path.cwd()).free)
        return
    try:
        settings = options.load_settings(config)
    except ConfigError as error:
        yield Finding("config", Grade.FAIL, error.text)
        return
    yield Finding("config", Grade.OK, f"{config}, {len(settings.cells)} cells")
    data_dir = settings.coordinator.data_dir
    existing = next(p for p in (data_dir, *data_dir.parents) if p.exists())
    yield judge_disk(existing, shutil.disk_usage(existing).free)
    yield judge_modes(data_dir)
    yield _port(settings)


def _host() -> Finding:
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{platform.system()} {platform.machine()}, {cores} cores, "
    text += f"{memory / 1024**3:.1f} GiB"
    enough = memory >= LEAST_MEMORY_BYTES
    return Finding("host", Grade.OK if enough else Grade.NOTE, text)


def judge_python(version: tuple[int, ...]) -> Finding:
    """Whether this Python is one that andon is tested on."""
    text = ".".join(map(str, version))
    if version[:2] in {(3, 11), (3, 12)}:
        return Finding("python", Grade.OK, text)
    if version[:2] > (3, 12):
        return Finding("python", Grade.NOTE, f"{text}; tested are 3.11 and 3.12")
    return Finding("python", Grade.FAIL, f"{text}; andon needs 3.11 or 3.12")


def sqlite_here() -> Finding:
    """The SQLite that the store will use: pysqlite3's when that is installed."""
    library = sqlite3.sqlite_version
    if importlib.util.find_spec("pysqlite3") is not None:
        library = str(importlib.import_module("pysqlite3").sqlite_version)
    major, minor, patch = (int(part) for part in library.split(".")[:3])
    return judge_sqlite((major, minor, patch))


def judge_sqlite(version: Version) -> Finding:
    """Whether this SQLite has the WAL-reset bug (3.7.0 to 3.51.2, two backports).

    The bug needs two connections that write or checkpoint. andon has one, so a version
    inside the range is worth knowing and no reason not to start.
    """
    text = ".".join(map(str, version))
    backported = any(
        version[:2] == fixed[:2] and version >= fixed for fixed in WAL_BUG_BACKPORTS
    )
    if version < WAL_BUG_FIRST:
        return Finding("sqlite", Grade.FAIL, f"{text} has no write-ahead log")
    if version >= WAL_BUG_FIXED or backported:
        return Finding("sqlite", Grade.OK, f"{text}, WAL-reset bug fixed")
    return Finding(
        "sqlite",
        Grade.NOTE,
        f"{text} has the WAL-reset bug (fixed in 3.51.3, 3.50.7, 3.44.6); andon is "
        "safe, as only one connection writes: let no other program write to the store",
    )


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", Grade.FAIL, "not installed: nothing can be predicted")
    import torch

    if not torch.cuda.is_available():
        text = f"{torch.__version__}, CPU, {torch.get_num_threads()} threads"
        return Finding("torch", Grade.OK, text)
    try:
        works = bool(torch.ones(2, device="cuda").sum().item() == 2.0)
    except RuntimeError as error:
        text = f"{torch.__version__}; the GPU does not work ({error}): CPU"
        return Finding("torch", Grade.NOTE, text)
    name = torch.cuda.get_device_name()
    text = f"{torch.__version__}, CUDA {torch.version.cuda}, {name}"
    return Finding("torch", Grade.OK if works else Grade.NOTE, text)


def _library(name: str, without: str) -> Finding:
    if importlib.util.find_spec(name) is not None:
        return Finding(name, Grade.OK, "present")
    return Finding(name, Grade.NOTE, f"not here; {without}")


def judge_disk(folder: Path, free: int) -> Finding:
    """Whether a folder has room; free in bytes."""
    text = f"{free / 1024**3:.1f} GiB free in {folder}"
    if not free >= LEAST_FREE_BYTES:
        return Finding(
            "disk", Grade.FAIL, f"{text}, need {LEAST_FREE_BYTES // 2**20} MiB"
        )
    grade = Grade.OK if free >= COMFORTABLE_FREE_BYTES else Grade.NOTE
    return Finding("disk", grade, text)


def judge_modes(data_dir: Path) -> Finding:
    """Whether the data folder is this user's alone."""
    if not data_dir.exists():
        return Finding("data_dir", Grade.OK, f"{data_dir}, made at the first start")
    if not data_dir.is_dir():
        return Finding("data_dir", Grade.FAIL, f"{data_dir} is not a folder")
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not os.access(data_dir, os.W_OK | os.X_OK):
        return Finding("data_dir", Grade.FAIL, f"{data_dir} cannot be written to")
    if mode & FOREIGN_EYES:
        text = f"{data_dir} is open to other users ({mode:04o}); chmod 700 closes it"
        return Finding("data_dir", Grade.NOTE, text)
    return Finding("data_dir", Grade.OK, f"{data_dir} ({mode:04o})")


def _port(settings: Settings) -> Finding:
    listen = settings.coordinator.listen
    try:
        require_loopback(listen)
        host, port = split_address(listen)
    except (ConfigError, InsecureBindError) as error:
        return Finding("port", Grade.FAIL, error.text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return _taken_port(listen, error)
    return Finding("port", Grade.OK, f"{listen} is free")


def _taken_port(listen: str, error: OSError) -> Finding:
    from coordinator.cli import client

    if client.is_serving(listen):
        return Finding("port", Grade.OK, f"a coordinator serves at {listen}")
    text = f"{listen} cannot be had: {error.strerror}"
    return Finding("port", Grade.FAIL, text)
