"""Builds the labelling parties of a plant: one a family that is configured."""

from __future__ import annotations

from typing import Final

from coordinator.clock import Clock
from coordinator.learning.correction.party import Party
from coordinator.learning.correction.teach import Teaching
from coordinator.learning.training.dataset import frozen
from coordinator.live.request.queue import RequestQueue
from coordinator.seams import Store
from coordinator.vocabulary import Vocabulary

LEASES: Final = 2
"""A stored window is lent for so many claim leases: some are handed out in advance."""


def parties(
    vocabulary: Vocabulary,
    requests: RequestQueue,
    store: Store,
    clock: Clock,
    *,
    claim_lease_ns: int,
) -> Teaching:
    """Return the teaching of every family.

    Args:
        vocabulary: The families, with every label known now.
        requests: What people are asked about right now is not taught.
        store: Where windows and opinions are.
        clock: For leases and paces.
        claim_lease_ns: How long a person has a question before others get it.
    """
    by_family = {
        family.family_id: Party(
            family.family_id,
            clock=clock,
            lease_ns=LEASES * claim_lease_ns,
            # What measures models must come as the cells made it.
            kept_apart=frozen,
            busy=lambda: [request.window_id for request in requests.all_open()],
        )
        for family in vocabulary.all()
    }
    return Teaching(by_family, store=store, clock=clock, family_of=vocabulary.family)
