"""A standing as it was before a restart, made again from what the store tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.errors import NotFoundError
from coordinator.live.gate.cases import SILENT, Noted
from coordinator.live.gate.moves import spread
from coordinator.live.gate.signals import lot_of, measure, shift_of
from coordinator.live.gate.standing import Standing
from coordinator.seams import StoreReader
from coordinator.terms import (
    DecisionId,
    Digest,
    Family,
    GateCase,
    GateRow,
    Outcome,
    events,
)

RECALLED: Final = 16
"""Stretches of windows that are read again after a restart: no more than a second's
reading, for a person answers meanwhile."""


async def recalled(
    store: StoreReader, cases: Sequence[GateCase]
) -> Mapping[DecisionId, NDArray[np.float64]]:
    """Measure what was usual before the restart, from the windows that are kept.

    Raises:
        StoreError: the store cannot be read.
    """
    found = {}
    said = [
        (case, prediction)
        for case in spread(cases, RECALLED)
        if (prediction := case.verdict.prediction) is not None
    ]
    for case, prediction in said:
        try:
            window = await store.window(case.window_id)
        except NotFoundError:
            continue
        found[case.decision_id] = measure(window, prediction)
    return found


def restore(  # noqa: PLR0913 - what the store tells, each part named
    standing: Standing,
    row: GateRow,
    cases: Sequence[GateCase],
    signals: Mapping[DecisionId, NDArray[np.float64]],
    family: Family,
    model: Digest,
    now: datetime,
) -> None:
    """Let a new standing live through what is on record.

    Args:
        standing: Fresh.
        row: On what the gate rests.
        cases: Of the serving model, since the opening or the evidence began, whichever
            is earlier; oldest first.
        signals: Of the windows that are still at hand, see signals.measure.
        family: Its labels and channels.
        model: The serving model; "" for none.
        now: UTC.
    """
    standing.serve(model)
    standing.remember(row)
    anew = bool(cases) and cases[0].seq <= row.evidence_seq
    for case in cases:
        if anew and case.seq > row.evidence_seq:
            anew = False
            standing.applied(events.EvidenceRestarted(family.family_id, ""))
        seen = noted(case, signals.get(case.decision_id))
        standing.judged(seen, family, now, earlier=case.seq <= row.opened_seq)
    if anew:
        standing.applied(events.EvidenceRestarted(family.family_id, ""))
    settled = [case for case in cases if case.answered_seq]
    for case in sorted(settled, key=lambda case: case.answered_seq):
        truth = case.label if case.outcome is Outcome.ANSWERED else SILENT
        standing.settle(case.decision_id, truth, now)


def noted(case: GateCase, signals: NDArray[np.float64] | None) -> Noted:
    """What is noted of a window that the store remembers."""
    return Noted(
        decision_id=case.decision_id,
        window_id=case.window_id,
        verdict=case.verdict,
        coin=case.coin,
        place=(lot_of(case.part_id), shift_of(case.decided_at), str(case.cell_id)),
        signals=signals,
    )
