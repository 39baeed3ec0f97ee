"""A model on disk: two files in a folder that is named after what is in them.

`weights.safetensors` holds numbers only. `manifest.json` says what they mean and holds
the SHA-256 of the weights; the SHA-256 of the manifest is the model's digest. What is
loaded are the very bytes that were hashed, so nothing can be exchanged in between.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as dump_tensors
from torch import Tensor

from coordinator.errors import ArtifactError
from coordinator.model.manifest import MANIFEST_LIMIT, Manifest, manifest_digest, parse
from coordinator.terms import Digest

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"
WEIGHTS_LIMIT: Final = 256 * 1_048_576
"""Greatest weights file, bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A model as it was read and verified.

    Attributes:
        digest: SHA-256 of the manifest.
        manifest: What it says about itself.
        tensors: By name, as in the file.
    """

    digest: Digest
    manifest: Manifest
    tensors: dict[str, Tensor]


def pack_weights(tensors: dict[str, Tensor]) -> tuple[bytes, dict[str, str]]:
    """Return the weights as file content, and the `files` entry of their manifest."""
    content = dump_tensors({k: v.contiguous() for k, v in tensors.items()})
    return content, {WEIGHTS: hashlib.sha256(content).hexdigest()}


def write_artifact(folder: Path, manifest: Manifest, weights: bytes) -> Path:
    """Put a model below folder, durable and complete or not at all.

    Args:
        folder: Where models live; made if it is not there.
        manifest: Its `files` must be those of pack_weights().
        weights: From pack_weights().

    Returns:
        The model's own folder, named after its digest.

    Raises:
        ArtifactError: the disk refused; nothing partial is visible.
    """
    content = manifest.to_bytes()
    home = folder / manifest_digest(content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    except OSError as error:
        raise _not_written(error) from error
    try:
        for name, data in ((WEIGHTS, weights), (MANIFEST, content)):
            _write_durably(draft / name, data)
        draft.chmod(0o755)
        _sync_folder(draft)
        # A second write of the same model finds it there: same digest, same content.
        with contextlib.suppress(FileExistsError):
            if not home.exists():
                draft.rename(home)
        _sync_folder(folder)
    except OSError as error:
        raise _not_written(error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return home


def adopt_artifact(path: Path, digest: Digest, folder: Path) -> Path:
    """Verify a model that another process wrote, and move it to where models live.

    Args:
        path: Its folder, on the same disk as `folder`.
        digest: What it must be.
        folder: Where models live.

    Returns:
        Its new folder.

    Raises:
        ArtifactError: it does not verify, or the disk refused.
    """
    read_artifact(path, expected=digest)
    home = folder / digest
    try:
        if not home.exists():
            path.rename(home)
        _sync_folder(folder)
    except OSError as error:
        raise _not_written(error) from error
    return home


def read_artifact(path: Path, *, expected: Digest | None = None) -> Artifact:
    """Read and verify a model.

    Args:
        path: The model's own folder.
        expected: The digest it must have; None accepts any that is consistent.

    Raises:
        ArtifactError: with token ARTIFACT_DIGEST, ARTIFACT_FORMAT, ARTIFACT_PATH,
            ARTIFACT_SIZE or ARTIFACT_MANIFEST; nothing was loaded.
    """
    _check_folder(path)
    content = _read_whole(path / MANIFEST, MANIFEST_LIMIT, "ARTIFACT_MANIFEST")
    digest = manifest_digest(content)
    if expected is not None and digest != expected:
        raise ArtifactError(f"{MANIFEST} is not the one that was registered.")
    manifest = parse(content)
    if set(manifest.files) != {WEIGHTS}:
        raise ArtifactError(
            f"the manifest must name {WEIGHTS} and nothing else.", "ARTIFACT_MANIFEST"
        )
    weights = _read_whole(path / WEIGHTS, WEIGHTS_LIMIT, "ARTIFACT_SIZE")
    _check_format(weights)
    if hashlib.sha256(weights).hexdigest() != manifest.files[WEIGHTS]:
        raise ArtifactError(f"{WEIGHTS} does not match the manifest.")
    try:
        tensors = parse_tensors(weights)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise _not_safetensors() from error
    return Artifact(digest, manifest, tensors)


def _check_folder(path: Path) -> None:
    try:
        if path.is_symlink() or not path.is_dir():
            raise ArtifactError("there is no model folder here.", "ARTIFACT_PATH")
        found = sorted(entry.name for entry in path.iterdir())
        for name in found:
            if name not in {MANIFEST, WEIGHTS}:
                shown = name.encode("ascii", "replace").decode()[:40]
                raise ArtifactError(
                    f"file '{shown}' is not allowed.", "ARTIFACT_FORMAT"
                )
            if not stat.S_ISREG((path / name).lstat().st_mode):
                raise ArtifactError(f"{name} is not a plain file.", "ARTIFACT_PATH")
    except OSError as error:
        raise ArtifactError(
            "the model folder cannot be read.", "ARTIFACT_PATH"
        ) from error
    for name in (MANIFEST, WEIGHTS):
        if name not in found:
            raise ArtifactError(f"{name} is missing.", "ARTIFACT_FORMAT")


def _read_whole(path: Path, limit: int, token: str) -> bytes:
    try:
        # O_NOFOLLOW: a link put here after the check above must not lead elsewhere.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read.", "ARTIFACT_PATH") from error
    if len(content) > limit:
        raise ArtifactError(f"{path.name} is larger than {limit} bytes.", token)
    return content


def _check_format(weights: bytes) -> None:
    # The header is JSON after eight bytes of length; a pickle or an archive has none.
    if len(weights) > 8 and weights[8:9] != b"{":
        raise _not_safetensors()


def _not_safetensors() -> ArtifactError:
    return ArtifactError(f"{WEIGHTS} is not a safetensors file.", "ARTIFACT_FORMAT")


def _not_written(error: OSError) -> ArtifactError:
    reason = error.strerror or "unknown"
    return ArtifactError(f"the model could not be written: {reason}.", "ARTIFACT_PATH")


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
