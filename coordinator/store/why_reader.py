"""What is read to say why the gate asked: examples, a few at a time, and views.

Ids first, windows only of what is not known yet: a plant has thousands of examples, and
a person who opens a question waits for none of the old ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import cast

from coordinator.store import reader
from coordinator.store.codec import decode
from coordinator.terms import Digest, Example, ExampleId, SensorWindow
from coordinator.terms import events as e


def usable_examples(db: sqlite3.Connection, family: str, limit: int) -> list[ExampleId]:
    """Return the newest usable examples of a family, oldest first."""
    rows = db.execute(
        """SELECT example_id FROM examples
        WHERE family = ? AND NOT retracted AND quarantine = ''
        ORDER BY seq DESC LIMIT ?""",
        (family, limit),
    )
    return [ExampleId(example_id) for (example_id,) in rows][::-1]


def examples_named(
    db: sqlite3.Connection, ids: Sequence[ExampleId]
) -> list[tuple[Example, SensorWindow]]:
    """Return these examples with their windows, oldest first; what is gone is left."""
    marks = ", ".join("?" * len(ids))
    return reader.examples_where(db, f"x.example_id IN ({marks})", tuple(ids))


def shown(db: sqlite3.Connection, request_id: str) -> list[Digest]:
    """Return the digests of the reasons that people saw with a request."""
    rows = db.execute(
        """SELECT j.kind, j.payload FROM mentions AS m JOIN journal AS j
        ON j.seq = m.seq WHERE m.about = ? AND j.kind = 'RequestExplained'
        ORDER BY j.seq""",
        (request_id,),
    )
    return [cast(e.RequestExplained, decode(*row)).shown for row in rows]
