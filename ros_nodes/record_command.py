"""`python -m ros_nodes record`: write what a cell's topics say to an MCAP file.

    python -m ros_nodes record --config andon.toml --cell press-1 --seconds 60

Exit codes besides those of every command: 1 nothing was heard, 7 the disk.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ros_nodes.bags.line import StatusLine
from ros_nodes.bags.options import RecordOptions
from ros_nodes.bags.subjects import subjects
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.clock import SystemClock, utc
from ros_nodes.config import CellConfig, ConfigRefusedError
from ros_nodes.replay_command import chosen_cell, domain, environment, seconds

if TYPE_CHECKING:  # needs rclpy, which must start after the environment is set
    from ros_nodes.record_node import Kept

OK: Final = 0
NOTHING: Final = 1
DISK: Final = 7


def main(words: Sequence[str]) -> int:
    """Record a cell's topics and return the exit code.

    Raises:
        ConfigRefusedError: The configuration or what was asked for cannot be used.
    """
    said = _parser().parse_args(words)
    cell = chosen_cell(said)
    if cell is None:
        raise ConfigRefusedError("--config and --cell say what to record")
    environment(said, cell)
    return _record(
        RecordOptions(
            cell=cell,
            file=said.out if said.out is not None else _named(cell),
            topics=tuple(said.topic),
            seconds=said.seconds,
            reserve_mb=said.reserve_mb,
        ),
        as_json=said.json,
    )


def _record(options: RecordOptions, *, as_json: bool) -> int:
    # Starts rclpy, which reads the environment that was set above.
    from ros_nodes.playback_node import Ending
    from ros_nodes.record_node import Recorder

    chosen = subjects(options.cell, options.topics)
    ending = Ending()
    try:
        recorder = Recorder(options, chosen, f"andon {_version()}")
    except FileExistsError as error:
        raise RecordingRefusedError(
            f"{options.file} is there already, and is not overwritten"
        ) from error
    except OSError as error:
        return _disk(f"{options.file} cannot be written: {error.strerror}.")
    kept = recorder.run(ending, StatusLine(SystemClock()))
    heard = sum(kept.messages.values())
    if as_json:
        sys.stdout.write(json.dumps(_facts(kept), indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _story(kept))
    if kept.ended and heard:
        return _disk(f"{kept.ended}; {kept.file.name} keeps what came before.")
    return OK if heard else NOTHING


def _story(kept: Kept) -> Iterator[str]:
    heard, lost = sum(kept.messages.values()), sum(kept.lost.values())
    if not heard:
        yield f"nothing was heard of {', '.join(kept.messages)}: no file is left"
        return
    yield (
        f"{kept.file}: {heard} messages in {kept.seconds:.1f} s "
        f"({heard / max(kept.seconds, 1e-3):.0f} a second), {kept.megabytes:.2f} MB, "
        f"{lost} lost"
    )
    for topic, count in kept.messages.items():
        missing = f", {kept.lost[topic]} lost" if kept.lost[topic] else ""
        yield f"  {topic}: {count}{missing}"


def _facts(kept: Kept) -> dict[str, Any]:
    return {
        "file": str(kept.file),
        "seconds": kept.seconds,
        "megabytes": kept.megabytes,
        "messages": kept.messages,
        "lost": kept.lost,
        "ended": kept.ended,
    }


def _disk(text: str) -> int:
    sys.stderr.write(f"andon: error: DISK: {text}\n")
    return DISK


def _named(cell: CellConfig) -> Path:
    """A name that says the cell and the moment, for lists that sort by name."""
    moment = utc(SystemClock().utc_ns())
    return Path(f"{cell.cell_id}-{moment:%Y%m%dT%H%M%SZ}.mcap")


def _version() -> str:
    try:
        return importlib.metadata.version("andon")
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ros_nodes record",
        description="Write what a cell's topics say to an MCAP file, until Ctrl-C.",
    )
    add = parser.add_argument
    add("--config", type=Path, required=True, help="path of andon.toml")
    add("--cell", required=True, help="id of the cell")
    add("--out", type=Path, metavar="FILE", help="by default CELL-MOMENT.mcap, here")
    add("--seconds", type=seconds, default=0.0, help="end after so many; 0: at Ctrl-C")
    add(
        "--topic",
        action="append",
        default=[],
        metavar="NAME",
        help="key or name of a topic of the cell, or /name[=package/msg/Name] of "
        "another; may be given several times; none: all of the cell's",
    )
    add(
        "--reserve-mb",
        type=seconds,
        default=500.0,
        help="end when the disk has less free than this, MB",
    )
    add("--domain", type=domain, help="ROS domain; by default the cell's")
    add(
        "--loopback",
        dest="network",
        action="store_false",
        help="hear this machine alone, as simulated cells do",
    )
    add("--json", action="store_true", help="write what came of it as JSON")
    return parser
