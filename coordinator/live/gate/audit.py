"""The audit coin: which windows a person also sees, tossed before the gate looks.

Labels only from unclear cases bias everything that is learned or measured from them
(gate.md, fact 4). The coin falls by the window's digest and a seed, so that anybody can
toss it again, and nothing about the window's difficulty can move it.
"""

from __future__ import annotations

import hashlib

from coordinator.terms import AuditCoin, SensorWindow


def toss(window: SensorWindow, share: float, seed: str) -> AuditCoin:
    """Toss for one window.

    Args:
        window: Only its cell, cycle and digest count.
        share: Probability of an audit, in [0, 1].
        seed: Kept secret enough: the store's identity.
    """
    text = f"audit/1 {seed} {window.cell_id} {window.cycle} {window.digest}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return AuditCoin(probability=share, drawn=number < share * 2**64)
