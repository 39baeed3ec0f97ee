"""A window as bytes: what its digest is of, and what the wire carries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def schema_digest(names_and_units: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over channel names and units in order, one line "name<TAB>unit" each."""
    text = "".join(f"{name}\t{unit}\n" for name, unit in names_and_units)
    return hashlib.sha256(text.encode()).hexdigest()


def window_digest(
    schema: str, samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> str:
    """SHA-256 over the schema digest, the sample bytes and one byte a channel.

    Args:
        schema: Schema digest, 64 hexadecimal characters.
        samples: float32, shape (rows, channels), row-major.
        present: bool, shape (channels,).
    """
    content = hashlib.sha256(bytes.fromhex(schema))
    # hashlib reads the numbers where they lie; only a wire needs bytes of its own.
    content.update(np.ascontiguousarray(samples, dtype="<f4").data)
    content.update(np.ascontiguousarray(present, dtype=np.uint8).data)
    return content.hexdigest()


def sample_bytes(samples: NDArray[np.float32]) -> bytes:
    """Samples as the wire wants them: little-endian float32, row-major."""
    return np.ascontiguousarray(samples, dtype="<f4").tobytes()


def presence_bytes(present: NDArray[np.bool_]) -> bytes:
    """Presence as the wire wants it: one byte a channel, 1 present, 0 absent."""
    return np.ascontiguousarray(present, dtype=np.uint8).tobytes()
