"""What is written down of a model that was trained."""

from __future__ import annotations

from datetime import datetime

from coordinator import software
from coordinator.seams import Candidate
from coordinator.terms import Digest, ModelRecord, ModelState, RunId, Snapshot


def record_of(
    candidate: Candidate,
    frozen: Snapshot,
    *,
    run_id: RunId,
    version: int,
    trained_at: datetime,
    parent: Digest,
) -> ModelRecord:
    """Return the record of a candidate that nobody has judged yet.

    Args:
        candidate: What the training gave.
        frozen: The examples it learned from.
        run_id: The training.
        version: Its number in the family.
        trained_at: UTC.
        parent: The model that served then; "" for none.
    """
    return ModelRecord(
        digest=candidate.digest,
        family=frozen.family,
        version=version,
        state=ModelState.CANDIDATE,
        run_id=run_id,
        trained_at=trained_at,
        training_s=candidate.training_s,
        examples=len(frozen.groups),
        snapshot_digest=frozen.digest,
        parent=parent,
        network=candidate.network,
        metrics=candidate.report.metrics,
        commit=software.commit(),
        text=" ".join(candidate.report.reasons),
    )
