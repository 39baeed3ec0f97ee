"""On what the gate of each family rests.

A certificate is about one model: whether it is still in force also depends on which
model serves, and since when. That is read from the models, see reader.gate.
"""

from __future__ import annotations

from coordinator.errors import ConflictError
from coordinator.store.fold.place import Place
from coordinator.terms.events import (
    EvidenceRestarted,
    GateCertified,
    GateClosed,
    ProvisionalGranted,
)


def gate_certified(at: Place, event: GateCertified) -> None:
    """Guard: the certificate's model serves the family now."""
    certificate = event.certificate
    if not at.row(
        "SELECT 1 FROM models WHERE digest = ? AND family = ? AND state = 'live'",
        (certificate.model_digest, certificate.family),
    ):
        raise ConflictError(
            f"the model that {certificate.family} is certified for does not serve.",
            "OTHER_MODEL",
        )
    _known(at, certificate.family)
    at.change(
        "UPDATE gates SET certified_seq = ?, closed_seq = NULL WHERE family = ?",
        (at.seq, certificate.family),
    )


def provisional_granted(at: Place, event: ProvisionalGranted) -> None:
    """No guard: whoever may call may say so."""
    _known(at, event.family)
    at.change(
        "UPDATE gates SET granted_seq = ?, closed_seq = NULL WHERE family = ?",
        (at.seq, event.family),
    )
    if event.source:
        at.change(
            "UPDATE gates SET source = ? WHERE family = ?", (event.source, event.family)
        )


def gate_closed(at: Place, event: GateClosed) -> None:
    """No guard: a gate that is shut may be shut again."""
    _known(at, event.family)
    at.change(
        """UPDATE gates SET certified_seq = NULL, granted_seq = NULL, closed_seq = ?
        WHERE family = ?""",
        (at.seq, event.family),
    )


def evidence_restarted(at: Place, event: EvidenceRestarted) -> None:
    """No guard: evidence may always be given up."""
    _known(at, event.family)
    at.change(
        "UPDATE gates SET evidence_seq = ? WHERE family = ?", (at.seq, event.family)
    )


def _known(at: Place, family: str) -> None:
    at.change(
        "INSERT OR IGNORE INTO gates VALUES (?, NULL, NULL, NULL, 0, '', ?)",
        (family, at.seq),
    )
