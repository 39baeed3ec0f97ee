"""Permits: made here, bound to a session and a decision, sent only when durable."""

from __future__ import annotations

from coordinator.clock import seconds_to_ns
from coordinator.config import START_WITHIN_S
from coordinator.errors import LiveError
from coordinator.seams import NodeLink
from coordinator.terms import (
    NO_DIGEST,
    Action,
    CellId,
    DecisionId,
    Digest,
    Permit,
    PermitId,
    PermitPurpose,
    new_id,
)


class PermitMaker:
    """Makes the permits of one cell; it keeps none."""

    def __init__(self, cell_id: CellId, *, maximum_step_ns: int) -> None:
        self._cell_id = cell_id
        self._maximum_step_ns = maximum_step_ns

    def make(  # noqa: PLR0913 - everything a permit is bound to
        self,
        link: NodeLink | None,
        purpose: PermitPurpose,
        decision_id: DecisionId,
        action: Action,
        *,
        label: str = "",
        window_digest: Digest = NO_DIGEST,
        cycle: int,
    ) -> Permit:
        """Bind a permit to the session, the decision and the evidence.

        Raises:
            LiveError: there is no session, or the action stops the cell.
        """
        if link is None:
            raise LiveError("the link was lost before the permit was made.")
        if action is Action.STOP:
            raise LiveError("a label that stops the cell never gives a permit.")
        return Permit(
            permit_id=PermitId(new_id("p")),
            cell_id=self._cell_id,
            purpose=purpose,
            action=action,
            label=label,
            session_epoch=link.session_epoch,
            decision_id=decision_id,
            window_digest=window_digest,
            cycle=cycle,
            start_within_ns=seconds_to_ns(START_WITHIN_S),
            heartbeat_seq=link.heartbeat_seq,
            maximum_execution_ns=self._maximum_step_ns,
        )
