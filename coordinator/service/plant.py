"""What the services speak about: the objects app.py built, named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import Clock
from coordinator.errors import (
    BadIdError,
    MissingFieldError,
    NotFoundError,
    unknown_family,
)
from coordinator.feed import Feed
from coordinator.insight.why import Explainer
from coordinator.learning.correction.teach import Teaching
from coordinator.learning.path import LearningPath
from coordinator.live.cell import control
from coordinator.live.clips import ClipShelf
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.path import LivePath
from coordinator.live.request.honesty import is_blind
from coordinator.live.request.queue import RequestQueue
from coordinator.seams import Store
from coordinator.service.identity import People
from coordinator.service.parties import parties
from coordinator.service.presence import Attendance, Presence
from coordinator.terms import (
    Actor,
    CellId,
    Family,
    FamilyId,
    OperatorRequest,
    is_id,
)
from coordinator.vocabulary import Vocabulary


@dataclass(slots=True)
class Plant:
    """Every cell, every family, the questions and the store.

    Attributes:
        usual: Mean and standard deviation of windows with the default label, by
            family: shape (2, samples, channels).
        explainer: Says why the gate asked.
        software: Version and commit of this coordinator.
        teaching: The labelling of stored windows.
    """

    cells: Mapping[CellId, LivePath]
    learning: Mapping[FamilyId, LearningPath]
    gates: Mapping[FamilyId, GateKeeper]
    vocabulary: Vocabulary
    requests: RequestQueue
    clips: ClipShelf
    store: Store
    feed: Feed
    clock: Clock
    presence: Presence
    people: People
    explainer: Explainer
    claim_lease_ns: int
    software: str
    usual: dict[FamilyId, NDArray[np.float32]] = field(default_factory=dict)
    teaching: Teaching = field(init=False)

    def __post_init__(self) -> None:
        self.teaching = parties(
            self.vocabulary,
            self.requests,
            self.store,
            self.clock,
            claim_lease_ns=self.claim_lease_ns,
        )

    def attendance(self) -> Attendance:
        """Say who can answer now."""
        return self.presence.attendance(
            self.requests.all_open(),
            self.clock.monotonic_ns(),
            self.requests.last_answer_ns,
            lives=self.people.sessions.lives,
        )

    def people_there(self) -> int:
        """How many people can answer now, each once."""
        return self.presence.people(self.people.sessions.lives)

    def is_blind(self, request: OperatorRequest) -> bool:
        """Whether a question is asked without the guess first; never of nobody."""
        share = self.people.blind_share if self.people.accounts.exist else 0.0
        return is_blind(request, share)

    def carry_out(self, answered: OperatorRequest, actor: Actor) -> None:
        """Tell whoever waits for a final answer.

        Neither the cell nor the family has to be configured any more.
        """
        teacher = self.learning.get(answered.family)
        if teacher is not None:
            teacher.note_example()
        path = self.cells.get(answered.cell_id)
        if path is not None:
            path.inbox.post(control.Answered(answered, actor))

    def cell(self, cell_id: str) -> LivePath:
        """Return one cell's path.

        Raises:
            MissingFieldError: no id was given.
            BadIdError: it is no id.
            NotFoundError: it is not configured.
        """
        require_id("cell_id", cell_id)
        path = self.cells.get(CellId(cell_id))
        if path is None:
            raise NotFoundError(f"'{cell_id}' is not configured.", "UNKNOWN_CELL")
        return path

    def family_of(self, path: LivePath) -> Family:
        """Return the family of one cell, with every label known now."""
        return self.vocabulary.family(path.cell.family)

    def gate(self, family: str) -> GateKeeper:
        """Return one family's gate; raises like cell()."""
        require_id("family", family)
        found = self.gates.get(FamilyId(family))
        if found is None:
            raise unknown_family(family, self.vocabulary.names)
        return found

    def teacher(self, family: str) -> LearningPath:
        """Return one family's learning; raises like cell()."""
        require_id("family", family)
        found = self.learning.get(FamilyId(family))
        if found is None:
            raise unknown_family(family, self.vocabulary.names)
        return found


def require_id(name: str, value: str) -> str:
    """Return an id that is there and is one.

    Raises:
        MissingFieldError: it is empty.
        BadIdError: it does not match the pattern.
    """
    if not value:
        raise MissingFieldError(f"{name} is required.")
    if not is_id(value):
        raise BadIdError("ids match [a-z0-9][a-z0-9._-]{0,62}.")
    return value
