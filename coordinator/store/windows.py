"""Windows as rows: samples as little-endian float32, the rest as canonical JSON.

A window's own digest also covers the schema of its family, which the store does not
know. So each row carries a digest over everything in it, which is journaled when the
window is kept and checked whenever it is read.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, fields
from typing import Any, Final, get_type_hints

import numpy as np

from coordinator.errors import IllegalTransitionError, StoreIntegrityError
from coordinator.store.codec import codec_of, dumps
from coordinator.terms import SensorWindow

ARRAYS: Final = ("samples", "present")
_PARTS: Final = {
    name: codec_of(hint)
    for name, hint in get_type_hints(SensorWindow).items()
    if name not in ARRAYS
}

Row = tuple[str, str, str, str, str, int, int, bytes, bytes]
"""As in the table: window_id, cell_id, digest, content, facts, samples, channels, then
the bytes of samples and presence."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A window ready to be kept.

    Attributes:
        row: Values of the table's columns, without the journal's seq.
    """

    row: Row

    @property
    def kept(self) -> tuple[str, str, str]:
        """What the journal says of it: id, evidence digest, content digest."""
        return self.row[0], self.row[2], self.row[3]


def pack(window: SensorWindow) -> Packed:
    """Turn a window into a row.

    Raises:
        ValueError: samples are not (samples, channels), or presence is not (channels,).
    """
    samples = np.ascontiguousarray(window.samples, dtype="<f4")
    present = np.ascontiguousarray(window.present, dtype=np.uint8)
    if samples.ndim != 2 or present.shape != samples.shape[1:]:
        raise ValueError("a window is samples by channels, with one mark a channel")
    facts = dumps(
        {name: part.write(getattr(window, name)) for name, part in _PARTS.items()}
    )
    rows, channels = samples.shape
    data, marks = samples.tobytes(), present.tobytes()
    return Packed(
        (
            window.window_id,
            window.cell_id,
            window.digest,
            content_digest(facts, rows, channels, data, marks),
            facts,
            rows,
            channels,
            data,
            marks,
        )
    )


def keep(db: sqlite3.Connection, row: Row, seq: int) -> None:
    """Insert a window; the same evidence a second time changes nothing.

    Raises:
        IllegalTransitionError: the id belongs to other evidence.
    """
    marks = ", ".join("?" * (len(row) + 1))
    if db.execute(
        f"INSERT OR IGNORE INTO windows VALUES ({marks})",  # noqa: S608 - marks only
        (*row, seq),
    ).rowcount:
        return
    found = db.execute("SELECT digest FROM windows WHERE window_id = ?", (row[0],))
    if found.fetchone() != (row[2],):
        raise IllegalTransitionError(
            f"window {row[0]} was already kept with other samples.", "ALREADY_THERE"
        )


def content_digest(
    facts: str, rows: int, channels: int, data: bytes, marks: bytes
) -> str:
    """SHA-256 over everything a row says of a window, in hexadecimal."""
    content = hashlib.sha256(f"{facts}\n{rows}\n{channels}\n".encode())
    content.update(data)
    content.update(marks)
    return content.hexdigest()


def check(row: Row) -> None:
    """See that a row still says what was kept.

    Raises:
        StoreIntegrityError: it does not.
    """
    window_id, cell_id, digest, content, facts, *shape, data, marks = row
    try:
        found = content_digest(facts, shape[0], shape[1], data, marks)
        said = json.loads(facts)
        named = (said["window_id"], said["cell_id"], said["digest"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreIntegrityError("a stored window cannot be read.") from error
    if found != content or named != (window_id, cell_id, digest):
        raise StoreIntegrityError(
            f"window {window_id} is not what was kept: its digest differs."
        )


def unpack(row: Row) -> SensorWindow:
    """Turn a row into the window that was packed; see check for what it raises."""
    check(row)
    facts: dict[str, Any] = json.loads(row[4])
    rows, channels, data, marks = row[5:]
    known = {one.name for one in fields(SensorWindow)}
    samples = np.frombuffer(data, dtype="<f4").reshape(rows, channels)
    return SensorWindow(
        **{
            name: _PARTS[name].read(one) for name, one in facts.items() if name in known
        },
        samples=samples.astype(np.float32),
        present=np.frombuffer(marks, dtype=np.uint8).astype(np.bool_),
    )
