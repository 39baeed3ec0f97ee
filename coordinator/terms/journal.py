"""One entry of the journal; part of terms.events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One event at its place in the journal.

    Attributes:
        seq: Dense, from 1.
        recorded_at: UTC.
        kind: Name of the event's class.
        payload_json: The event, canonical JSON.
        hash: SHA-256 over the previous hash, seq, time, kind and payload.
    """

    seq: int
    recorded_at: datetime
    kind: str
    payload_json: str
    hash: str
