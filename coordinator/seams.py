"""The seams: what the paths need from a store, a model, a trainer and a node.

One implementation of each exists; a second (PostgreSQL, Ray) replaces it here and
nowhere else. The paths and stages import these protocols, never an implementation.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from coordinator.history import History
from coordinator.terms import (
    CellId,
    ClipId,
    Digest,
    Example,
    ExampleTally,
    FamilyId,
    GateCase,
    GateRow,
    HoldReason,
    IdempotencyKey,
    Label,
    ModelRecord,
    OperatorRequest,
    Permit,
    Person,
    PersonId,
    PersonSession,
    Prediction,
    Report,
    RequestId,
    SensorWindow,
    Snapshot,
    StoredClip,
    Verdict,
    WindowId,
)
from coordinator.terms.events import AnswerGiven, Event, JournalEntry, WindowDecided
from coordinator.terms.teaching_news import TeachingPage


@dataclass(frozen=True, slots=True)
class CellRow:
    """What the store remembers of a cell between sessions.

    Attributes:
        epoch: The highest session epoch given out.
        reasons: Hold reasons that were active; they stay latched over a restart.
        counts: Decision windows by verdict: act, ask, hold.
        hold_unconfirmed: Its robot's controller had not confirmed that it holds.
    """

    epoch: int = 0
    reasons: tuple[HoldReason, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    hold_unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The newest journal entry.

    Attributes:
        store_id: Identity of the store.
        seq: Number of entries.
        hash: Hash of the newest; 64 zeros when there is none.
    """

    store_id: str
    seq: int
    hash: str


Then = Callable[[tuple[JournalEntry, ...]], object]
"""Changes in memory what a commit changed; it is given the commit's entries."""


def nothing_follows(entries: tuple[JournalEntry, ...]) -> None:
    """Change nothing in memory."""
    del entries


class StoreWriter(Protocol):
    """The one place where anything becomes durable."""

    async def commit(
        self,
        *events: Event,
        window: SensorWindow | None = None,
        once: IdempotencyKey | None = None,
        reply: str = "",
        then: Then = nothing_follows,
    ) -> tuple[JournalEntry, ...]:
        """Append events and fold them into the tables, all or nothing, durably.

        Whoever keeps in memory what a commit changes gives the change along: it is made
        on the loop, once, when the commit is durable, in the order of the commits;
        before this returns, but also when this was late or its caller was cancelled.

        Args:
            events: In order; their guards (see terms.events) are checked inside.
            window: A window to keep in the same transaction.
            once: Makes a repeated call harmless; kept in the same transaction.
            reply: What to return to a repeated call.
            then: The change in memory; it must not raise.

        Raises:
            AlreadyDoneError: `once` was seen with the same content.
            KeyReusedError: `once` was seen with other content.
            ConflictError: a guard failed (RequestClosedError, StaleEpochError...).
            StoreLateError: the deadline passed while it was under way, or the disk does
                not say how it ended; it may yet be kept, and `then` follows if it is.
            StoreDegradedError: the disk is full or failing; nothing was kept.
        """


class StoreReader(Protocol):
    """Reads, over query-only connections; never sees half a transaction."""

    async def head(self) -> JournalHead:
        """Return the newest journal entry."""

    async def replied(self, once: IdempotencyKey) -> str | None:
        """Return the first reply to this call, None if it is new.

        Raises:
            KeyReusedError: the key was used with other content.
        """

    async def cells(self) -> Mapping[CellId, CellRow]:
        """Return what is remembered of every cell that ever had a session."""

    async def open_requests(self) -> Sequence[OperatorRequest]:
        """Return open requests; deadlines and claims armed again in full from now."""

    async def answers_that_wait(self) -> Sequence[AnswerGiven]:
        """Return the answers that may still be taken back, oldest first."""

    async def ended_requests(self, limit: int) -> Sequence[OperatorRequest]:
        """Return the newest ended requests, newest first."""

    async def request(self, request_id: RequestId) -> OperatorRequest:
        """Return one request; raises NotFoundError."""

    async def answered_for(
        self, cell_id: CellId, window_digest: Digest
    ) -> OperatorRequest | None:
        """Return the answered question about this evidence, its permit unconsumed.

        None if there is none. After a lost link such an answer still stands.
        """

    async def window(self, window_id: WindowId) -> SensorWindow:
        """Return one stored window; raises NotFoundError."""

    async def decision(self, window_id: WindowId) -> WindowDecided:
        """Return the newest decision about one window; raises NotFoundError."""

    async def clips(self, request_id: RequestId | None, limit: int) -> list[StoredClip]:
        """Return the newest clips, newest first; of one request's window, or all."""

    async def clip(self, clip_id: ClipId) -> StoredClip:
        """Return one clip that is stored; raises NotFoundError."""

    async def clip_of(self, window_id: WindowId) -> StoredClip | None:
        """Return the clip of a window, None if there is none."""

    async def clips_to_give(self, limit: int) -> list[StoredClip]:
        """Return the oldest clips that no open request is about, oldest first."""

    async def examples(self, family: FamilyId) -> Sequence[Example]:
        """Return every example of a family, oldest first, quarantined ones too."""

    async def example_tally(self, family: FamilyId) -> ExampleTally:
        """Count the examples of a family."""

    async def example_windows(
        self, family: FamilyId
    ) -> Sequence[tuple[Example, SensorWindow]]:
        """Return the usable examples with their windows, oldest first."""

    async def shown(self, request_id: RequestId) -> Sequence[Digest]:
        """Return the digests of the reasons that people saw with a request."""

    async def labels(self, family: FamilyId) -> Sequence[Label]:
        """Return the labels people added to the configured ones, oldest first."""

    async def models(self, family: FamilyId) -> Sequence[ModelRecord]:
        """Return every model of a family, newest first."""

    async def serving(self, family: FamilyId) -> ModelRecord | None:
        """Return the one model that serves the family, if any does."""

    async def gate(self, family: FamilyId) -> GateRow:
        """Return on what a family's gate rests, about the model that serves now."""

    async def gate_cases(
        self, family: FamilyId, model: Digest, after_seq: int
    ) -> Sequence[GateCase]:
        """Return what the gate judged with a model's answer, oldest first.

        Args:
            family: Whose windows.
            model: Whose answers.
            after_seq: Journal entry after which to begin.
        """

    async def people(self) -> Sequence[Person]:
        """Return every account, in the order they were added."""

    async def person_sessions(self) -> Sequence[PersonSession]:
        """Return the sessions of people that have not ended, oldest first."""

    async def last_here(self, device: str) -> Sequence[PersonId]:
        """Return who was logged in at a device, the newest first."""

    async def teaching_from(self, most: int) -> int:
        """Return the entry after which the newest `most` decisions stand."""

    async def teaching(
        self, after_seq: int, limit: int, windows_after: int = 0
    ) -> TeachingPage:
        """Return news of labels and of judged windows; see terms.teaching_news."""

    async def entries(self, after_seq: int, limit: int) -> Sequence[JournalEntry]:
        """Return journal entries after a sequence number, in order."""

    async def story(self, about: str) -> Sequence[JournalEntry]:
        """Return the entries that mention an id, in order, and those they rest on.

        The id is of a decision, window, request, part, permit, model or example.
        """


class Store(StoreWriter, StoreReader, History, Protocol):
    """Writer and reader of one store."""


class PinKeeper(Protocol):
    """Where the hashes of PINs are, each under the digest that the journal cites."""

    def hash_of(self, digest: Digest) -> str:
        """Return a hash.

        Raises:
            StoreIntegrityError: it is not there, or not the one that was kept.
        """

    def keep(self, kept: str) -> Digest:
        """Keep a hash, durably; return the digest to cite. Blocks.

        Raises:
            StoreDegradedError: the disk is full or failing.
        """

    def forget_all_but(self, cited: Collection[Digest]) -> None:
        """Remove the hashes that no account cites any more; raises like keep()."""


class ClipPart(Protocol):
    """A clip that is being received; nobody sees it before it is kept."""

    async def write(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises:
            StoreDegradedError: the disk is full or failing.
        """

    def digest(self) -> Digest:
        """SHA-256 over what was written so far."""

    async def keep(self) -> None:
        """Make it durable under its id, at once and as a whole.

        Raises:
            StoreDegradedError: the disk is full or failing.
        """

    def drop(self) -> None:
        """Forget it; harmless after keep()."""


class ClipFiles(Protocol):
    """Where the bytes of clips are. Blocks no event loop."""

    def begin(self, clip_id: ClipId) -> ClipPart:
        """Begin to receive a clip."""

    def read(self, clip_id: ClipId) -> AsyncGenerator[bytes]:
        """Return a clip's bytes in pieces of at most 256 KiB.

        Raises:
            StoreIntegrityError: its file is not there.
        """

    async def remove(self, clip_id: ClipId) -> None:
        """Remove a clip's bytes; harmless when they are gone."""

    async def sweep(self, known: Collection[ClipId]) -> int:
        """Remove what no clip in `known` owns; return how many files that were."""

    async def free_bytes(self) -> int:
        """Room left on the disk."""


class Predictor(Protocol):
    """A loaded network with its features and calibration; blocking."""

    @property
    def digest(self) -> Digest:
        """The artifact it was loaded from."""

    @property
    def version(self) -> int:
        """Its number in the family, from 1."""

    def predict(self, windows: Sequence[SensorWindow]) -> list[Prediction]:
        """Predict a batch, in order; only the inference thread calls it.

        Raises:
            ModelFaultError: the network failed or gave a wrong shape.
        """


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a training gives.

    Attributes:
        digest: Digest of the artifact.
        path: The artifact's directory, complete and durable.
        report: What its validation against the serving model found.
        training_s: How long it took, in seconds.
        network: Name of the architecture.
    """

    digest: Digest
    path: Path
    report: Report
    training_s: float
    network: str


Progress = Callable[[str, float, float | None, str], None]
"""Called with phase ("training", "validating"), share done in [0, 1], seconds left or
None, and one sentence."""


class Trainer(Protocol):
    """Makes a candidate from a snapshot, somewhere that cannot starve the live loop."""

    async def train(
        self, snapshot: Snapshot, *, serving: Path | None, seed: int, progress: Progress
    ) -> Candidate:
        """Train, calibrate and validate.

        Args:
            snapshot: The examples, in the order they were labelled.
            serving: Artifact directory of the serving model: start and opponent.
            seed: Makes the training repeatable on one machine.
            progress: Told about every step worth showing.

        Raises:
            TrainingError: it failed or was killed; nothing partial is left.
        """


class NodeLink(Protocol):
    """The way to one cell's node, for one session. Never blocks: a bounded outbox."""

    @property
    def session_epoch(self) -> int:
        """The session."""

    @property
    def heartbeat_seq(self) -> int:
        """The newest heartbeat seen."""

    def permit(self, permit: Permit) -> None:
        """Give leave for one step; only after it is durable."""

    def withdraw(self, reason: HoldReason, text: str) -> None:
        """Take permission back; the node holds at once."""

    def reoffer(self) -> None:
        """Ask for the pending window again, after a check of the scene."""

    def want_clip(self, request: OperatorRequest) -> None:
        """Ask for the full-rate recording around a request's window."""

    def outcome(
        self, window: SensorWindow, verdict: Verdict, request_id: RequestId | None
    ) -> None:
        """Tell what became of a window; information only."""
