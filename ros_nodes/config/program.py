"""How the robot's own program asks for leave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ros_nodes.config.refusal import (
    ConfigRefusedError,
    Table,
    choice,
    flag,
    known,
    table,
    text,
)
from ros_nodes.config.topics import topic_name

PROGRAMS: Final = ("topics", "decide", "signals")
"""JSON on two topics, the service ~/decide, or a Bool in and an Int8 out."""

STEP_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """How the robot's program speaks with its node; exactly one way a cell.

    Attributes:
        adapter: One of PROGRAMS.
        step: Id of the step, for a program that does not say it.
        part: Topic with the part's serial number, latched; decide and signals only.
        done: Signals: topic on which the program says that it waits.
        action: Signals: topic on which the node answers.
        one_client: Decide: the program keeps one client while it lives, so that one
            that began again is known by its number.
    """

    adapter: str = "topics"
    step: str = "step"
    part: str = "part"
    done: str = "step_done"
    action: str = "action"
    one_client: bool = True


def read_program(ros: Table, where: str) -> ProgramSpec:
    """Read [cells.<id>.ros.program].

    Raises:
        ConfigRefusedError: A key is unknown or its value cannot be lived with.
    """
    said, where = table(ros, "program", where=where), f"{where}.program"
    known(said, ("adapter", "step", "part", "done", "action", "one_client"), where)
    default = ProgramSpec()
    return ProgramSpec(
        adapter=choice(said, "adapter", PROGRAMS, where),
        step=step_id(text(said, "step", default.step, where), where),
        part=topic_name(said, "part", default.part, where),
        done=topic_name(said, "done", default.done, where),
        action=topic_name(said, "action", default.action, where),
        one_client=flag(said, "one_client", where, default=True),
    )


def step_id(said: str, where: str) -> str:
    """Return the id of a step.

    Raises:
        ConfigRefusedError: It is not spelt like an id.
    """
    if STEP_ID.fullmatch(said) is None:
        raise ConfigRefusedError(
            f"{where}: step {said[:40]!r} does not match {STEP_ID.pattern}"
        )
    return said
