"""Which topics of a cell are recorded: all that its configuration names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ros_nodes.bags.names import full_name
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.config import CellConfig

TEXT: Final = "std_msgs/msg/String"

Role = Literal["sensor", "latched", "words"]
"""How a topic is listened to: as best effort, from its newest message on, reliably."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One topic to record.

    Attributes:
        name: Full name.
        type: "package/msg/Name"; "": whatever somebody publishes there.
        role: How it is listened to.
    """

    name: str
    type: str
    role: Role = "sensor"


def subjects(cell: CellConfig, wanted: Sequence[str]) -> tuple[Subject, ...]:
    """Choose the topics to record.

    Args:
        cell: The cell.
        wanted: Keys or names of its topics, or "/name" or "/name=package/msg/Name" of
            others; none: all of the cell's.

    Raises:
        RecordingRefusedError: A word is neither.
    """
    own = dict(_own(cell))
    if not wanted:
        once: dict[str, Subject] = {}
        for subject in own.values():
            once.setdefault(subject.name, subject)
        return tuple(once.values())
    chosen: dict[str, Subject] = {}
    for word in wanted:
        subject = own.get(word) or _other(cell, word, own)
        chosen[subject.name] = subject
    return tuple(chosen.values())


def _own(cell: CellConfig) -> Iterator[tuple[str, Subject]]:
    """The cell's topics by the words for them."""
    ros = cell.ros
    for key, topic in ros.topics.items():
        role: Role = "latched" if topic.latched else "sensor"
        name = full_name(cell, topic.name)
        yield key, Subject(name, topic.type, role)
    yield "steps", Subject(full_name(cell, ros.steps), TEXT, "words")
    yield "permits", Subject(full_name(cell, ros.permits), TEXT, "words")
    yield from _words(cell)
    for safety in ros.safety:
        name = full_name(cell, safety.topic)
        yield name, Subject(name, safety.type)
    back = ros.robot.read_back
    if back is not None:
        name = full_name(cell, back.topic)
        yield name, Subject(name, back.type)


def _words(cell: CellConfig) -> Iterator[tuple[str, Subject]]:
    """Topics between the node and a program that does not speak JSON, and its hold."""
    program, robot = cell.ros.program, cell.ros.robot
    spoken: list[tuple[str, str, Role]] = []
    if program.adapter != "topics":
        spoken.append((program.part, TEXT, "latched"))
    if program.adapter == "signals":
        spoken.append((program.done, "std_msgs/msg/Bool", "words"))
        spoken.append((program.action, "std_msgs/msg/Int8", "words"))
    if robot.adapter == "topic":
        spoken.append((robot.hold, "std_msgs/msg/Bool", "latched"))
    for said, kind, role in spoken:
        name = full_name(cell, said)
        yield name, Subject(name, kind, role)


def _other(cell: CellConfig, word: str, own: dict[str, Subject]) -> Subject:
    name, _, kind = word.partition("=")
    for subject in own.values():
        if name in (subject.name, subject.name.removeprefix(f"{cell.namespace}/")):
            return subject
    if not name.startswith("/"):
        raise RecordingRefusedError(
            f"{word[:80]!r} is no topic of cell {cell.cell_id} (it has "
            f"{', '.join(own)}); the name of another one begins with /"
        )
    return Subject(name, kind)
