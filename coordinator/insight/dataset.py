"""A recording on disk: a folder with arrays, a manifest, and digests over both.

    <data dir>/datasets/<name>/rows.safetensors    samples, times, groups, labels
    <data dir>/datasets/<name>/manifest.json       canonical JSON, cites the above

The folder appears whole, by one rename, or not at all. No format that could carry code.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from coordinator.errors import DatasetError
from coordinator.insight.recording import ReadProgress, Recording, read_recording
from coordinator.insight.schema import RecordingSchema, read_schema, schema_from
from coordinator.insight.windows import LabelledWindows, cut
from coordinator.terms import Digest, Family, is_id

FORMAT: Final = "andon.dataset/1"
MANIFEST: Final = "manifest.json"
ARRAYS: Final = "rows.safetensors"
LARGEST_MANIFEST_BYTES: Final = 64_000_000
DTYPES: Final = {
    "samples": np.dtype(np.float32),
    "time_ns": np.dtype(np.int64),
    "group_index": np.dtype(np.int64),
    "label_index": np.dtype(np.int64),
}


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """An imported recording.

    Attributes:
        name: Under which it was imported.
        schema: What its columns mean.
        recording: Its rows.
        digest: SHA-256 over the manifest, which cites everything else.
    """

    name: str
    schema: RecordingSchema
    recording: Recording
    digest: Digest

    @property
    def family(self) -> Family:
        """Channels, labels and window; the family is named like the dataset."""
        return self.schema.family(self.name)

    def windows(self) -> LabelledWindows:
        """Return its windows in the order of time."""
        return cut(self.recording, self.schema)


def import_dataset(
    csv_file: Path,
    schema_file: Path,
    *,
    data_dir: Path,
    name: str = "",
    progress: ReadProgress = lambda _done, _all: None,
) -> Dataset:
    """Read a CSV by its schema and keep it as a dataset.

    The same file under the same name and schema is imported once.

    Raises:
        DatasetError: schema, file or name cannot be used, or the name is taken by
            another recording; nothing is kept.
    """
    name = name or csv_file.stem.lower().replace(" ", "-")
    if not is_id(name):
        raise DatasetError(
            f"a dataset cannot be called {name[:40]!a}: ids match "
            "[a-z0-9][a-z0-9._-]{0,62}. Give another --name."
        )
    schema = read_schema(schema_file)
    recording = read_recording(csv_file, schema, progress)
    cut(recording, schema)  # a recording without a window is refused here, not later
    manifest = _manifest(name, csv_file.name, schema, recording)
    dataset = Dataset(name, schema, recording, _digest(_canonical(manifest)))
    folder = data_dir / "datasets" / name
    try:
        if folder.exists():
            if open_dataset(folder).digest != dataset.digest:
                raise DatasetError(
                    f"dataset '{name}' holds another recording or schema. "
                    "Give another --name, or delete it first."
                )
            return dataset
        _keep(folder, _arrays(recording), _canonical(manifest))
    except OSError as error:
        raise DatasetError(
            f"cannot keep dataset '{name}': {error.strerror}."
        ) from error
    return dataset


def find_dataset(name_or_path: str, data_dir: Path) -> Path:
    """Return the folder of a dataset, given by name or as a path.

    Raises:
        DatasetError: there is none; the text names those that are there.
    """
    if is_id(name_or_path):
        folder = data_dir / "datasets" / name_or_path
        if (folder / MANIFEST).is_file():
            return folder
    if (Path(name_or_path) / MANIFEST).is_file():
        return Path(name_or_path)
    names = (path.parent.name for path in data_dir.glob(f"datasets/*/{MANIFEST}"))
    there = sorted(name for name in names if is_id(name))
    known = f"There are: {', '.join(there[:20])}." if there else "None is imported."
    raise DatasetError(f"there is no dataset {name_or_path[:40]!a}. {known}")


def open_dataset(folder: Path) -> Dataset:
    """Read a dataset and check it against its digests.

    Raises:
        DatasetError: a file is missing, damaged or not what the manifest cites.
    """
    name = folder.name
    try:
        manifest_file = folder / MANIFEST
        if manifest_file.stat().st_size > LARGEST_MANIFEST_BYTES:
            raise DatasetError(f"dataset '{name}': its manifest is too large.")
        content = manifest_file.read_bytes()
        arrays = (folder / ARRAYS).read_bytes()
    except OSError as error:
        raise DatasetError(f"dataset '{name}': {error.strerror}.") from error
    manifest = _parsed(name, content)
    if _digest(arrays) != manifest["rows"]["sha256"]:
        raise DatasetError(f"dataset '{name}': {ARRAYS} does not match the manifest.")
    schema = schema_from(manifest["schema"], name=f"dataset '{name}'")
    return Dataset(
        name=manifest["name"],
        schema=schema,
        recording=_recording(name, arrays, manifest, schema),
        digest=_digest(content),
    )


def _manifest(
    name: str, source: str, schema: RecordingSchema, recording: Recording
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": name,
        "source": {"file": source, "sha256": recording.source_digest},
        "schema": schema.model_dump(mode="json", exclude_none=True),
        "groups": list(recording.groups),
        "rows": {
            "file": ARRAYS,
            "count": len(recording.time_ns),
            "sha256": _digest(_arrays(recording)),
        },
    }


def _arrays(recording: Recording) -> bytes:
    return save({name: getattr(recording, name) for name in DTYPES})


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(
        manifest, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("ascii")


def _digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())


def _keep(folder: Path, arrays: bytes, manifest: bytes) -> None:
    """Write both files beside the place, make them durable, and rename."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    scratch.mkdir()
    try:
        for file, content in ((ARRAYS, arrays), (MANIFEST, manifest)):
            with (scratch / file).open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _parsed(name: str, content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"dataset '{name}': its manifest is not JSON.") from error
    shape = {"name": str, "source": dict, "schema": dict, "groups": list, "rows": dict}
    whole = (
        isinstance(manifest, dict)
        and manifest.get("format") == FORMAT
        and all(isinstance(manifest.get(key), kind) for key, kind in shape.items())
        and isinstance(manifest["rows"].get("sha256"), str)
        and isinstance(manifest["source"].get("sha256"), str)
        and all(isinstance(group, str) for group in manifest["groups"])
        and _canonical(manifest) == content
    )
    if not whole:
        raise DatasetError(
            f"dataset '{name}': its manifest is not a whole {FORMAT} in canonical form."
        )
    return dict(manifest)


def _recording(
    name: str, content: bytes, manifest: dict[str, Any], schema: RecordingSchema
) -> Recording:
    try:
        arrays = load(content)
    except (SafetensorError, KeyError) as error:
        raise DatasetError(f"dataset '{name}': {ARRAYS} is damaged.") from error
    shapes = {key: array.shape for key, array in arrays.items()}
    rows = len(arrays.get("time_ns", ()))
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(DTYPES, (rows,))
    expected["samples"] = (rows, len(schema.channels))
    fits = (
        rows > 0
        and shapes == expected
        and all(arrays[key].dtype == dtype for key, dtype in DTYPES.items())
        and bool(np.isin(np.diff(arrays["group_index"]), (0, 1)).all())
        and arrays["group_index"][[0, -1]].tolist() == [0, len(manifest["groups"]) - 1]
        and arrays["label_index"].min() >= 0
        and arrays["label_index"].max() < len(schema.labels)
    )
    if not fits:
        raise DatasetError(f"dataset '{name}': {ARRAYS} holds other rows than agreed.")
    return Recording(
        **arrays,
        groups=tuple(manifest["groups"]),
        source_digest=Digest(manifest["source"]["sha256"]),
    )
