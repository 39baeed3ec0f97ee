"""A labelled clip from a watched folder -> examples; pure but for reading.

The clip is a CSV as `andon dataset import` reads it, and what its columns mean stands
in a file schema.toml beside it. All of it is taken, or nothing: whoever drops a file
must not have to find out which of its rows were learned from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from coordinator.errors import DatasetError
from coordinator.insight.recording import LEAST_UTC_NS, read_recording, utc
from coordinator.insight.schema import read_schema
from coordinator.insight.windows import LabelledWindows, cut
from coordinator.live.window.check import check
from coordinator.terms import (
    NO_DIGEST,
    CellId,
    Decision,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    Family,
    PersonId,
    SensorWindow,
    WindowId,
    WindowKind,
    window_digest,
)

SCHEMA: Final = "schema.toml"
"""Beside the clips of a family: what their columns mean."""
FOLDER: Final = CellId("folder")
"""Stands where a cell would: these windows came from none that is watched."""
MOST_WINDOWS: Final = 2_000
"""Windows of one clip; who has more trains on them apart, and says so."""
TAUGHT: Final = 1.0
"""Chosen, not drawn: each stands for itself alone."""


@dataclass(frozen=True, slots=True)
class By:
    """Whose labels they are, and when they came."""

    person: PersonId
    at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """What a clip brings.

    Attributes:
        source_digest: SHA-256 over the file.
        examples: Examples with their windows, in the order of time.
    """

    source_digest: Digest
    examples: tuple[tuple[Example, SensorWindow], ...]


def digest_of(path: Path) -> Digest:
    """SHA-256 over a file.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return Digest(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise DatasetError(f"cannot read {path.name}: {error.strerror}.") from error


def read_dropped(path: Path, family: Family, by: By) -> Dropped:
    """Read a clip for a family.

    Raises:
        DatasetError: one sentence: the file, its schema, or that it is not of this
            family; or a window that the live checks would hold.
    """
    schema = read_schema(path.parent / SCHEMA)
    _require_same(schema.family(family.family_id), family)
    recording = read_recording(path, schema)
    windows = cut(recording, schema)
    if len(windows) > MOST_WINDOWS:
        raise DatasetError(
            f"{path.name} has {len(windows)} windows, at most {MOST_WINDOWS}: cut it."
        )
    labels = [label.name for label in schema.labels]
    source = recording.source_digest
    found = []
    for i in range(len(windows)):
        group = recording.groups[int(windows.group_index[i])]
        window = _window(windows, i, family, source, by.at)
        _require_usable(path.name, window, family)
        label = labels[int(windows.truth[i])]
        where = f"{source[:12]}/{group}"
        found.append((_example(window, family, where, label, by), window))
    return Dropped(source, tuple(found))


def _require_same(said: Family, family: Family) -> None:
    """Refuse what is of another kind of cell: swapped channels would go unnoticed."""
    if said.schema_digest != family.schema_digest:
        names = ", ".join(f"{c.name} [{c.unit}]" for c in family.channels)
        raise DatasetError(
            f"{SCHEMA}: channels are not those of {family.family_id}, in this order: "
            f"{names}."
        )
    if said.rows != family.rows:
        raise DatasetError(
            f"{SCHEMA}: rows is {said.rows}, {family.family_id} has {family.rows}."
        )
    for label in said.labels:
        if family.label(label.name) is None:
            known = ", ".join(family.label_names)
            raise DatasetError(
                f"{SCHEMA}: '{label.name[:40]}' is no label of {family.family_id}, "
                f"known: {known}."
            )


def _require_usable(name: str, window: SensorWindow, family: Family) -> None:
    """Refuse what would hold a cell: nobody is asked about it, nothing learns it."""
    findings = check(window, family, now_ns=0, maximum_age_ns=1)
    bad = next((f for f in findings if f.decision is Decision.HOLD), None)
    if bad is not None:
        raise DatasetError(f"{name}, window {window.seq}: {bad.text}")


def _window(
    windows: LabelledWindows, i: int, family: Family, source: Digest, at: datetime
) -> SensorWindow:
    samples, present = windows.samples[i], windows.present[i]
    end_ns = int(windows.end_ns[i])
    return SensorWindow(
        window_id=WindowId(f"folder-{source[:16]}-{i + 1}"),
        cell_id=FOLDER,
        kind=WindowKind.DECISION,
        session_epoch=0,
        seq=i + 1,
        cycle=int(windows.group_index[i]) + 1,
        step="recorded",
        part_id="",
        start_ns=int(windows.start_ns[i]),
        period_ns=windows.period_ns,
        samples=samples,
        present=present,
        digest=window_digest(family.schema_digest, samples, present),
        age_ns=0,
        received_ns=0,
        cut_at=utc(end_ns).astimezone(UTC) if end_ns >= LEAST_UTC_NS else at,
        gap_rows=int(windows.gap_rows[i]),
    )


def _example(
    window: SensorWindow, family: Family, group: str, label: str, by: By
) -> Example:
    return Example(
        example_id=ExampleId(f"e-{window.window_id}"),
        family=family.family_id,
        cell_id=window.cell_id,
        window_id=window.window_id,
        window_digest=window.digest,
        group=f"{FOLDER}/{group}",
        label=label,
        person=by.person,
        device=FOLDER,
        labelled_at=by.at,
        source=ExampleSource.IMPORT,
        propensity=TAUGHT,
        model_digest=NO_DIGEST,
        guess="",
    )
