"""`python -m ros_nodes replay`: play a recording as topics, or as a robot.

python -m ros_nodes replay press.mcap --config andon.toml --cell press-1 --rate 2
python -m ros_nodes replay press.mcap --config andon.toml --cell press-1 --as-robot
python -m ros_nodes replay bag_folder --topics /joint_states --loop
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ros_nodes.bags.names import full_name
from ros_nodes.bags.opening import is_bag, open_bag
from ros_nodes.bags.options import Part, ReplayOptions
from ros_nodes.bags.table import TableBag, names_of, sources_of
from ros_nodes.bags.terms import Bag, RecordingRefusedError
from ros_nodes.config import CellConfig, ConfigRefusedError, read_cell
from ros_nodes.loopback import loopback_environment
from ros_nodes.plan import NodeSpec
from ros_nodes.recording import Columns, parse_columns

if TYPE_CHECKING:  # needs rclpy, which must start after the environment is set
    from ros_nodes.bags.choice import Choice
    from ros_nodes.playback_node import Playback

FASTEST: Final = 100.0
OK: Final = 0


def main(words: Sequence[str]) -> int:
    """Play a recording and return the exit code.

    Raises:
        ConfigRefusedError: The configuration or the recording cannot be used.
    """
    said = _parser().parse_args(words)
    options = _options(said)
    environment(said, options.cell)
    if said.as_robot:
        return _as_robot(said, options)
    return _as_messages(options, as_json=said.json)


def environment(said: argparse.Namespace, cell: CellConfig | None) -> None:
    """Set what rclpy reads when it starts: domain and network."""
    domain_id = said.domain
    if domain_id is None and cell is not None:
        domain_id = cell.ros.domain_id
    if domain_id is not None:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
    if not said.network:
        os.environ.update(loopback_environment())


def _as_messages(options: ReplayOptions, *, as_json: bool) -> int:
    from ros_nodes import playback_node
    from ros_nodes.bags.choice import Wish, choose

    ending = playback_node.Ending()
    with opened(options) as bag:
        wish = Wish(options.topics, options.cell, options.renamed)
        choice = choose(bag, wish, playback_node.installed)
        for remark in _remarks(bag, choice):
            sys.stderr.write(f"andon: {remark}.\n")
        playback = playback_node.play(bag, choice, options, ending)
        if as_json:
            facts = _facts(bag, options, choice, playback)
            sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in _story(bag, playback))
    return OK


@contextmanager
def opened(options: ReplayOptions) -> Iterator[Bag]:
    """Open the recording, whatever it is.

    Raises:
        RecordingRefusedError: It cannot be read, or nobody said what its columns mean.
    """
    if is_bag(options.file):
        with open_bag(options.file) as bag:
            yield bag
        return
    if options.columns is None:
        raise RecordingRefusedError(
            f"{options.file.name}: --config and --cell, or --columns, "
            "must say what its columns mean"
        )
    cell = options.cell
    names = {"joints": "joint_states", "wrench": "wrench"}
    if cell is not None:
        names |= names_of(cell)
    full = {
        key: full_name(cell, name) if cell is not None else f"/{name}"
        for key, name in names.items()
    }
    yield TableBag(options.file, options.columns, full)


def _remarks(bag: Bag, choice: Choice) -> Iterator[str]:
    if bag.cut_short:
        yield f"{bag.name} lost its end ({bag.cut_short}): playing what is there"
    yield from choice.remarks


def _story(bag: Bag, playback: Playback) -> Iterator[str]:
    played = playback.played
    yield (
        f"played {played.messages} messages of {len(played.by_topic)} "
        f"topic{'s' * (len(played.by_topic) != 1)} of {bag.name} in "
        f"{playback.seconds:.2f} s ({playback.recorded_s:.2f} s of the recording, "
        f"{playback.loops} to its end)"
    )
    timing = played.timing
    if timing.count:
        yield (
            f"late or early by {timing.quantile_ms(0.5):.2f} ms (p50), "
            f"{timing.quantile_ms(0.99):.2f} ms (p99), "
            f"{timing.worst_ns / 1e6:.2f} ms at most"
        )
        yield from timing.picture()
    if played.disordered:
        yield f"{played.disordered} lay behind a later one, and were sent at once"
    if played.lags:
        yield f"{played.lags} times over a second late, and went on from there"
    if playback.unheard:
        yield f"nobody listened to {', '.join(playback.unheard)}"


def _facts(
    bag: Bag, options: ReplayOptions, choice: Choice, playback: Playback
) -> dict[str, Any]:
    played, timing = playback.played, playback.played.timing
    return {
        "file": bag.name,
        "rate": options.rate,
        "seconds": playback.seconds,
        "recorded_s": playback.recorded_s,
        "loops": playback.loops,
        "messages": played.messages,
        "topics": {
            topic.name: played.by_topic.get(topic.recorded.name, 0)
            for topic in choice.topics
        },
        "p50_ms": timing.quantile_ms(0.5) if timing.count else None,
        "p99_ms": timing.quantile_ms(0.99) if timing.count else None,
        "worst_ms": timing.worst_ns / 1e6 if timing.count else None,
        "disordered": played.disordered,
        "lags": played.lags,
        "unheard": list(playback.unheard),
        "cut_short": bag.cut_short,
    }


def _as_robot(said: argparse.Namespace, options: ReplayOptions) -> int:
    from ros_nodes.replay_node import ReplayNode

    cell = options.cell
    if cell is None:
        raise RecordingRefusedError(
            "a robot needs a cell that gives it leave: say --config and --cell"
        )
    ros, names = cell.ros, names_of(cell)
    spec = NodeSpec(
        executable="replay_node",
        namespace=cell.namespace,
        name=f"{cell.cell_id}.robot",
        parameters={
            "cell": cell.cell_id,
            "config": str(said.config.resolve()),
            "file": str(options.file.resolve()),
            "time_factor": float(options.rate),
            "cycles": 0 if options.loop else -1,
            "topics": ",".join(options.topics),
            "remap": ",".join(f"{a}:={b}" for a, b in options.renamed.items()),
            "from_s": float(options.part.from_s),
            "to_s": -1.0 if options.part.to_s is None else float(options.part.to_s),
            "cycle_s": float(said.cycle_seconds),
            "columns": said.columns,
            "time_column": said.time_column,
            "group_column": said.group_column,
            "part_column": said.part_column,
            "joints": names.get("joints", "joint_states"),
            "wrench": names.get("wrench", "wrench"),
            "steps": ros.steps,
            "permits": ros.permits,
            "hold_service": ros.robot.hold,
            "resume_service": ros.robot.resume,
        },
    )
    robot = ReplayNode("replay", list(spec.ros_arguments))
    sys.stderr.write(
        f"andon: {options.file.name} has {robot.cycles_there} cycles; each waits for "
        f"leave from the node of {cell.cell_id}. Ctrl-C ends it.\n"
    )
    robot.run()
    return OK


def _options(said: argparse.Namespace) -> ReplayOptions:
    cell = chosen_cell(said)
    return ReplayOptions(
        file=said.file,
        cell=cell,
        topics=tuple(said.topics),
        renamed=dict(said.remap),
        part=Part(said.begin, said.end),
        rate=said.rate,
        loop=said.loop,
        keep_stamps=said.keep_stamps,
        wait_s=said.wait,
        columns=_columns(said, cell),
    )


def chosen_cell(said: argparse.Namespace) -> CellConfig | None:
    """The cell that was named, or None.

    Raises:
        ConfigRefusedError: A cell was named without a configuration, or the other way
            round, or is not in it.
    """
    if said.config is None and not said.cell:
        return None
    if said.config is None or not said.cell:
        raise ConfigRefusedError("--config and --cell belong together")
    return read_cell(said.config, said.cell)


def _columns(said: argparse.Namespace, cell: CellConfig | None) -> Columns | None:
    sources = parse_columns(said.columns)
    if not sources and cell is not None:
        sources = sources_of(cell)
    if not sources:
        return None
    return Columns(said.time_column, said.group_column, sources, said.part_column)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ros_nodes replay",
        description="Play an MCAP or .db3 file, a rosbag2 folder, or a CSV.",
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the recording")
    add("--config", type=Path, help="path of andon.toml")
    add("--cell", default="", help="id of the cell whose topics are played")
    add("--topics", nargs="+", default=[], metavar="NAME", help="play these alone")
    add(
        "--remap",
        nargs="+",
        type=_remap,
        default=[],
        metavar="FROM:=TO",
        help="publish a recorded topic under another name",
    )
    add("--rate", type=_rate, default=1.0, help="seconds of the recording a second")
    add("--loop", action="store_true", help="begin anew at the end, until Ctrl-C")
    add("--from", dest="begin", type=seconds, default=0.0, help="first second to play")
    add("--to", dest="end", type=seconds, help="first second not to play")
    add(
        "--keep-stamps",
        action="store_true",
        help="keep the recorded stamps and publish /clock, for nodes on use_sim_time; "
        "else stamps are of now",
    )
    add(
        "--as-robot",
        action="store_true",
        help="play cycle by cycle, each when the cell's node gives leave",
    )
    add(
        "--cycle-seconds",
        type=seconds,
        default=0.0,
        help="length of a cycle where the recording says nothing about steps; "
        "0: one cycle",
    )
    add("--wait", type=seconds, default=2.0, help="longest wait for a listener, s")
    add("--domain", type=domain, help="ROS domain; by default the cell's")
    add("--network", action="store_true", help="let other machines hear it as well")
    add("--json", action="store_true", help="write what came of it as JSON")
    add("--columns", default="", help="of a CSV: COLUMN=TOPIC:FIELD:ELEMENT,...")
    add("--time-column", default="time_s", help="of a CSV, in seconds")
    add("--group-column", default="cycle", help="of a CSV, tells cycles apart")
    add("--part-column", default="", help="of a CSV: serial numbers")
    return parser


def _remap(text: str) -> tuple[str, str]:
    before, sign, after = text.partition(":=")
    if not (sign and before.startswith("/") and after.startswith("/")):
        raise argparse.ArgumentTypeError(f"{text!r} is not /FROM:=/TO")
    return before, after


def _rate(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= FASTEST:
        raise argparse.ArgumentTypeError(
            f"{text} is not above 0 and at most {FASTEST:g}"
        )
    return value


def seconds(text: str) -> float:
    """Read an option that is a time (or a size): finite, and not below 0."""
    value = float(text)
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds")
    return value


def domain(text: str) -> int:
    """Read an option that is a ROS domain id."""
    value = int(text)
    if not 0 <= value <= 101:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 101")
    return value
