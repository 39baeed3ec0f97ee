"""ROS arguments of a process that is one node to its users, and several to ROS.

A cell's process has helper nodes (sensors, robot). A rule that renames "the node" must
rename only the one that users know, and a rule that is for that node must reach the
topics of its helpers as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_RENAME: Final = re.compile(r"(?:([^:]+):)?__(?:node|name):=(.+)")
_PREFIXED: Final = re.compile(r"([^:]+):([^:]+:=.+)")
_FLAGS: Final = ("-r", "--remap")


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line, divided.

    Attributes:
        shared: For all nodes of the process.
        name: What the node that users know is called.
    """

    shared: tuple[str, ...]
    name: str


def divide(words: Sequence[str], node: str) -> Arguments:
    """Divide a command line with ROS arguments.

    Args:
        words: The command line.
        node: What the node is called unless a rule renames it.
    """
    rules = [rule for flag, rule in pairwise(words) if flag in _FLAGS]
    name = next((found for rule in rules if (found := _new_name(rule, node))), node)
    shared: list[str] = []
    rest = iter(words)
    for word in rest:
        rule = next(rest, "") if word in _FLAGS else None
        if rule is None:
            shared.append(word)
        elif not _new_name(rule, node):
            shared += [word, _for_all(rule, {node, name})]
    return Arguments(tuple(shared), name)


def _new_name(rule: str, node: str) -> str:
    """What a rule calls the node; "" when it is about something else."""
    match = _RENAME.fullmatch(rule)
    return match[2] if match and match[1] in (None, node) else ""


def _for_all(rule: str, names: set[str]) -> str:
    """A rule for the node alone, made one for its helpers too."""
    match = _PREFIXED.fullmatch(rule)
    return match[2] if match and match[1] in names else rule
