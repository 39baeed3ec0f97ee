"""Labelling parties over a real store: judged windows in clusters, people, a clock."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS, ManualClock
from coordinator.learning.correction.party import Lent, Party
from coordinator.learning.correction.records import Said
from coordinator.learning.correction.teach import Teaching, view_digest
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    AuditCoin,
    CellId,
    Decision,
    DecisionId,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    Prediction,
    SensorWindow,
    Verdict,
    WindowId,
    WindowKind,
    events,
    new_id,
)
from coordinator.terms.teaching import OpinionId
from tests.builders import (
    ANA,
    BEN,
    CHANNELS,
    FAMILY,
    NOON,
    PEG,
    ROWS,
    make_key,
    make_prediction,
    make_window,
)

CEM = Actor(ANA.person.__class__("cem"), "panel-3")
LEASE_S = 60
NOT_DRAWN = AuditCoin(0.05, drawn=False)


def nobody_kept(groups: Any) -> NDArray[np.bool_]:
    return np.zeros(len(groups), np.bool_)


def samples_like(kind: int, seed: int) -> NDArray[np.float32]:
    """Windows of one kind are nearly the same: (rows, channels)."""
    course = np.random.default_rng(kind).uniform(0.3, 0.7, (ROWS, len(CHANNELS)))
    noise = np.random.default_rng(1000 + seed).uniform(-0.01, 0.01, course.shape)
    lows = np.array([c.minimum for c in CHANNELS])
    highs = np.array([c.maximum for c in CHANNELS])
    return np.asarray(lows + (highs - lows) * (course + noise), np.float32)


def judged(
    window: SensorWindow,
    said: Prediction | None = None,
    decision: Decision = Decision.ACT,
    coin: AuditCoin = NOT_DRAWN,
) -> events.WindowDecided:
    return events.WindowDecided(
        decision_id=DecisionId(new_id("d")),
        window_id=window.window_id,
        cell_id=window.cell_id,
        family=PEG,
        epoch=1,
        kind=window.kind,
        cycle=window.cycle,
        step=window.step,
        part_id=window.part_id,
        window_digest=window.digest,
        verdict=Verdict(decision, decision.value.upper(), "because.", said),
        coin=coin,
        gate_digest=NO_DIGEST,
        age_ns=0,
    )


class TeachWorld:
    """One family's party over one store; restarted() is a coordinator after kill -9."""

    def __init__(self, store: Store, clock: ManualClock, **facts: Any) -> None:
        self.store = store
        self.clock = clock
        self.busy: set[WindowId] = set()
        self.facts = facts
        self.party = Party(
            PEG,
            clock=clock,
            lease_ns=LEASE_S * SECOND_NS,
            kept_apart=facts.get("kept_apart", nobody_kept),
            busy=lambda: self.busy,
        )
        self.teaching = Teaching(
            {PEG: self.party}, store=store, clock=clock, family_of=lambda _f: FAMILY
        )

    @classmethod
    async def open(cls, path: Path | None = None, **facts: Any) -> Self:
        clock = ManualClock(NOON)
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        return cls(store, clock, **facts)

    def restarted(self) -> Self:
        return type(self)(self.store, self.clock, **self.facts)

    async def close(self) -> None:
        await self.store.close()

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    # -- what happens ----------------------------------------------------------------

    async def put(
        self,
        kind: int = 0,
        *,
        seed: int = 0,
        said: Prediction | None = None,
        decision: Decision = Decision.ACT,
        **changes: Any,
    ) -> SensorWindow:
        """A window that the gate judged and the store kept."""
        facts = {"samples": samples_like(kind, seed), **changes}
        if facts.get("kind") is WindowKind.MONITOR:
            facts.pop("samples")
        window = make_window(**facts)
        await self.store.commit(judged(window, said, decision), window=window)
        return window

    async def put_many(
        self, count: int, *, first: int = 0, **facts: Any
    ) -> list[SensorWindow]:
        """So many windows, each of a kind of its own."""
        kinds = range(first, first + count)
        return [await self.put(kind, seed=kind, **facts) for kind in kinds]

    async def lend(self, who: Actor = ANA, count: int = 1, **how: Any) -> list[Lent]:
        await self.teaching.party(PEG)
        return self.party.lend(who.person, count, **how)

    async def say(
        self,
        window_id: WindowId,
        label: str,
        who: Actor = ANA,
        *,
        key: str | None = None,
        alike: Digest = NO_DIGEST,
    ) -> OpinionId:
        await self.teaching.party(PEG)
        digest = (await self.store.window(window_id)).digest
        said = Said(window_id, label, view_digest(digest, FAMILY), alike)
        once = make_key(f"{window_id} {label}", key=key, by=who)
        return (await self.teaching.say(PEG, said, who, once)).opinion_id

    async def undo(self, opinion_id: OpinionId, who: Actor = ANA) -> WindowId:
        return await self.teaching.take_back(PEG, opinion_id, who, make_key(by=who))

    async def decide(self, window_id: WindowId, label: str, who: Actor = CEM) -> None:
        digest = (await self.store.window(window_id)).digest
        said = Said(window_id, label, view_digest(digest, FAMILY))
        await self.teaching.decide(PEG, said, who, make_key(by=who), note="looked.")

    async def answered(
        self,
        window: SensorWindow,
        label: str = "ok",
        who: Actor = ANA,
        source: ExampleSource = ExampleSource.AUDIT,
    ) -> ExampleId:
        """What the question queue writes when a person answered about a window."""
        example_id = ExampleId(new_id("e"))
        example = Example(
            example_id=example_id,
            family=PEG,
            cell_id=window.cell_id,
            window_id=window.window_id,
            window_digest=window.digest,
            group=f"{window.cell_id}/{window.cycle}",
            label=label,
            person=who.person,
            device=who.device,
            labelled_at=self.clock.utc_now(),
            source=source,
            propensity=0.05 if source is ExampleSource.AUDIT else 1.0,
            model_digest=NO_DIGEST,
            guess="",
        )
        await self.store.commit(events.ExampleAdded(example))
        return example_id

    # -- what is to be seen ----------------------------------------------------------

    async def learned(self) -> dict[WindowId, list[str]]:
        """What a training of now would see: labels by window."""
        found: dict[WindowId, list[str]] = {}
        for example, window in await self.store.example_windows(PEG):
            found.setdefault(window.window_id, []).append(example.label)
        return found

    async def journal(self) -> list[events.Event]:
        entries = await self.store.entries(0, 100_000)
        return [decode(entry.kind, entry.payload_json) for entry in entries]


__all__ = ["ANA", "BEN", "CEM", "CellId", "TeachWorld", "make_prediction"]
