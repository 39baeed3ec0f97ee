"""Load beside, try, record, replace: windows never wait for a new model.

The order is what makes it safe. The model is loaded, verified and warmed up while the
old one answers; the promotion is durable before the slot changes; the change itself is
one assignment. Whatever fails before it leaves the serving model where it is. Where the
disk is slow the slot changes when the promotion is durable, also when its caller was
told that it is late: no restart may bring another model than the one that serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from coordinator import log
from coordinator.errors import (
    ArtifactError,
    LiveError,
    NotFoundError,
    PromotionRefusedError,
)
from coordinator.model.artifact import MANIFEST
from coordinator.model.loaded import BATCH, LoadedModel
from coordinator.model.manifest import MANIFEST_LIMIT
from coordinator.model.slot import ModelSlot
from coordinator.seams import Store
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    Digest,
    Family,
    IdempotencyKey,
    ModelRecord,
    ModelState,
)
from coordinator.terms.events import ModelPromoted, ModelRolledBack

WARM_UP = (1, 2, 8, BATCH)
"""Batch sizes tried before a model serves: a first call of its size is slow."""

_log = log.get("swap")


def load_warm(
    path: Path,
    *,
    version: int,
    expected: Digest,
    family: Family,
    device: torch.device,
) -> LoadedModel:
    """Load a model, verify it, and use it once at every usual batch size; blocking.

    Args:
        path: The artifact's own folder.
        version: Its number in the family.
        expected: The digest under which it was registered.
        family: What it must read and say.
        device: Where to compute.

    Raises:
        ArtifactError: it does not verify, or reads other windows than the family's.
    """
    model = LoadedModel.load(path, version=version, expected=expected, device=device)
    manifest = model.manifest
    if tuple(manifest.channels) != tuple(c.name for c in family.channels):
        raise ArtifactError("the model reads other channels.", "ARTIFACT_MANIFEST")
    if manifest.rows != family.rows:
        raise ArtifactError(
            f"the model reads {manifest.rows} rows, the family has {family.rows}.",
            "ARTIFACT_MANIFEST",
        )
    if unknown := set(manifest.labels) - set(family.label_names):
        raise ArtifactError(
            f"the model says '{min(unknown)}', which the family does not know.",
            "ARTIFACT_MANIFEST",
        )
    shape = (manifest.rows, len(manifest.channels))
    usual = np.broadcast_to(np.asarray(manifest.channel_mean, np.float32), shape)
    try:
        for count in WARM_UP:
            samples = np.broadcast_to(usual, (count, *shape))
            model.evaluate(samples, np.ones((count, shape[1]), np.bool_))
    except LiveError as error:
        raise ArtifactError(error.text, "ARTIFACT_CANARY") from error
    return model


class HotSwap:
    """Changes the slot of one family, and writes it down first.

    Not thread-safe: it lives on the event loop, and one change is made at a time.
    """

    def __init__(
        self,
        *,
        family_now: Callable[[], Family],
        slot: ModelSlot,
        store: Store,
        device: torch.device,
        models_dir: Path,
    ) -> None:
        self._family_now = family_now
        self._slot = slot
        self._store = store
        self._device = device
        self._models_dir = models_dir
        self._changing = asyncio.Lock()

    async def resume(self) -> str:
        """Serve what the store says is serving, verified again; return a sentence.

        What does not verify does not serve: people are asked until one decides.
        """
        record = await self._store.serving(self._family_now().family_id)
        if record is None:
            return "no model yet."
        try:
            self._slot.restore(await self._load(record))
        except ArtifactError as error:
            _log.error("serving_model_refused", code=error.code, text=error.text)
            return f"version {record.version} does not verify: {error.text}"
        return f"version {record.version} serves again."

    async def promote(
        self, digest: Digest, actor: Actor, once: IdempotencyKey | None = None
    ) -> str:
        """Let a model serve from the next window on; return a sentence.

        Args:
            digest: The model.
            actor: Who lets it.
            once: Makes a repeated call harmless: the first sentence is said again.

        Raises:
            NotFoundError: the family has no such model.
            PromotionRefusedError: it did not pass, serves already, or another model
                began to serve meanwhile.
            ArtifactError: its file does not verify; the serving model stays.
            StoreLateError: it is not known yet whether it is recorded; the serving
                model stays until it is.
            StoreDegradedError: it could not be recorded; the serving model stays.
        """
        async with self._changing:
            if (said := await self._said(once)) is not None:
                return said
            record = await self.record(digest)
            serving = await self._serving()
            if record.state in (ModelState.CANDIDATE, ModelState.REFUSED):
                raise PromotionRefusedError(f"version {record.version} did not pass.")
            if serving == digest:
                raise PromotionRefusedError(f"version {record.version} serves already.")
            model = await self._load(record)
            text = f"version {record.version} serves, by {actor.person}."
            family = record.family
            await self._store.commit(
                ModelPromoted(digest, family, serving, actor, text),
                once=once,
                reply=text,
                then=lambda _: self._slot.replace(model),
            )
        _log.info("model_promoted", version=record.version, actor=actor.person)
        return text

    async def roll_back(self, actor: Actor, once: IdempotencyKey | None = None) -> str:
        """Let the model before serve again, or people be asked; return a sentence.

        Args:
            actor: Who wants it.
            once: Makes a repeated call harmless: it would roll back twice.

        Raises:
            PromotionRefusedError: no model serves.
            StoreDegradedError: it could not be recorded; the serving model stays.
        """
        async with self._changing:
            if (said := await self._said(once)) is not None:
                return said
            family = self._family_now().family_id
            serving = await self._serving()
            if not serving:
                raise PromotionRefusedError(
                    "no model serves; people are asked already."
                )
            before = self._slot.served.previous or await self._older()
            digest = NO_DIGEST if before is None else before.digest
            where = "people are asked" if before is None else f"to {before.version}"
            text = f"rolled back by {actor.person}: {where}."
            await self._store.commit(
                ModelRolledBack(serving, family, digest, actor, text),
                once=once,
                reply=text,
                then=lambda _: self._slot.restore(before),
            )
        _log.warning("model_rolled_back", actor=actor.person, text=text)
        return text

    async def record(self, digest: Digest) -> ModelRecord:
        """Return what the store knows of a model; raises NotFoundError."""
        for record in await self._store.models(self._family_now().family_id):
            if record.digest == digest:
                return record
        raise NotFoundError(f"there is no model {digest[:16]}.", "UNKNOWN_MODEL")

    async def manifest_json(self, digest: Digest) -> str:
        """Return what a model says about itself.

        Raises:
            NotFoundError: the family has no such model, or its file is gone.
        """
        await self.record(digest)
        path = self._models_dir / digest / MANIFEST
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise NotFoundError("the model's file is gone.") from error
        return content[:MANIFEST_LIMIT].decode("utf-8", "replace")

    async def _said(self, once: IdempotencyKey | None) -> str | None:
        return None if once is None else await self._store.replied(once)

    async def _load(self, record: ModelRecord) -> LoadedModel:
        return await asyncio.to_thread(
            load_warm,
            self._models_dir / record.digest,
            version=record.version,
            expected=record.digest,
            family=self._family_now(),
            device=self._device,
        )

    async def _serving(self) -> Digest:
        record = await self._store.serving(self._family_now().family_id)
        return NO_DIGEST if record is None else record.digest

    async def _older(self) -> LoadedModel | None:
        """The newest retired model that still verifies; None when there is none."""
        for record in await self._store.models(self._family_now().family_id):
            if record.state is ModelState.RETIRED:
                try:
                    return await self._load(record)
                except ArtifactError as error:
                    _log.error(
                        "older_model_refused", version=record.version, text=error.text
                    )
        return None
