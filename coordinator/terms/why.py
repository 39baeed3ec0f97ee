"""Why the gate asked, as far as numbers can tell: what people see with a question."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from coordinator.terms.ids import DecisionId, Digest, ExampleId, RequestId, WindowId

NOVELTY = "novelty"
"""What weights are about when a window is unlike everything, and no label."""


@dataclass(frozen=True, slots=True)
class ChannelWeight:
    """How much one channel counts, and where.

    Attributes:
        channel: Its name.
        weight: Share of all channels together, in [0, 1].
        first_row: First row of the part that stands out.
        last_row: Last row of that part.
        rows: Of each row, in [0, 1], where 1 is the row that counts most in the whole
            window; empty where only the part is known.
        against: It speaks against the first guess.
    """

    channel: str
    weight: float
    first_row: int
    last_row: int
    rows: tuple[float, ...] = ()
    against: bool = False


@dataclass(frozen=True, slots=True)
class NearExample:
    """A labelled example that looks alike. Whoever labelled it is not told.

    Attributes:
        example_id: The example.
        window_id: Its window.
        label: What was said of it.
        distance: In the space in which the model measures novelty; 1.0 where every
            statistic is about its usual spread apart.
    """

    example_id: ExampleId
    window_id: WindowId
    label: str
    distance: float


@dataclass(frozen=True, slots=True)
class Why:
    """What can be said about one question beside its reason.

    Attributes:
        about: What the weights speak about: the first guess, or NOVELTY; "" for how
            far the window is from usual ones, when no model spoke.
        method: How they were found: gradients, occlusion, or deviation from usual.
        weights: Largest first.
        nearest: Most alike first.
        plausible: Labels of the plausible answers, most probable first; empty when
            none could be told.
        whole: How many plausible answers there are before the cap.
        coverage: Share of questions whose answer is among the plausible ones.
        held_out: Labelled examples that rests on; the model learned from none of them.
        needed: So many it takes to leave anything out.
        lacks: What could not be found out, one sentence each.
    """

    about: str = ""
    method: str = "deviation"
    weights: tuple[ChannelWeight, ...] = ()
    nearest: tuple[NearExample, ...] = ()
    plausible: tuple[str, ...] = ()
    whole: int = 0
    coverage: float = 0.0
    held_out: int = 0
    needed: int = 0
    lacks: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        """SHA-256 over all of it: what a person saw."""
        return Digest(hashlib.sha256(f"why/1 {self!r}".encode()).hexdigest())

    @property
    def in_short(self) -> Why:
        """The same without the rows, for the record: the window is kept anyway."""
        return replace(self, weights=tuple(replace(w, rows=()) for w in self.weights))


@dataclass(frozen=True, slots=True)
class RequestExplained:
    """A person was shown why the gate asked.

    Attributes:
        shown: Digest of all that was shown, rows included.
        why: The same in short.
    """

    request_id: RequestId
    decision_id: DecisionId
    shown: Digest
    why: Why
