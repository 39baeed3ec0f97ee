"""The gate's terms to andon.v1 messages; nothing is decided here."""

from __future__ import annotations

from andon.v1 import learning_pb2
from coordinator.service.words import timestamp
from coordinator.terms import GateStatus


def gate_status(term: GateStatus) -> learning_pb2.GateStatus:
    """Convert all that is known about a gate."""
    opened = term.certificate or term.permission
    proof, word, error = term.certificate, term.permission, term.error
    return learning_pb2.GateStatus(
        family=term.family,
        state=term.state.name,
        text=term.text,
        alpha=term.alpha,
        delta=term.delta,
        audited=term.audited,
        needed=term.needed or 0,
        audit_share=term.audit_share,
        model_digest=term.model_digest,
        until=None if opened is None else timestamp(opened.until),
        provisional_by="" if word is None else word.person,
        provisional_threshold=0.0 if word is None else word.threshold,
        groups=[
            learning_pb2.CertifiedGroup(
                labels=group.labels,
                threshold=group.threshold,
                cases=group.cases,
                losses=group.losses,
                missed=group.missed,
            )
            for group in (proof.groups if proof else ())
        ],
        missed_at_most=0.0 if proof is None else proof.alpha_missed,
        wrong=error.share or 0.0,
        wrong_low=error.low,
        wrong_high=error.high,
        wrong_audited=error.audited,
        wrong_decided=error.decided,
    )
