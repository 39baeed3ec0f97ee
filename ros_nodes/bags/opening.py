"""Open a recording by what it is: a folder, an MCAP or SQLite file, or a CSV."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ros_nodes.bags.terms import Bag, RecordingRefusedError

SUFFIXES: Final = (".mcap", ".db3")
"""Of single files; a rosbag2 folder has none."""


def is_bag(path: Path) -> bool:
    """Whether this is the name of a recording of messages, and not of a table."""
    return path.suffix != ".csv"


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """Open a recording of messages, and close it in the end.

    Raises:
        RecordingRefusedError: It is not there, is nothing that can be read, or holds
            no message; or the readers are not installed.
    """
    _require_readable(path)
    bag = _opened(path)
    try:
        yield bag
    finally:
        bag.close()


def _require_readable(path: Path) -> None:
    if not path.exists():
        raise RecordingRefusedError(f"{path.name} is not there")
    if path.is_dir():
        if not (path / "metadata.yaml").exists():
            raise RecordingRefusedError(
                f"{path.name} has no metadata.yaml, so it is no rosbag2 folder; "
                "name a file in it instead"
            )
    elif path.suffix not in SUFFIXES:
        raise RecordingRefusedError(
            f"{path.name} is none of {', '.join(SUFFIXES)}, .csv or a rosbag2 folder; "
            "name one of those, or convert it"
        )
    if importlib.util.find_spec("rosbags") is None:
        raise RecordingRefusedError(
            f"{path.name} needs a reader that is not installed; install andon[bags]"
        )


def _opened(path: Path) -> Bag:
    from ros_nodes.bags.whole import WholeBag

    if path.suffix != ".mcap":
        return WholeBag(path)
    from ros_nodes.bags.sequential import SequentialBag

    try:
        bag = WholeBag(path)
    except RecordingRefusedError as refusal:
        return _from_the_front(path, refusal)
    if bag.indexed:
        return bag
    bag.close()
    return SequentialBag(path)


def _from_the_front(path: Path, refusal: RecordingRefusedError) -> Bag:
    """Read a file that has lost its index; what cannot be read is refused as before."""
    from ros_nodes.bags.sequential import SequentialBag

    try:
        return SequentialBag(path)
    except RecordingRefusedError:
        raise refusal from None
