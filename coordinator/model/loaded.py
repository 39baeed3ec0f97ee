"""A model in memory: windows in, calibrated predictions out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordinator.errors import ArtifactError, ModelFaultError
from coordinator.model.artifact import Artifact, read_artifact
from coordinator.model.calibration import probabilities
from coordinator.model.features import (
    DESCRIBED,
    PER_CHANNEL,
    channel_scores,
    feature_scores,
    window_features,
)
from coordinator.model.manifest import Manifest
from coordinator.model.network import Network, Reads, Sizes
from coordinator.model.novelty import Familiar
from coordinator.model.registry import build
from coordinator.terms import Digest, Prediction, SensorWindow

BATCH: Final = 64
"""Windows computed at once; also the size of the reused buffer."""
CANARY_TOLERANCE: Final = 1e-3
"""How far this host may compute the canary from the host that trained, in logits."""
NETWORK_PREFIX: Final = "network."
NOVELTY_PREFIX: Final = "novelty."
FAMILIAR: Final = tuple(field.name for field in fields(Familiar))
"""What is known of the familiar: tensors under NOVELTY_PREFIX."""


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model says of a batch.

    Attributes:
        logits: float64, shape (windows, labels).
        probabilities: Calibrated, float64, shape (windows, labels).
        novelty: float64, shape (windows,); 1.0 is the edge of the familiar.
    """

    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    novelty: NDArray[np.float64]


class Pipeline:
    """From samples to logits and novelty on one device; not calibrated.

    Blocking, and not thread-safe: it reuses its buffers.
    """

    def __init__(
        self, network: Network, manifest: Manifest, tensors: dict[str, Tensor]
    ) -> None:
        self._network = network
        self._channel_mean = torch.tensor(manifest.channel_mean)  # (C,)
        self._channel_scale = torch.tensor(manifest.channel_scale)  # (C,)
        self._feature_mean = tensors["feature.mean"]  # (C, F)
        self._feature_scale = tensors["feature.scale"]  # (C, F)
        self._bias = tensors["calibration.bias"]  # (L,)
        self._heat = tensors["calibration.heat"]  # (C,)
        self._familiar = Familiar(**_familiar(tensors))
        self._device = torch.device("cpu")

    def move(self, device: torch.device) -> None:
        """Compute on this device from now on."""
        self._device = device
        self._network.to(device)
        self._channel_mean = self._channel_mean.to(device)
        self._channel_scale = self._channel_scale.to(device)
        self._feature_mean = self._feature_mean.to(device)
        self._feature_scale = self._feature_scale.to(device)
        self._bias, self._heat = self._bias.to(device), self._heat.to(device)
        parts = {name: getattr(self._familiar, name) for name in FAMILIAR}
        self._familiar = Familiar(**{k: v.to(device) for k, v in parts.items()})

    @property
    def network(self) -> Network:
        """What turns statistics or samples into logits."""
        return self._network

    def scores(self, samples: Tensor, present: Tensor) -> Tensor:
        """Standardised channels: (B, T, C), (B, C) -> (B, C, T)."""
        return channel_scores(
            samples.to(self._device),
            present.to(self._device),
            self._channel_mean,
            self._channel_scale,
        )

    def places(self, samples: Tensor, present: Tensor) -> Tensor:
        """Where windows lie among the examples: (B, T, C), (B, C) -> (B, places).

        The space in which novelty is measured; what lies 1 apart there differs in every
        statistic by about its usual spread.
        """
        with torch.inference_mode():
            there = present.to(self._device)
            found = self._familiar.places(samples.to(self._device), there)  # (B, C, S)
            found = torch.where(there[:, :, None], found, 0.0).flatten(1)
            return found.div(math.sqrt(found.shape[1])).cpu()

    def run(self, samples: Tensor, present: Tensor) -> Tensor:
        """Logits and, in the last column, novelty: (B, T, C), (B, C) -> (B, L + 1)."""
        with torch.inference_mode():
            samples = samples.to(self._device, non_blocking=True)
            present = present.to(self._device, non_blocking=True)
            scores = channel_scores(
                samples, present, self._channel_mean, self._channel_scale
            )  # (B, C, T)
            features = feature_scores(
                window_features(scores),
                present,
                self._feature_mean,
                self._feature_scale,
            )  # (B, C, F)
            reads_features = self._network.reads is Reads.FEATURES
            logits = self._network(features if reads_features else scores)  # (B, L)
            # What is not there to be seen must not leave the model as sure as before.
            heat = ((~present).to(logits.dtype) @ self._heat).exp()  # (B,)
            logits = (logits + self._bias) / heat[:, None]
            novelty = self._familiar.novelty(samples, present)  # (B,)
            # One tensor, so that one copy brings everything back from a device.
            return torch.cat([logits, novelty[:, None]], dim=1).cpu()  # (B, L + 1)


class LoadedModel:
    """A verified artifact, ready to answer. Implements seams.Predictor.

    Blocking, and not thread-safe: one thread owns it.
    """

    def __init__(self, artifact: Artifact, version: int) -> None:
        manifest = artifact.manifest
        self._digest = artifact.digest
        self._version = version
        self.manifest = manifest
        self.labels = tuple(manifest.labels)
        self._pipeline = Pipeline(_network(artifact), manifest, artifact.tensors)
        shape = (BATCH, manifest.rows, len(manifest.channels))
        self._samples = torch.zeros(shape)
        self._present = torch.ones(BATCH, len(manifest.channels), dtype=torch.bool)
        # Views of the same memory: windows are copied once, straight into the batch.
        self._samples_view: NDArray[np.float32] = self._samples.numpy()
        self._present_view: NDArray[np.bool_] = self._present.numpy()

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        version: int,
        expected: Digest | None = None,
        device: torch.device | None = None,
    ) -> Self:
        """Read, verify, build and try a model.

        Args:
            path: The artifact's own folder.
            version: Its number in the family, from 1.
            expected: The digest it must have.
            device: Where to compute; None is the CPU.

        Raises:
            ArtifactError: it is not what it should be; see read_artifact(). Token
                ARTIFACT_CANARY: it does not compute here what it computed when it
                was written.
        """
        model = cls(read_artifact(path, expected=expected), version)
        if device is not None:
            model._pipeline.move(device)
        model._try_canary()
        return model

    @property
    def digest(self) -> Digest:
        """See seams.Predictor."""
        return self._digest

    @property
    def version(self) -> int:
        """See seams.Predictor."""
        return self._version

    @property
    def rows(self) -> int:
        """Samples of the windows it can judge."""
        return self.manifest.rows

    @property
    def pipeline(self) -> Pipeline:
        """From samples to logits, for who looks into the model."""
        return self._pipeline

    def predict(self, windows: Sequence[SensorWindow]) -> list[Prediction]:
        """See seams.Predictor."""
        answers: list[Prediction] = []
        for start in range(0, len(windows), BATCH):
            answers += self._predict_batch(windows[start : start + BATCH])
        return answers

    def evaluate(
        self, samples: NDArray[np.float32], present: NDArray[np.bool_]
    ) -> Outputs:
        """What it says of stored windows.

        Args:
            samples: float32, shape (windows, samples, channels).
            present: bool, shape (windows, channels).

        Raises:
            ModelFaultError: the network failed or answered nonsense.
        """
        parts = [
            self._compute(
                torch.from_numpy(np.ascontiguousarray(samples[i : i + BATCH])),
                torch.from_numpy(np.ascontiguousarray(present[i : i + BATCH])),
            )
            for i in range(0, len(samples), BATCH)
        ]
        if not parts:
            none = np.zeros((0, len(self.labels)))
            return Outputs(none, none, np.zeros(0))
        return Outputs(
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.novelty for part in parts]),
        )

    def places(
        self, samples: NDArray[np.float32], present: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Where stored windows lie, see Pipeline.places(): (windows, axes)."""
        parts = [
            self._pipeline.places(
                torch.from_numpy(np.ascontiguousarray(samples[i : i + BATCH])),
                torch.from_numpy(np.ascontiguousarray(present[i : i + BATCH])),
            )
            for i in range(0, len(samples), BATCH)
        ]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def _predict_batch(self, windows: Sequence[SensorWindow]) -> list[Prediction]:
        count = len(windows)
        shape = self._samples_view.shape[1:]
        for i, window in enumerate(windows):
            if window.samples.shape != shape:
                raise ModelFaultError(
                    f"the model reads windows of {shape[0]} rows x {shape[1]} channels."
                )
            self._samples_view[i] = window.samples
            self._present_view[i] = window.present
        outputs = self._compute(self._samples[:count], self._present[:count])
        logits = outputs.logits.tolist()
        chances = outputs.probabilities.tolist()
        novelty = outputs.novelty.tolist()
        return [
            Prediction(
                model_digest=self._digest,
                labels=self.labels,
                logits=tuple(logits[i]),
                probabilities=tuple(chances[i]),
                novelty=novelty[i],
            )
            for i in range(count)
        ]

    def _compute(self, samples: Tensor, present: Tensor) -> Outputs:
        try:
            raw = self._pipeline.run(samples, present)
        except RuntimeError as error:  # torch's word for every failed computation
            raise ModelFaultError("the model could not compute a batch.") from error
        numbers = raw.numpy().astype(np.float64)  # (B, L + 1)
        wanted = (len(samples), len(self.labels) + 1)
        if numbers.shape != wanted or not np.isfinite(numbers).all():
            raise ModelFaultError("the model's answer is not finite.")
        logits = numbers[:, :-1]
        return Outputs(
            logits, probabilities(logits, self.manifest.temperature), numbers[:, -1]
        )

    def _try_canary(self) -> None:
        try:
            logits = canary_logits(self._pipeline, self.manifest)
        except RuntimeError as error:
            raise _canary("the weights do not fit the network") from error
        wanted = np.asarray(self.manifest.canary)
        if logits.shape != wanted.shape or not np.isfinite(logits).all():
            raise _canary("output not finite")
        if not np.allclose(
            logits, wanted, rtol=CANARY_TOLERANCE, atol=CANARY_TOLERANCE
        ):
            raise _canary("output differs from the one when it was trained")


def canary_logits(pipeline: Pipeline, manifest: Manifest) -> NDArray[np.float64]:
    """Logits of one made-up window that every host can make again, shape (labels,)."""
    rows, channels = manifest.rows, len(manifest.channels)
    wave = np.sin(np.outer(np.arange(rows), np.arange(1, channels + 1)) / rows)
    samples = np.asarray(manifest.channel_mean) + wave * manifest.channel_scale
    raw = pipeline.run(
        torch.from_numpy(samples.astype(np.float32))[None],
        torch.ones(1, channels, dtype=torch.bool),
    )
    logits: NDArray[np.float64] = raw.numpy().astype(np.float64)[0, :-1]
    return logits


def _network(artifact: Artifact) -> Network:
    manifest, tensors = artifact.manifest, artifact.tensors
    for tensor in tensors.values():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise _canary("a weight is not finite")
    sizes = Sizes(len(manifest.channels), len(manifest.labels), manifest.members)
    network = build(manifest.network, sizes)
    own = {
        name.removeprefix(NETWORK_PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(NETWORK_PREFIX)
    }
    try:
        network.adopt(own)
        _check_calibration(manifest, tensors)
    except (RuntimeError, KeyError, ValueError) as error:
        raise _canary("the weights do not fit the network") from error
    network.eval()
    network.fold()
    network.requires_grad_(requires_grad=False)
    return network


def _familiar(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[NOVELTY_PREFIX + name] for name in FAMILIAR}


def _check_calibration(manifest: Manifest, tensors: dict[str, Tensor]) -> None:
    """Raises KeyError or ValueError for what would not fit, or would make surer."""
    channels, labels = len(manifest.channels), len(manifest.labels)
    familiar = _familiar(tensors)
    steps = familiar["scores"].shape
    shapes = {
        "feature.mean": (channels, PER_CHANNEL),
        "feature.scale": (channels, PER_CHANNEL),
        "calibration.bias": (labels,),
        "calibration.heat": (channels,),
        "novelty.centre": (channels,),
        "novelty.scale": (channels,),
        "novelty.novelties": tuple(steps),
        **{
            f"novelty.{name}": (channels, DESCRIBED)
            for name in ("middle", "spread", "low", "high")
        },
    }
    wrong = [name for name, shape in shapes.items() if tensors[name].shape != shape]
    if wrong or len(steps) != 1 or not steps[0]:
        raise ValueError("a table has another shape")
    if bool((tensors["calibration.heat"] < 0.0).any()):
        raise ValueError("an absent channel would make the model surer")
    ladder = (familiar["scores"], familiar["novelties"])
    if any(bool((table.diff() < 0.0).any()) for table in ladder):
        raise ValueError("a higher score would be less novel")


def _canary(text: str) -> ArtifactError:
    return ArtifactError(f"{text}.", "ARTIFACT_CANARY")
