"""Plays a recorded cell against the live path: its node, its windows and its people.

The path does not know the difference: windows come in through its inbox, permits leave
through a link, people claim and answer requests, and release what is held by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from coordinator.clock import ManualClock
from coordinator.errors import LiveError
from coordinator.insight.simulated_person import SimulatedPerson
from coordinator.insight.windows import LabelledWindows
from coordinator.live.cell import control
from coordinator.live.path import LivePath
from coordinator.live.request.queue import RequestQueue
from coordinator.live.request.view import view_digest
from coordinator.terms import (
    Actor,
    CellId,
    CellState,
    Digest,
    Family,
    HoldReason,
    IdempotencyKey,
    OperatorRequest,
    Permit,
    PersonId,
    RequestId,
    RequestKind,
    Scene,
    SensorWindow,
    Stand,
    Verdict,
    WindowId,
    WindowKind,
    window_digest,
)

CELL: Final = CellId("recorded")
SESSION: Final = 1
PERSON: Final = Actor(PersonId("simulated-person"), device="backtest")


@dataclass(slots=True)
class RecordingLink:
    """The way to a node that is not there: it remembers what it was told.

    Attributes:
        permits: Given and not yet taken by take_permits().
        told: What became of each window, by its id.
    """

    session_epoch: int = SESSION
    heartbeat_seq: int = 1
    permits: list[Permit] = field(default_factory=list)
    told: dict[WindowId, tuple[Verdict, RequestId | None]] = field(default_factory=dict)

    def permit(self, permit: Permit) -> None:
        """See NodeLink."""
        self.permits.append(permit)

    def withdraw(self, reason: HoldReason, text: str) -> None:
        """See NodeLink; a recorded robot stands already."""

    def reoffer(self) -> None:
        """See NodeLink; a recorded scene cannot be shown again."""

    def want_clip(self, request: OperatorRequest) -> None:
        """See NodeLink; a recording is all there is."""

    def outcome(
        self, window: SensorWindow, verdict: Verdict, request_id: RequestId | None
    ) -> None:
        """See NodeLink."""
        self.told[window.window_id] = (verdict, request_id)

    def take_permits(self) -> list[Permit]:
        """Return the permits that came since the last time."""
        taken, self.permits = self.permits, []
        return taken


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one window.

    Attributes:
        verdict: The path's.
        audited: A person also saw it, though it was decided alone.
        labelled: A person said what it is.
    """

    verdict: Verdict
    audited: bool
    labelled: bool


class RecordedCell:
    """One cell with its node and its people. Not thread-safe, like the path."""

    def __init__(
        self,
        *,
        path: LivePath,
        requests: RequestQueue,
        person: SimulatedPerson,
        family: Family,
    ) -> None:
        self._path = path
        self._requests = requests
        self._person = person
        self._family = family
        self._link = RecordingLink()
        self._calls = 0

    async def start(self) -> None:
        """Connect, and let the person start the cell."""
        self._path.inbox.post(control.Connected(self._link, Scene(Stand.AT_START)))
        await self._settle()
        await self._release()

    async def show(self, number: int, window: SensorWindow, truth: str) -> Shown:
        """Offer one window, and let people do what it takes to go on.

        Args:
            number: Of the window in the recording.
            window: The evidence.
            truth: What was recorded.

        Raises:
            LiveError: the path did not judge it, or the cell does not go on.
        """
        self._path.offer(window)
        await self._settle()
        told = self._link.told.pop(window.window_id, None)
        if told is None:
            raise LiveError(f"window {number} was not judged: {self._said()}")
        verdict, request_id = told
        request = self._requests.get(request_id) if request_id else None
        audited = request is not None and request.kind is RequestKind.AUDIT
        if request is not None:
            await self._answer(request, self._person.say(number, truth))
        if self._path.cell.state is CellState.HELD:
            await self._release()
        if self._path.cell.state not in (CellState.IDLE, CellState.WORKING):
            raise LiveError(f"the cell does not go on: {self._path.cell.status().text}")
        return Shown(verdict, audited, request is not None)

    def _said(self) -> str:
        return self._path.cell.status().text

    async def _answer(self, request: OperatorRequest, label: str) -> None:
        claimed = await self._requests.claim(
            request.request_id, PERSON, self._once(f"claim {request.request_id}")
        )
        answered = await self._requests.answer(
            request.request_id,
            PERSON,
            claim_epoch=claimed.claim_epoch,
            label=label,
            view=view_digest(claimed, self._family),
            once=self._once(f"answer {request.request_id} {label}"),
        )
        self._path.inbox.post(control.Answered(answered, PERSON))
        await self._settle()

    async def _release(self) -> None:
        """Release by name. The part is set aside: its scene cannot be shown again."""
        self._path.inbox.post(
            control.Release(
                actor=PERSON,
                seen=self._path.cell.holds.worst,
                disposition=None,
                note="",
                once=self._once("release"),
                done=None,
            )
        )
        await self._settle()

    async def _settle(self) -> None:
        """Let the path carry everything, and the robot begin what it may."""
        while True:
            while len(self._path.inbox):
                await self._path.step()
            permits = self._link.take_permits()
            if not permits:
                return
            for permit in permits:
                used = control.PermitUsed(permit.permit_id, permit.session_epoch)
                self._path.inbox.post(used)

    def _once(self, call: str) -> IdempotencyKey:
        self._calls += 1
        digest = Digest(hashlib.sha256(call.encode()).hexdigest())
        return IdempotencyKey(PERSON.person, f"call-{self._calls}", digest)


def as_sensor_window(
    windows: LabelledWindows, i: int, group: str, family: Family, clock: ManualClock
) -> SensorWindow:
    """Return window i as a node would have sent it just now.

    The windows of one group share its cycle, so that no split tears them apart.

    Args:
        windows: Of the recording.
        i: Which one, from 0.
        group: Name of its group.
        family: Channels and units.
        clock: The coordinator's.
    """
    samples, present = windows.samples[i], windows.present[i]
    return SensorWindow(
        window_id=WindowId(f"w-{i + 1}"),
        cell_id=CELL,
        kind=WindowKind.DECISION,
        session_epoch=SESSION,
        seq=i + 1,
        cycle=int(windows.group_index[i]) + 1,
        step="recorded",
        part_id=group,
        start_ns=int(windows.start_ns[i]),
        period_ns=windows.period_ns,
        samples=samples,
        present=present,
        digest=window_digest(family.schema_digest, samples, present),
        age_ns=0,
        received_ns=clock.monotonic_ns(),
        cut_at=clock.utc_now(),
        gap_rows=int(windows.gap_rows[i]),
    )


def advance_to(clock: ManualClock, elapsed_ns: int) -> None:
    """Move a clock forward to elapsed_ns after its start; never back."""
    missing_ns = elapsed_ns - clock.monotonic_ns()
    if missing_ns > 0:
        clock.advance(timedelta(microseconds=missing_ns // 1_000))
