"""A simulated person: sees what is asked, thinks for a while, answers, may err.

How it errs: a mistake is another of the plausible answers that the request offers, any
of the family's labels where it offers no other. It is drawn from the seed, the cell and
the cycle alone, so the same cycle gets the same answer whoever answers it and when. An
ambiguous cycle is mistaken twice as often.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from tui.board import Board, LinkLost, fold
from tui.clock import Clock
from tui.errors import NotConnectedError, RefusedError
from tui.evidence import Answer, Answered, Evidence, Release
from tui.ledger import Acknowledged, Ledger
from tui.link import PAUSES_S, Link
from tui.terms import Action, Cell, CellState, HoldReason, Request, RequestKind
from tui.truth import Truth, TruthFiles

TRUTH_S: Final = 5.0
"""How long to wait for a cycle's truth before saying "cannot tell", s."""

_LOOK_S: Final = 0.05
"""Time between two looks for a cycle's truth, s."""

_POLICY_S: Final = 2.0
"""A policy may release a cell that lost its link; a person waits so long, s."""

_REST_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Rest before trying again what was refused, s; the last one is repeated."""

_PART_WAITS: Final = frozenset(
    {
        HoldReason.LOW_CONFIDENCE,
        HoldReason.STALE_DATA,
        HoldReason.BAD_DATA,
        HoldReason.MODEL_FAULT,
        HoldReason.STOP_LABEL,
    }
)
"""Reasons that come with a part about which somebody has to decide."""

_NEVER: Final = frozenset({HoldReason.SAFETY_STOP_SEEN, HoldReason.INTEGRITY})
"""Reasons a simulation does not clear: behind them may be a person in the cell."""
_LEAD_S: Final = 2.0
"""A cell that is not what it was waits so much longer, for the shift lead, s."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the people behave: share of mistakes in [0, 1], thinking time in s."""

    error_rate: float = 0.02
    reaction_s: float = 0.3
    seed: int = 0


@dataclass(slots=True)
class Crew:
    """What the people of one room know of each other.

    Attributes:
        busy: Requests and cells that somebody is at.
        told: Requests that somebody answered, also with "cannot tell".
        refusals: How often in a row a request or cell was refused.
        rests: Until when it is left alone, s.
    """

    truth: TruthFiles
    ledger: Ledger
    habits: Habits
    clock: Clock
    busy: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    refusals: dict[str, int] = field(default_factory=dict)
    rests: dict[str, float] = field(default_factory=dict)

    def free(self, thing: str) -> bool:
        """Whether nobody is at it, and it does not rest."""
        rested = self.clock.monotonic() >= self.rests.get(thing, 0.0)
        return thing not in self.busy and rested

    def rest(self, thing: str, rest_s: float) -> None:
        """Leave the thing alone for a while, s."""
        self.rests[thing] = self.clock.monotonic() + rest_s

    def refuse(self, thing: str, refused: RefusedError) -> None:
        """Count the refusal; each one in a row makes the rest longer."""
        times = self.refusals.get(thing, 0)
        self.refusals[thing] = times + 1
        self.rest(thing, _REST_S[min(times, len(_REST_S) - 1)])
        self.ledger.refused[refused.token] += 1


class SimulatedPerson:
    """One person at one terminal. Not thread-safe: it lives on the event loop."""

    def __init__(self, link: Link, crew: Crew) -> None:
        self._link = link
        self._crew = crew
        self._board = Board()
        self._news = asyncio.Event()
        self._log = structlog.get_logger().bind(person=link.actor.person)

    async def work(self) -> None:
        """Watch and answer until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="watch")
            tasks.create_task(self._serve(), name="serve")

    async def _watch(self) -> None:
        async for event in self._link.watch():
            if isinstance(event, LinkLost) and self._board.connected:
                self._crew.ledger.links_lost += 1
                self._log.warning("link lost", why=event.why)
            self._board = fold(self._board, event)
            self._news.set()

    async def _serve(self) -> None:
        while True:
            self._news.clear()
            thing, errand = self._errand()
            if errand is None:
                # The wait also ends without news: a rest may be over.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_REST_S[0]):
                        await self._news.wait()
                continue
            self._crew.busy.add(thing)
            try:
                await errand
            except RefusedError as refused:
                self._log.info("refused", about=thing, token=refused.token)
                self._crew.refuse(thing, refused)
            except NotConnectedError:
                await asyncio.sleep(PAUSES_S[0])
            finally:
                self._crew.busy.discard(thing)

    def _errand(self) -> tuple[str, Coroutine[None, None, None] | None]:
        """The most urgent thing to do, and what to do about it."""
        board, crew = self._board, self._crew
        if not board.connected:
            return "", None
        for request in board.requests:
            mine = request.claimed_by in {"", self._link.actor.person}
            told = request.request_id in crew.told
            if mine and not told and crew.free(request.request_id):
                return request.request_id, self._answer(request)
        for cell in board.cells.values():
            if self._should_release(cell) and crew.free(cell.cell_id):
                return cell.cell_id, self._release(cell)
        return "", None

    def _should_release(self, cell: Cell) -> bool:
        if cell.state is not CellState.HELD or cell.reason in _NEVER:
            return False
        wait_s = self._crew.habits.reaction_s
        if cell.reason is HoldReason.LINK_LOST:
            wait_s += _POLICY_S
        if cell.reason is HoldReason.IDENTITY:
            wait_s += _LEAD_S
        return self._crew.clock.monotonic() - cell.since_s >= wait_s

    async def _answer(self, request: Request) -> None:
        claim = await self._link.claim(request.request_id, _key())
        evidence = await self._link.look(request.request_id)
        truth = await self._truth_of(request.cell_id, request.cycle)
        await self._think(request)
        label = self._say(evidence, truth)
        answered = await self._send(
            Answer(
                request_id=request.request_id,
                claim_epoch=claim.epoch,
                view_digest=evidence.view_digest,
                label=label,
                key=_key(),
            )
        )
        self._enter(answered, label, truth)

    async def _truth_of(self, cell_id: str, cycle: int) -> Truth | None:
        """The cycle's truth, waiting a little for a line that is not there yet."""
        until_s = self._crew.clock.monotonic() + TRUTH_S
        while True:
            truth = self._crew.truth.find(cell_id, cycle)
            if truth is not None or self._crew.clock.monotonic() >= until_s:
                return truth
            await asyncio.sleep(_LOOK_S)

    async def _think(self, request: Request) -> None:
        spread = self._dice("reaction", request).uniform(0.5, 1.5)
        await asyncio.sleep(self._crew.habits.reaction_s * spread)

    def _say(self, evidence: Evidence, truth: Truth | None) -> str:
        """The label this person gives; "" when it cannot tell."""
        known = [label.name for label in evidence.labels]
        if truth is None or truth.label not in known:
            return ""
        dice = self._dice("answer", evidence.request)
        rate = self._crew.habits.error_rate * (2 if truth.ambiguous else 1)
        if not dice.random() < rate:
            return truth.label
        offered = [choice.label for choice in evidence.choices]
        others = [label for label in offered or known if label != truth.label]
        others = others or [label for label in known if label != truth.label]
        return dice.choice(others) if others else truth.label

    async def _send(self, answer: Answer) -> Answered:
        """Say it until it is heard: the key makes the repetition harmless."""
        tries = 0
        while True:
            try:
                return await self._link.answer(answer)
            except NotConnectedError:
                self._crew.ledger.retried += 1
                await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
                tries += 1

    def _enter(self, answered: Answered, label: str, truth: Truth | None) -> None:
        """Write the acknowledged answer into the ledger."""
        crew, request = self._crew, answered.request
        ledger = crew.ledger
        ledger.answered += 1
        ledger.corrections += answered.correction
        ledger.audits += request.kind is RequestKind.AUDIT
        ledger.mistakes += truth is not None and label not in {"", truth.label}
        ledger.cannot_tell += not label
        crew.told.add(request.request_id)
        at_ns = crew.clock.monotonic_ns()
        ledger.acknowledged.append(Acknowledged(request.request_id, label, at_ns))
        self._log.info("answered", request=request.request_id, label=label)

    async def _release(self, cell: Cell) -> None:
        """Let the cell go; decide about its part where one waits."""
        disposition = Action.NONE
        refusals = self._crew.refusals.get(cell.cell_id, 0)
        # A refusal may mean that no part waits: every other try says nothing of one.
        if cell.reason in _PART_WAITS and refusals % 2 == 0:
            truth = await self._truth_of(cell.cell_id, cell.cycle)
            disposition = self._fate(cell, truth)
        release = Release(cell.cell_id, cell.reason, disposition, _key())
        await self._link.release(release)
        self._crew.refusals.pop(cell.cell_id, None)
        self._crew.rest(cell.cell_id, _REST_S[1])  # until everybody has heard of it
        self._crew.ledger.released += 1
        self._log.info("released", cell=cell.cell_id, disposition=disposition.value)

    def _fate(self, cell: Cell, truth: Truth | None) -> Action:
        """What happens to the part; one that makes a cell stop is put aside."""
        family = self._board.families.get(cell.family)
        label = family.label(truth.label) if family and truth else None
        if label is None:
            return Action.NONE
        return Action.REJECT if label.action is Action.STOP else label.action

    def _dice(self, what: str, request: Request) -> random.Random:
        seed = f"{self._crew.habits.seed}/{what}/{request.cell_id}/{request.cycle}"
        return random.Random(seed)  # noqa: S311 - a play, not a secret


def _key() -> str:
    return uuid.uuid4().hex
