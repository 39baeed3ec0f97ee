"""A model file is what was registered, whole and harmless, or it is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from coordinator.errors import ArtifactError
from coordinator.model import artifact
from coordinator.model.artifact import (
    adopt_artifact,
    pack_weights,
    read_artifact,
    write_artifact,
)
from coordinator.model.loaded import LoadedModel
from coordinator.model.manifest import MANIFEST_LIMIT, Manifest, parse
from coordinator.terms import Digest
from tests.coordinator.model_builders import train_model

WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_model(tmp_path_factory.mktemp("models"), network="features-linear")


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    home = tmp_path / trained.name
    home.mkdir()
    for file in trained.iterdir():
        (home / file.name).write_bytes(file.read_bytes())
    return home


def written_again(model: Path, **changes: object) -> Path:
    """The model with another manifest that is consistent in itself."""
    manifest = parse((model / MANIFEST).read_bytes())
    raw = {**manifest.model_dump(), **changes}
    content = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
    (model / MANIFEST).write_bytes(content)
    return model


def test_a_model_is_named_after_what_is_in_it(trained: Path) -> None:
    read = read_artifact(trained, expected=Digest(trained.name))

    assert read.digest == trained.name
    assert {file.name for file in trained.iterdir()} == {WEIGHTS, MANIFEST}
    assert read.manifest.labels == ["collision", "slip", "ok"]


@pytest.mark.parametrize("cut", [1, 8, 9, 100, 4096, 8192])
def test_a_truncated_model_is_refused(model: Path, cut: int) -> None:
    content = (model / WEIGHTS).read_bytes()
    (model / WEIGHTS).write_bytes(content[:cut])

    with pytest.raises(ArtifactError) as refused:
        read_artifact(model)

    assert refused.value.code == "ARTIFACT_DIGEST"


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_any_flipped_bit_is_noticed(model: Path, name: str) -> None:
    content = (model / name).read_bytes()
    for place in range(0, len(content), max(len(content) // 40, 1)):
        spoilt = bytearray(content)
        spoilt[place] ^= 1
        (model / name).write_bytes(spoilt)

        with pytest.raises(ArtifactError):
            read_artifact(model, expected=Digest(model.name))


def test_a_trailing_byte_is_noticed(model: Path) -> None:
    content = (model / WEIGHTS).read_bytes()
    (model / WEIGHTS).write_bytes(content + b"\0")

    with pytest.raises(ArtifactError, match="does not match the manifest"):
        read_artifact(model)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x04\x95" + b"x" * 40, id="pickle"),
        pytest.param(b"PK\x03\x04" + b"x" * 40, id="zip-as-torch-saves"),
        pytest.param(b"\x93NUMPY" + b"x" * 40, id="numpy"),
    ],
)
def test_a_pickle_by_another_name_is_not_a_safetensors_file(
    model: Path, content: bytes
) -> None:
    (model / WEIGHTS).write_bytes(content)

    with pytest.raises(ArtifactError, match="not a safetensors file") as refused:
        read_artifact(model)

    assert refused.value.code == "ARTIFACT_FORMAT"


@pytest.mark.parametrize("name", ["x.pt", "model.pkl", "a.npz", "net.onnx", "README"])
def test_a_file_that_is_not_in_the_manifest_is_refused(model: Path, name: str) -> None:
    (model / name).write_bytes(b"anything")

    with pytest.raises(ArtifactError, match=f"file '{name}' is not allowed") as refused:
        read_artifact(model)

    assert refused.value.code == "ARTIFACT_FORMAT"


def test_links_and_missing_files_are_refused(model: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (model / WEIGHTS).rename(elsewhere)
    with pytest.raises(ArtifactError, match="missing"):
        read_artifact(model)

    (model / WEIGHTS).symlink_to(elsewhere)
    with pytest.raises(ArtifactError) as refused:
        read_artifact(model)
    assert refused.value.code == "ARTIFACT_PATH"

    link = tmp_path / "link"
    link.symlink_to(model)
    with pytest.raises(ArtifactError):
        read_artifact(link)
    with pytest.raises(ArtifactError):
        read_artifact(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda c: b"{" * 100_000, id="deep"),
        pytest.param(lambda c: b" " * (MANIFEST_LIMIT + 1), id="huge"),
        pytest.param(
            lambda c: c.replace(b'"seed":', b'"seed":NaN,"seed":'), id="twins"
        ),
        pytest.param(lambda c: c.replace(b'"seed":0', b'"seed":NaN'), id="nan"),
        pytest.param(lambda c: c + b"\n", id="not-canonical"),
        pytest.param(lambda c: b"\xff\xfe", id="not-text"),
        pytest.param(lambda c: b"[]", id="a-list"),
        pytest.param(lambda c: c.replace(b'"version":2', b'"version":3'), id="newer"),
        pytest.param(lambda c: c.replace(b'"seed"', b'"sead"'), id="unknown-key"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused(
    model: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = model / MANIFEST
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(ArtifactError) as refused:
        read_artifact(model)

    assert refused.value.code == "ARTIFACT_MANIFEST"
    assert str(model) not in refused.value.text
    assert refused.value.text.isascii()


@pytest.mark.parametrize(
    ("changes", "token"),
    [
        pytest.param({"labels": []}, "ARTIFACT_MANIFEST", id="no-labels"),
        pytest.param({"labels": ["a", "a", "b"]}, "ARTIFACT_MANIFEST", id="twins"),
        pytest.param({"network": "resnet"}, "ARTIFACT_MANIFEST", id="unknown-network"),
        pytest.param({"temperature": 0.0}, "ARTIFACT_MANIFEST", id="no-temperature"),
        pytest.param({"false_ask": -1.0}, "ARTIFACT_MANIFEST", id="no-false-ask"),
        pytest.param({"members": 4}, "ARTIFACT_CANARY", id="wrong-shape"),
        pytest.param({"network": "cnn"}, "ARTIFACT_CANARY", id="other-network"),
        pytest.param({"canary": [9.0, 9.0, 9.0]}, "ARTIFACT_CANARY", id="other-canary"),
    ],
)
def test_a_manifest_that_does_not_fit_the_weights_is_refused(
    model: Path, changes: dict[str, object], token: str
) -> None:
    spoilt = written_again(model, **changes)

    with pytest.raises(ArtifactError) as refused:
        LoadedModel.load(spoilt, version=1)

    assert refused.value.code == token


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(
    trained: Path, tmp_path: Path, value: float
) -> None:
    read = read_artifact(trained)
    tensors = {**read.tensors, "network.bias": read.tensors["network.bias"] * value}
    weights, files = pack_weights(tensors)
    manifest = read.manifest.model_copy(update={"files": files})
    spoilt = write_artifact(tmp_path, manifest, weights)

    with pytest.raises(ArtifactError) as refused:
        LoadedModel.load(spoilt, version=1)

    assert refused.value.code == "ARTIFACT_CANARY"


def test_missing_weights_are_refused(trained: Path, tmp_path: Path) -> None:
    read = read_artifact(trained)
    for name in ("novelty.low", "network.bias"):
        tensors = {k: v for k, v in read.tensors.items() if k != name}
        weights, files = pack_weights(tensors)
        manifest = read.manifest.model_copy(update={"files": files})
        with pytest.raises(ArtifactError):
            LoadedModel.load(write_artifact(tmp_path, manifest, weights), version=1)


def test_writing_twice_is_writing_once(trained: Path, tmp_path: Path) -> None:
    read = read_artifact(trained)
    weights, _ = pack_weights(read.tensors)

    first = write_artifact(tmp_path, read.manifest, weights)
    second = write_artifact(tmp_path, read.manifest, weights)

    assert first == second
    assert [entry.name for entry in tmp_path.iterdir()] == [first.name]


def test_a_full_disk_leaves_nothing_behind(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_artifact(trained)
    weights, _ = pack_weights(read.tensors)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(ArtifactError, match="No space left"):
        write_artifact(tmp_path / "models", read.manifest, weights)

    assert list((tmp_path / "models").iterdir()) == []


def test_what_another_process_wrote_is_verified_before_it_moves_in(
    model: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(ArtifactError):
        adopt_artifact(model, Digest("ab" * 32), home)
    assert list(home.iterdir()) == []

    moved = adopt_artifact(model, Digest(model.name), home)

    assert moved == home / model.name
    assert not model.exists()


def test_the_bytes_that_were_hashed_are_the_bytes_that_are_loaded(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between hashing and parsing the file is exchanged; it must not matter.
    wanted = read_artifact(model).tensors["network.bias"]
    parse_tensors = safetensors.torch.load

    def exchange(content: bytes) -> dict[str, torch.Tensor]:
        os.truncate(model / WEIGHTS, 10)
        return parse_tensors(content)

    monkeypatch.setattr(artifact, "parse_tensors", exchange)

    assert torch.equal(read_artifact(model).tensors["network.bias"], wanted)


def test_the_same_manifest_is_always_the_same_bytes(trained: Path) -> None:
    content = (trained / MANIFEST).read_bytes()

    assert parse(content).to_bytes() == content
    assert isinstance(parse(content), Manifest)
