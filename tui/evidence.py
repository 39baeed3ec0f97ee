"""One opened request: what a person is shown, and what they say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tui.terms import Action, Channel, HoldReason, Label, Request


@dataclass(frozen=True, slots=True)
class Choice:
    """One plausible answer; probability in [0, 1], 0 without a model."""

    label: str
    probability: float
    action: Action


@dataclass(frozen=True, slots=True)
class Trace:
    """One channel of the window, as far as it mattered.

    Attributes:
        weight: Share of all channels together, in [0, 1]; 0 where none was found.
        first_row: First row of the part that stands out.
        last_row: Last row of it; before first_row when nothing stands out.
        values: One sample a row in the channel's unit, NaN where there is none.
        rows: How much each row counts, in [0, 1], 1 for the row of the window that
            counts most; empty where only the part is known.
        against: It speaks against the first guess.
        alike: The same channel of the most alike examples, nearest first.
    """

    channel: Channel
    values: tuple[float, ...]
    weight: float = 0.0
    first_row: int = 0
    last_row: int = -1
    present: bool = True
    rows: tuple[float, ...] = ()
    against: bool = False
    alike: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """A labelled example that looks alike; a smaller distance is more alike."""

    label: str
    distance: float


@dataclass(frozen=True, slots=True)
class Why:
    """What the weights and the choices are about.

    Attributes:
        code: Token of the check that asked.
        measured: The number that decided; NaN when none did.
        limit: The limit that it did not keep; NaN when none did.
        about: The label that the weights moved, or "novelty"; "" for deviation.
        coverage: Share of such questions whose answer is among the choices; 0 when
            that is not known.
        held_out: Labelled examples that rests on.
        needed: So many it takes to leave a label out.
        plausible: Plausible answers before the cap.
        lacks: What could not be found out.
    """

    code: str = ""
    measured: float = float("nan")
    limit: float = float("nan")
    about: str = ""
    coverage: float = 0.0
    held_out: int = 0
    needed: int = 0
    plausible: int = 0
    lacks: tuple[str, ...] = ()

    @property
    def calibrated(self) -> bool:
        """Whether the choices are a set that may leave labels out."""
        return self.coverage > 0.0 and self.held_out >= self.needed > 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one request shows: a person answers about exactly this.

    Attributes:
        view_digest: SHA-256 over what is shown; an answer carries it back.
        duration_s: From the first row to the last, s, by the node's clock.
        traces: Most telling first; every channel of the window is there.
        choices: Plausible answers, most plausible first, at most 4.
        labels: Every label that may be answered.
        beliefs: Calibrated probability by label; empty without a model.
        novelty: Distance from what the model knows; 1 is the edge. NaN without a model.
        nearest: The most alike examples, nearest first.
        why: What the weights and choices are about.
        blind: The guess is hidden until the person has said something.
        least_s: An answer sooner than so long after it came is refused, s; 0: none.
    """

    request: Request
    view_digest: str
    duration_s: float = 0.0
    traces: tuple[Trace, ...] = ()
    choices: tuple[Choice, ...] = ()
    labels: tuple[Label, ...] = ()
    beliefs: Mapping[str, float] = field(default_factory=dict)
    novelty: float = float("nan")
    reason: str = ""
    nearest: tuple[Near, ...] = ()
    why: Why = field(default_factory=Why)
    blind: bool = False
    least_s: float = 0.0

    def hidden(self) -> Evidence:
        """The same without what leads: guess, probabilities, reasons, examples.

        The answers stay on their keys, in the order of the labels.
        """
        names = [label.name for label in self.labels]
        choices = sorted(self.choices, key=lambda choice: names.index(choice.label))
        return replace(
            self,
            choices=tuple(replace(choice, probability=0.0) for choice in choices),
            beliefs={},
            reason="",
            nearest=(),
            why=Why(),
            traces=tuple(
                Trace(trace.channel, trace.values, present=trace.present)
                for trace in self.traces
            ),
        )

    def revealed(self, hidden: Evidence) -> Evidence:
        """All of it, with the answers on the keys they were on while hidden."""
        names = [choice.label for choice in hidden.choices]
        choices = sorted(self.choices, key=lambda choice: names.index(choice.label))
        return replace(self, choices=tuple(choices), blind=False)

    def waits_s(self, label: str, looked_s: float) -> float:
        """How long a person has to look yet before they may say this, s.

        Nothing that stops a robot waits, and nobody waits to say they cannot tell.
        """
        said = self.label(label)
        if said is None or said.urgent or said.action is Action.STOP:
            return 0.0
        return max(0.0, self.least_s - looked_s)

    def label(self, name: str) -> Label | None:
        """The label of that name, if it may be answered."""
        return next((label for label in self.labels if label.name == name), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """The sole right to answer a request, for lease_s seconds from now."""

    request_id: str
    epoch: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class Mate:
    """One request of a cause, with the digest of what it shows itself."""

    request_id: str
    cell_id: str
    view_digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says, as it is sent: sent again, it is the same to the last bit.

    Attributes:
        label: One of the family's labels, or "" for "cannot tell".
        key: Idempotency key, unique a try.
        members: All it is said of, the shown one among them; empty for that one alone.
    """

    request_id: str
    claim_epoch: int
    view_digest: str
    label: str
    key: str
    note: str = ""
    first_label: str = ""
    members: tuple[Mate, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """A held cell let go by name.

    Attributes:
        expected_reason: The reason the person saw; a worse one refuses the release.
        disposition: What to do with the part that waits; NONE to judge it again, or
            when none waits.
        key: Idempotency key, unique a try.
    """

    cell_id: str
    expected_reason: HoldReason
    disposition: Action
    key: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one member of a cause.

    Attributes:
        request: As it stands now; only its id is sure when it was not taken.
        text: Why it was not taken, one sentence.
        undo_s: Time left to undo, s; 0 when final.
    """

    mate: Mate
    request: Request
    taken: bool
    token: str = ""
    text: str = ""
    undo_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the coordinator made durable of an answer.

    Attributes:
        correction: The label was not the model's first guess.
        undo_s: Time left to undo, s; 0 when final.
        moves_on: The cell waited for this answer.
        others: What became of the other requests of its cause.
    """

    request: Request
    correction: bool
    action: Action
    undo_s: float
    moves_on: bool
    others: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Which cells a hold took; recorded is False when it could not be made durable."""

    cells: tuple[str, ...]
    recorded: bool


class Phase(Enum):
    """Where one person stands with one request."""

    OPENING = "opening"
    """The evidence or the claim is on its way."""
    MINE = "mine"
    """This person holds the claim and may answer."""
    THEIRS = "theirs"
    """Somebody else holds it, or nobody; it can be taken over."""
    SENDING = "sending"
    """An answer is on its way."""
    UNSENT = "unsent"
    """An answer was given and nobody confirmed it: it may or may not have arrived."""
    ENDED = "ended"
    """The request is no longer open."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One person at one open request: what the request screen draws.

    Attributes:
        evidence: What is shown; None until it is here.
        holder: Who holds the claim, as far as known.
        label: The answer on its way, "" for "cannot tell".
        note: The last refusal or news about this request, one sentence.
        shown_s: Moment the evidence came on the screen, s.
        first_label: Asked blind: what was said before the guess was shown.
        group: All that an answer is for, this one among them; empty for this alone.
        alone: The person wants to answer this one alone.
    """

    request_id: str
    phase: Phase = Phase.OPENING
    evidence: Evidence | None = None
    holder: str = ""
    label: str = ""
    note: str = ""
    shown_s: float = 0.0
    first_label: str = ""
    group: tuple[Mate, ...] = ()
    alone: bool = False

    @property
    def together(self) -> tuple[Mate, ...]:
        """Those that the answer is for, when they are several."""
        return () if self.alone or len(self.group) < 2 else self.group
