"""Examples and their windows -> a snapshot, and who may learn from what.

Two rules keep measurements honest. Windows of one group (a cycle of one cell) stay
together, because neighbours in time are nearly copies. And which groups are kept from
training depends on the group's name alone, so a group that was kept once is kept for
ever, and no later model has seen it either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.errors import TrainingError
from coordinator.learning.training.influence import alone, capped
from coordinator.terms import (
    ChannelPolicy,
    Digest,
    Example,
    ExampleId,
    Family,
    SensorWindow,
    Snapshot,
)

FROZEN_SHARE: Final = 0.15
"""Share of the groups that no model ever learns from."""
SPLIT: Final = f"group-sha256-{FROZEN_SHARE}"
"""Name of the rule; models with another one cannot be compared on the frozen share."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """An example that cannot be used beside the others.

    Attributes:
        example_id: The example.
        reason: One sentence for people.
    """

    example_id: ExampleId
    reason: str


def sift(
    examples: Sequence[tuple[Example, SensorWindow]], family: Family
) -> tuple[list[tuple[Example, SensorWindow]], list[Conflict]]:
    """Keep one example a window, and name those that contradict each other.

    The same evidence labelled twice alike counts once, or it would weigh twice.
    Labelled differently, it teaches nothing: both labels wait for a person to decide.
    What one person alone says, again and again, waits for another one: see influence.

    Returns:
        The usable examples in order, and the conflicts.
    """
    said: dict[Digest, dict[str, Example]] = {}
    for example, _ in examples:
        said.setdefault(example.window_digest, {}).setdefault(example.label, example)
    known = set(family.label_names)
    shape = (family.rows, len(family.channels))
    kept: list[tuple[Example, SensorWindow]] = []
    conflicts: list[Conflict] = []
    for example, window in examples:
        opinions = said[example.window_digest]
        if len(opinions) > 1:
            other = next(e for label, e in opinions.items() if label != example.label)
            conflicts.append(
                Conflict(
                    example.example_id,
                    f"{example.person} said {example.label} and {other.person} said "
                    f"{other.label} of the same window.",
                )
            )
        elif (
            opinions[example.label] is example
            and example.label in known
            and window.samples.shape == shape
        ):
            kept.append((example, window))
    waiting = alone([e for e, _ in kept], _confirmed(examples))
    conflicts += [Conflict(example_id, why) for example_id, why in waiting.items()]
    return [one for one in kept if one[0].example_id not in waiting], conflicts


def _confirmed(examples: Sequence[tuple[Example, SensorWindow]]) -> set[Digest]:
    """Evidence of which two people or more said something."""
    people: dict[Digest, set[str]] = {}
    for example, _ in examples:
        people.setdefault(example.window_digest, set()).add(example.person)
    return {digest for digest, who in people.items() if len(who) > 1}


def snapshot(
    examples: Sequence[tuple[Example, SensorWindow]],
    family: Family,
    *,
    weight_cap: float,
) -> Snapshot:
    """Freeze the examples of one training, in the order they were labelled.

    Args:
        examples: From sift(), oldest first.
        family: With the labels that people added.
        weight_cap: Greatest inverse propensity: one lucky audit must not outvote all.

    Raises:
        TrainingError: there are no examples.
    """
    if not examples:
        raise TrainingError("there are no usable examples yet.")
    labels = family.label_names
    samples = np.stack([window.samples for _, window in examples]).astype(np.float32)
    present = np.stack([window.present for _, window in examples]).astype(np.bool_)
    label_index = np.array([labels.index(e.label) for e, _ in examples], np.int64)
    weights = np.array(
        [min(1.0 / max(e.propensity, 1e-9), weight_cap) for e, _ in examples],
        np.float64,
    )
    weights = capped([e.person for e, _ in examples], label_index, weights)
    audited = np.array([e.source.value == "audit" for e, _ in examples], np.bool_)
    groups = tuple(e.group for e, _ in examples)
    content = hashlib.sha256(family.schema_digest.encode())
    for text in (*labels, "", *(e.window_digest for e, _ in examples), "", *groups):
        content.update(text.encode() + b"\n")
    for array in (label_index, weights, audited.astype(np.uint8)):
        content.update(np.ascontiguousarray(array).tobytes())
    return Snapshot(
        family=family.family_id,
        channel_names=tuple(channel.name for channel in family.channels),
        labels=labels,
        must_never_miss=tuple(x.name for x in family.labels if x.must_never_miss),
        samples=samples,
        present=present,
        label_index=label_index,
        weights=weights,
        audited=audited,
        groups=groups,
        digest=Digest(content.hexdigest()),
        tolerated=tuple(
            c.name for c in family.channels if c.policy is ChannelPolicy.TOLERATE
        ),
        window_ids=tuple(e.window_id for e, _ in examples),
    )


def frozen(groups: Sequence[str]) -> NDArray[np.bool_]:
    """Which examples no model learns from: bool, shape (examples,)."""
    return np.array([_draw(group, "frozen") < FROZEN_SHARE for group in groups])


def folds(groups: Sequence[str], count: int) -> NDArray[np.int64]:
    """The fold of each example, in [0, count): int64, shape (examples,).

    It depends on the group's name alone: member k of a model never learned from fold k,
    nor did member k of the model it was started from.
    """
    return np.array([int(_draw(group, "fold") * count) for group in groups], np.int64)


def _draw(group: str, purpose: str) -> float:
    """A number in [0, 1) that belongs to the group."""
    content = hashlib.sha256(f"{purpose}\n{group}".encode()).digest()
    return int.from_bytes(content[:8], "big") / 2**64
