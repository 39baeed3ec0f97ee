"""A real coordinator with its page, on real ports, and cells that really ask."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.config import Settings, from_mapping
from coordinator.people.pins import PinHasher
from coordinator.terms import (
    NO_DIGEST,
    Digest,
    FamilyId,
    ModelRecord,
    ModelState,
    Prediction,
    RunId,
    SensorWindow,
    events,
)
from tests.link.proxy import Harm, Proxy, Weather
from tests.tablet.cell import CHANNELS, ROWS, SOON_S, Cell, until
from tests.tablet.desk import PIN, add_person, desk

__all__ = ["ATTACK", "GERMAN", "PIN", "SOON_S", "Plant", "plant_of", "until"]

PEG = FamilyId("peg")
ATTACK = "<img src=x onerror=document.title='owned'>"
"""Text of a label: the page must show it and not obey it."""
LABELS = [
    ("collision", "stop", "collision"),
    ("misaligned", "rework", "misaligned insertion"),
    ("grip_slip", "rework", "part slipped in the gripper"),
    ("missing_part", "reject", "no part"),
    ("ok", "continue", "good"),
    ("scratched", "reject", ATTACK),
]
URGENT = "missing_part"
"""An answer with it is final at once."""
GERMAN = {"misaligned": "verkantet", "ok": "gut", "force_z": "Kraft z"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path, cells: int, **more: Any) -> Settings:
    """A plant of one family; sections given as keywords are added to."""
    plain: dict[str, Any] = {
        "coordinator": {
            "listen": "127.0.0.1:0",
            "data_dir": folder,
            "device": "cpu",
        },
        "service": {"web_port": free_port()},
        "gate": {"maximum_age_s": 5.0, "audit_share": 0.0},
        "policies": {"autostart": True},
        "requests": {"undo_s": 0.0, "deadline_s": 120.0},
        "people": {"blind_share": 0.0},
        "words": {"de": GERMAN},
        "families": {
            "peg": {
                "rows": ROWS,
                "default_label": "ok",
                "labels": [
                    {
                        "name": name,
                        "action": action,
                        "text": text,
                        "urgent": name == URGENT,
                    }
                    for name, action, text in LABELS
                ],
                "channels": [
                    {"name": name, "unit": unit, "minimum": low, "maximum": high}
                    for name, unit, low, high in CHANNELS
                ],
            }
        },
        "cells": {f"press-{n + 1}": {"family": "peg"} for n in range(cells)},
    }
    for section, keys in more.items():
        plain[section] = {**plain.get(section, {}), **keys}
    return from_mapping(plain)


@dataclasses.dataclass
class Plant:
    """A served coordinator, its cells, and the line that tablets reach it by."""

    settings: Settings
    coordinator: Coordinator
    running: asyncio.Task[int]
    grpc_address: str
    proxy: Proxy
    url: str
    folder: Path
    cells: dict[str, Cell] = dataclasses.field(default_factory=dict)

    @property
    def family(self) -> Any:
        return self.coordinator.plant.vocabulary.family(PEG)

    def questions(self) -> list[Any]:
        return list(self.coordinator.plant.requests.all_open())

    def request(self, request_id: str) -> Any:
        return next(one for one in self.questions() if one.request_id == request_id)

    def question_of(self, cell: str) -> Any:
        return next(one for one in self.questions() if one.cell_id == cell)

    async def restart(self) -> None:
        """Stop the coordinator and start it again; the cells stay away."""
        for cell in self.cells.values():
            await cell.end()
        self.cells.clear()
        await stop(self.coordinator, self.running)
        self.coordinator = Coordinator(self.settings, SystemClock())
        self.running, self.grpc_address = await start(self.coordinator)

    def cut(self) -> None:
        """Cut the tablets' line; the cells' lines stay."""
        self.proxy.become(Weather(Harm.RESET))

    def mend(self) -> None:
        self.proxy.heal()

    async def answers(self, request_id: str) -> list[Any]:
        """What the journal says was answered to a request."""
        entries = await self.coordinator.plant.store.entries(0, 100_000)
        return [
            entry
            for entry in entries
            if entry.kind == "RequestAnswered" and request_id in entry.payload_json
        ]

    async def add_person(self, person: str, role: str = "operator") -> None:
        """Give somebody an account, as who owns the coordinator's files."""
        await add_person(self, person, role)

    async def answer(
        self, request_id: str, label: str, person: str = "ben", **claim: bool
    ) -> None:
        """Let somebody answer at another device, logged in where that is needed."""
        async with desk(self, person) as there:
            await there.answer(request_id, label, **claim)

    async def claim(self, request_id: str, person: str = "ben") -> None:
        """Let somebody take a question at another device."""
        async with desk(self, person) as there:
            await there.claim(request_id)

    async def label_some(self, count: int, clip: bytes = b"") -> None:
        """Let ben answer about so many parts: windows for a second opinion.

        Args:
            count: Parts.
            clip: Recording of each; none when it is empty.
        """
        cell = self.cells["press-1"]
        for number in range(count):
            permits = len(cell.permits) + 1
            asked = await cell.ask("misaligned", part=f"T-{number}")
            if clip:
                await cell.bring_clip(clip)
            await self.answer(asked, URGENT)
            await until(partial(_has, cell.permits, permits))

    async def train(self, *models: tuple[int, str, float, float]) -> None:
        """Store models as if they had been trained; none of them serves.

        Args:
            models: Of each: examples, why it was refused or "", the shares it would
                decide alone and would get wrong.
        """
        for version, (examples, refused, coverage, risk) in enumerate(models, 1):
            record = ModelRecord(
                digest=Digest(f"{version:064x}"),
                family=PEG,
                version=version,
                state=ModelState.CANDIDATE,
                run_id=RunId(f"run-{version}"),
                trained_at=SystemClock().utc_now(),
                training_s=4.0,
                examples=examples,
                snapshot_digest=Digest("5a" * 32),
                parent=NO_DIGEST,
                network="small",
            )
            kept = (record.digest, PEG)
            told = {"coverage": coverage, "risk": risk}
            judged = (
                events.ModelRefused(*kept, (refused,), told)
                if refused
                else events.ModelValidated(*kept, "passed its validation.", told)
            )
            await self.coordinator.plant.store.commit(
                events.ModelRegistered(record), judged
            )

    def believe(self, label: str, confidence: float) -> None:
        """Let a model think so of every window from now on."""
        names = self.family.label_names
        rest = (1.0 - confidence) / (len(names) - 1)
        shares = tuple(confidence if name == label else rest for name in names)
        logits = tuple(math.log(share) for share in shares)
        made = Prediction(Digest("5e" * 32), tuple(names), logits, shares, 0.5)

        async def predict(window: SensorWindow, family: FamilyId) -> Prediction:
            del window, family
            return made

        self.coordinator._worker.predict = predict  # type: ignore[method-assign]


@asynccontextmanager
async def plant_of(
    folder: Path, *, cells: int = 3, **more: Any
) -> AsyncIterator[Plant]:
    """Serve until the block ends."""
    chosen = settings(folder, cells, **more)
    coordinator = Coordinator(chosen, SystemClock())
    running, address = await start(coordinator)
    proxy = Proxy(chosen.service.web_port)
    url = f"http://127.0.0.1:{await proxy.start()}/"
    plant = Plant(chosen, coordinator, running, address, proxy, url, folder)
    try:
        plant.cells |= {name: Cell(plant, name) for name in chosen.cells}
        await asyncio.gather(*(cell.begin() for cell in plant.cells.values()))
        yield plant
    finally:
        await asyncio.gather(*(cell.end() for cell in plant.cells.values()))
        await proxy.close()
        await stop(plant.coordinator, plant.running)


async def start(coordinator: Coordinator) -> tuple[asyncio.Task[int], str]:
    """Open and run a coordinator; the task that runs it, and its address."""
    await coordinator.open()
    # A PIN costs as little as it can: here nobody tries to guess one.
    coordinator.plant.people.accounts.hasher = PinHasher(passes=1, memory_kib=64)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(coordinator.run(ready.set_result))
    async with asyncio.timeout(SOON_S):
        return running, await ready


async def stop(coordinator: Coordinator, running: asyncio.Task[int]) -> None:
    """Stop a coordinator; it ends as it ought to."""
    coordinator.stop()
    async with asyncio.timeout(SOON_S):
        assert await running == 0
        await coordinator.close()


def _has(found: list[Any], count: int) -> bool:
    return len(found) >= count
