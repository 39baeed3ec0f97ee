"""The store: what happened, durable before anything rests on it.

Read in this order: store (the surface), writer (one thread, group commit), fold (what
each event changes, and what must hold before it may), journal (the hash chain), verify.
"""

from coordinator.store.store import Store
from coordinator.store.verify import VerifyResult, verify

__all__ = ["Store", "VerifyResult", "verify"]
