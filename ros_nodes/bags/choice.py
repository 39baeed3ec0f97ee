"""Which topics of a recording are played, and under which names.

A message that is played reaches whoever listens. So without a wish only topics of types
that a cell's sensors have are played, and leave for a robot is never played at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ros_nodes.bags.names import full_name
from ros_nodes.bags.terms import Bag, BagTopic, RecordingRefusedError
from ros_nodes.config import CellConfig
from ros_nodes.config.topics import FIELDS

SENSOR_TYPES: Final = frozenset(t for t in FIELDS if not t.startswith("std_msgs/"))
"""What only sensors say: a Float64MultiArray may as well be a command to a motor."""
_WORDS_TO_A_ROBOT: Final = {
    ("permits", "std_msgs/msg/String"),
    ("action", "std_msgs/msg/Int8"),
    ("hold", "std_msgs/msg/Bool"),
}
"""What a node's own topics are called, and their types, where nobody said otherwise."""


@dataclass(frozen=True, slots=True)
class PlayedTopic:
    """One topic to play, and the name to publish it under."""

    recorded: BagTopic
    name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a recording.

    Attributes:
        topics: Names in the recording, or keys of the cell's topics; none: all that a
            cell's sensors could have said.
        cell: Whose topics they are to be; None: the names of the recording.
        renamed: Names in the recording, and the names to publish under instead.
    """

    topics: Sequence[str] = ()
    cell: CellConfig | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is played, and one sentence for each topic that one might miss."""

    topics: tuple[PlayedTopic, ...]
    remarks: tuple[str, ...] = ()


def choose(bag: Bag, wish: Wish, installed: Callable[[str], bool]) -> Choice:
    """Choose the topics to play.

    Args:
        bag: The recording.
        wish: What is wanted.
        installed: Says whether messages of a type can be published here.

    Raises:
        RecordingRefusedError: A topic that was named is not there or cannot be played,
            or nothing is left to play.
    """
    unknown = [name for name in wish.renamed if name not in bag.topics]
    if unknown:
        raise _absent(bag, unknown[0])
    if wish.topics:
        choice = _named(bag, wish, installed)
    elif wish.cell is not None:
        choice = _of_the_cell(bag, wish, wish.cell, installed)
    else:
        choice = _of_sensors(bag, wish, installed)
    _require_names_apart(choice)
    return choice


def _named(bag: Bag, wish: Wish, installed: Callable[[str], bool]) -> Choice:
    played = []
    for word in wish.topics:
        place = _place(wish.cell, word) if wish.cell is not None else None
        found = (
            recorded_for(bag, wish, place)
            if place is not None
            else bag.topics.get(word)
        )
        if found is None:
            raise _absent(bag, word)
        if reason := _unplayable(found, wish, installed):
            raise RecordingRefusedError(f"{bag.name}: {found.name} {reason}")
        name = place[0] if place is not None else found.name
        played.append(PlayedTopic(found, wish.renamed.get(found.name, name)))
    return Choice(tuple(played))


def _of_the_cell(
    bag: Bag, wish: Wish, cell: CellConfig, installed: Callable[[str], bool]
) -> Choice:
    played, remarks = [], []
    for name, kind in _places(cell):
        found = recorded_for(bag, wish, (name, kind))
        if found is None:
            remarks.append(f"{bag.name} has no topic for {name}")
        elif found.type != kind:
            remarks.append(
                f"{found.name} is {found.type or 'of several types'}, "
                f"and {name} is {kind}: it is left out"
            )
        elif reason := _unplayable(found, wish, installed):
            remarks.append(f"{found.name} {reason}: it is left out")
        else:
            played.append(PlayedTopic(found, wish.renamed.get(found.name, name)))
    if not played:
        raise RecordingRefusedError(
            f"{bag.name} has no topic of cell {cell.cell_id}; it has {_listed(bag)}: "
            "name some with --topics, or rename them with --remap FROM:=TO"
        )
    return Choice(tuple(played), tuple(remarks))


def _of_sensors(bag: Bag, wish: Wish, installed: Callable[[str], bool]) -> Choice:
    played, remarks = [], []
    for topic in bag.topics.values():
        if not topic.count:
            continue
        if topic.type not in SENSOR_TYPES:
            remarks.append(f"{topic.name} is no sensor ({topic.type}): it is left out")
        elif reason := _unplayable(topic, wish, installed):
            remarks.append(f"{topic.name} {reason}: it is left out")
        else:
            played.append(PlayedTopic(topic, wish.renamed.get(topic.name, topic.name)))
    if not played:
        raise RecordingRefusedError(
            f"{bag.name} has no topic of a type that sensors have; it has "
            f"{_listed(bag)}: name some with --topics"
        )
    return Choice(tuple(played), tuple(remarks))


def _places(cell: CellConfig) -> Iterator[tuple[str, str]]:
    """Full names and types of what a cell hears of its sensors and its safety."""
    for topic in cell.ros.topics.values():
        yield full_name(cell, topic.name), topic.type
    for safety in cell.ros.safety:
        yield full_name(cell, safety.topic), safety.type


def _place(cell: CellConfig, word: str) -> tuple[str, str] | None:
    """Full name and type of a topic that was named by its key or its name."""
    topic = cell.ros.topics.get(word)
    if topic is not None:
        return full_name(cell, topic.name), topic.type
    return next((place for place in _places(cell) if place[0] == word), None)


def recorded_for(bag: Bag, wish: Wish, place: tuple[str, str]) -> BagTopic | None:
    """Return the recorded topic for a place in a cell, or None.

    It is the one renamed to it, or has its name, or was recorded on a robot that had
    no namespace, or another one.

    Args:
        bag: The recording.
        wish: What is wanted of it.
        place: Full name and type in the cell.
    """
    name, kind = place
    for before, after in wish.renamed.items():
        if after == name:
            return bag.topics[before]
    if name in bag.topics:
        return bag.topics[name]
    last = name.rpartition("/")[2]
    alike = [
        topic
        for topic in bag.topics.values()
        if topic.name.rpartition("/")[2] == last and topic.type == kind
    ]
    return alike[0] if len(alike) == 1 else None


def _unplayable(topic: BagTopic, wish: Wish, installed: Callable[[str], bool]) -> str:
    if _commands(topic, wish):
        return "speaks to a robot's program, and is never played"
    if not topic.type:
        return "has messages of several types"
    if topic.encoding != "cdr":
        return f"is encoded as {topic.encoding or 'several things'}, not CDR"
    if not installed(topic.type):
        return f"has type {topic.type}, which is not installed here"
    return ""


def _commands(topic: BagTopic, wish: Wish) -> bool:
    """Whether a robot's program would take this for the word of its node."""
    names = {topic.name, wish.renamed.get(topic.name, topic.name)}
    if any((one.rpartition("/")[2], topic.type) in _WORDS_TO_A_ROBOT for one in names):
        return True
    if wish.cell is None:
        return False
    ros = wish.cell.ros
    spoken = (ros.permits, ros.program.action, ros.robot.hold, ros.robot.resume)
    return any(full_name(wish.cell, one) in names for one in spoken)


def _require_names_apart(choice: Choice) -> None:
    seen: set[str] = set()
    for topic in choice.topics:
        if topic.name in seen:
            raise RecordingRefusedError(f"two topics would be played as {topic.name}")
        seen.add(topic.name)


def _absent(bag: Bag, name: str) -> RecordingRefusedError:
    return RecordingRefusedError(
        f"{bag.name} has no topic {name[:80]!r}; it has {_listed(bag)}"
    )


def _listed(bag: Bag) -> str:
    return ", ".join(sorted(bag.topics)[:12]) + (
        ", ..." if len(bag.topics) > 12 else ""
    )
