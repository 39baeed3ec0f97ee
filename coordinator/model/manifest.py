"""What an artifact says about itself: canonical JSON, checked before it is believed."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Final, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coordinator.errors import ArtifactError
from coordinator.terms import Digest

MANIFEST_LIMIT: Final = 1_048_576
"""Greatest manifest, bytes."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Manifest(BaseModel):
    """Everything about a model that is not a tensor; its digest names the model.

    Attributes:
        version: Of this format; others are refused.
        files: SHA-256 of every other file of the artifact.
        network: Name in the fixed list of networks.
        members: Networks that answer as one.
        family: Family it was trained for.
        channels: Names in the order of the samples.
        rows: Samples of a window.
        labels: Names in the order of the outputs.
        channel_mean: Of every channel, in its unit.
        channel_scale: Of every channel, in its unit.
        temperature: Divides the logits.
        false_ask: Share of familiar windows that may be called novel.
        canary: Logits of the canary window when the model was written.
        snapshot: Digest of the examples it was trained on.
        split: Rule by which examples were kept from training.
        examples: How many it was trained on.
        seed: Of the training.
        metrics: Of the training, by name.
        parent: Model it was started from; "" for none.
        commit: Code that trained it; "" where it is not known.
        torch: Version that trained it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: Literal[2] = 2
    files: dict[str, Sha256]
    network: Name
    members: Annotated[int, Field(ge=1, le=64)]
    family: Name
    channels: Annotated[list[Name], Field(min_length=1, max_length=256)]
    rows: Annotated[int, Field(ge=2, le=4096)]
    labels: Annotated[list[Name], Field(min_length=2, max_length=64)]
    channel_mean: list[Finite]
    channel_scale: list[Annotated[Finite, Field(gt=0.0)]]
    temperature: Annotated[Finite, Field(gt=0.0)]
    false_ask: Annotated[Finite, Field(gt=0.0, lt=1.0)]
    canary: list[Finite]
    snapshot: Sha256
    split: Name
    examples: Annotated[int, Field(ge=1)]
    seed: int
    metrics: dict[str, Finite]
    parent: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    commit: Annotated[str, Field(max_length=64)]
    torch: Annotated[str, Field(max_length=64)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, sizes in (
            ("channels", (len(self.channel_mean), len(self.channel_scale))),
            ("labels", (len(self.canary),)),
        ):
            wanted = len(getattr(self, what))
            if any(size != wanted for size in sizes):
                raise ValueError(f"a list does not have one number for each of {what}")
        for names in (self.channels, self.labels):
            if len(set(names)) != len(names):
                raise ValueError("a name occurs twice")
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same manifest is always the same bytes."""
        return json.dumps(
            self.model_dump(mode="json"),
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        ).encode()


def manifest_digest(content: bytes) -> Digest:
    """SHA-256 of the manifest: the model's name."""
    return Digest(hashlib.sha256(content).hexdigest())


def parse(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ArtifactError: it is too large, not JSON, not canonical, or does not say what a
            manifest must say.
    """
    if len(content) > MANIFEST_LIMIT:
        raise _refused(f"{len(content)} bytes, limit {MANIFEST_LIMIT}")
    try:
        raw = json.loads(
            content, object_pairs_hook=_no_twins, parse_constant=_no_constant
        )
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])[:40]
        raise _refused(f"{where or 'manifest'}: {problem['msg'][:80]}") from error
    except RecursionError as error:
        raise _refused("it is nested too deeply") from error
    except ValueError as error:  # not JSON, not UTF-8, twins, NaN
        raise _refused(str(error)[:80]) from error
    if manifest.to_bytes() != content:
        raise _refused("it is not in canonical form")
    return manifest


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _refused(text: str) -> ArtifactError:
    printable = text.encode("ascii", "replace").decode()
    return ArtifactError(f"the manifest is refused: {printable}.", "ARTIFACT_MANIFEST")
