"""A small coordinator over real gRPC: it really keeps claims, epochs and keys.

What it knows outlives `stop`, as a store would, so that it can be started again on the
same port. `python -m tests.tui.fake_plant` lets three cells run behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc

from andon.v1 import (
    insight_pb2_grpc,
    learning_pb2_grpc,
    operator_pb2,
    operator_pb2_grpc,
    terms_pb2,
)
from tests.tui import fake_windows
from tests.tui.fake_hands import Context, FakeHands, refuse
from tests.tui.fake_insight import FakeInsight
from tests.tui.fake_state import Asked, FakeState, duration

CLIP_PIECE = 256 << 10


class FakeCoordinator(FakeHands, FakeState, operator_pb2_grpc.OperatorServiceServicer):
    """The state, and the calls that people's clients make on it."""

    def __init__(self, *, port: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.port = port
        self.insight = FakeInsight()
        self._server: grpc.aio.Server | None = None
        self._expiring: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Serve, on the port of the last time if there was one; returns the address."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        operator_pb2_grpc.add_OperatorServiceServicer_to_server(self, self._server)
        learning_pb2_grpc.add_LearningServiceServicer_to_server(
            self.learning, self._server
        )
        insight_pb2_grpc.add_InsightServiceServicer_to_server(
            self.insight, self._server
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        self._expiring = asyncio.create_task(self._expire())
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Die; what is known stays known."""
        if self._expiring is not None:
            self._expiring.cancel()
            await asyncio.gather(self._expiring, return_exceptions=True)
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
        self.people.clear()

    async def _expire(self) -> None:
        """Let deadlines and claims pass."""
        while True:
            now_s = time.monotonic()
            for asked in list(self.requests.values()):
                if asked.summary.outcome:
                    continue
                if asked.deadline_s <= now_s:
                    asked.summary.outcome = terms_pb2.OUTCOME_TIMED_OUT
                    self.changed(asked)
                    if asked.summary.kind == operator_pb2.REQUEST_KIND_QUESTION:
                        self.put_cell(
                            asked.summary.cell_id,
                            "HELD",
                            "LOW_CONFIDENCE",
                            text="nobody answered in time",
                            request_id="",
                        )
                elif asked.summary.claimed_by and asked.claim_until_s <= now_s:
                    asked.summary.claimed_by = ""
                    self.changed(asked)
            await asyncio.sleep(0.05)

    async def Watch(
        self, request: operator_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[operator_pb2.WatchResponse]:
        waiting: asyncio.Queue[operator_pb2.WatchResponse] = asyncio.Queue()
        self.watchers.append(waiting)
        if request.answering:
            self.people.append(request.actor.person)
            self.tell_presence()
        try:
            yield operator_pb2.WatchResponse(snapshot=self.snapshot())
            while True:
                try:
                    async with asyncio.timeout(self.tick_s):
                        change = await waiting.get()
                    yield change
                except TimeoutError:
                    yield operator_pb2.WatchResponse(tick=operator_pb2.Tick())
        finally:
            self.watchers.remove(waiting)
            if request.actor.person in self.people:
                self.people.remove(request.actor.person)

    async def GetRequest(
        self, request: operator_pb2.GetRequestRequest, context: Context
    ) -> operator_pb2.GetRequestResponse:
        asked = await self._find(request.request_id, context)
        response = operator_pb2.GetRequestResponse()
        response.CopyFrom(asked.response)
        response.summary.CopyFrom(self.summary(asked))
        return response

    async def Claim(
        self, request: operator_pb2.ClaimRequest, context: Context
    ) -> operator_pb2.ClaimResponse:
        self.calls.append(f"claim {request.request_id}")
        asked = await self._open(request.request_id, context)
        holder = asked.summary.claimed_by
        if holder not in {"", request.actor.person} and not request.take_over:
            await refuse(context, "CLAIMED_BY", f"{holder} is answering this request.")
        asked.summary.claimed_by = request.actor.person
        asked.summary.claim_epoch += 1
        asked.claim_until_s = time.monotonic() + self.lease_s
        self.changed(asked)
        return operator_pb2.ClaimResponse(
            claim_epoch=asked.summary.claim_epoch,
            lease=duration(self.lease_s),
            summary=self.summary(asked),
        )

    async def RenewClaim(
        self, request: operator_pb2.RenewClaimRequest, context: Context
    ) -> operator_pb2.RenewClaimResponse:
        self.calls.append(f"renew {request.request_id}")
        asked = await self._mine(request, context)
        asked.claim_until_s = time.monotonic() + self.lease_s
        return operator_pb2.RenewClaimResponse(lease=duration(self.lease_s))

    async def ReleaseClaim(
        self, request: operator_pb2.ReleaseClaimRequest, context: Context
    ) -> operator_pb2.ReleaseClaimResponse:
        self.calls.append(f"give back {request.request_id}")
        asked = await self._mine(request, context)
        asked.summary.claimed_by = ""
        self.changed(asked)
        return operator_pb2.ReleaseClaimResponse()

    async def Answer(
        self, request: operator_pb2.AnswerRequest, context: Context
    ) -> operator_pb2.AnswerResponse:
        said = request.label or "cannot tell"
        self.calls.append(f"answer {request.request_id} {said}")
        reply: operator_pb2.AnswerResponse | None = await self._same(request, context)
        if reply is None:
            reply = self._take(request, await self._mine(request, context))
            self._keep(request, reply)
        if self.lose_replies > 0:
            self.lose_replies -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        return reply

    def _take(
        self, request: operator_pb2.AnswerRequest, asked: Asked
    ) -> operator_pb2.AnswerResponse:
        summary = asked.summary
        actions = {name: action for name, action, _ in fake_windows.LABELS}
        action = actions.get(request.label, terms_pb2.ACTION_UNSPECIFIED)
        moves_on = summary.kind == operator_pb2.REQUEST_KIND_QUESTION
        if request.cannot_tell:
            summary.level, summary.claimed_by, moves_on = 1, "", False
        else:
            summary.outcome = terms_pb2.OUTCOME_ANSWERED
            summary.label, summary.answered_by = request.label, request.actor.person
            asked.undo_until_s = time.monotonic() + self.undo_s
            self.learning.learn_one()
        self.changed(asked)
        if moves_on and action == terms_pb2.ACTION_STOP:
            text = f"{request.actor.person} says {request.label}: a person must look"
            self.put_cell(
                summary.cell_id, "HELD", "STOP_LABEL", text=text, request_id=""
            )
        elif moves_on:
            self.put_cell(summary.cell_id, "WORKING", request_id="")
        return operator_pb2.AnswerResponse(
            summary=self.summary(asked),
            correction=bool(request.label) and summary.guess not in {"", request.label},
            action=action,
            undo_within=duration(self.undo_s if request.label else 0),
            cell_moves_on=moves_on,
        )

    async def UndoAnswer(
        self, request: operator_pb2.UndoAnswerRequest, context: Context
    ) -> operator_pb2.UndoAnswerResponse:
        self.calls.append(f"undo {request.request_id}")
        asked = await self._find(request.request_id, context)
        if not time.monotonic() < asked.undo_until_s:
            await refuse(context, "UNDO_TOO_LATE", "The cell has moved on already.")
        asked.summary.outcome = terms_pb2.OUTCOME_UNSPECIFIED
        asked.summary.label = asked.summary.answered_by = ""
        asked.summary.claimed_by = ""
        self.put_cell(
            asked.summary.cell_id, "ASKING", request_id=asked.summary.request_id
        )
        self.changed(asked)
        return operator_pb2.UndoAnswerResponse(summary=self.summary(asked))

    async def Hold(
        self, request: operator_pb2.HoldRequest, context: Context
    ) -> operator_pb2.HoldResponse:
        held = [request.cell_id] if request.cell_id else list(self.cells)
        self.calls.append(f"hold {' '.join(held)}")
        if not set(held) <= set(self.cells):
            await refuse(context, "NOT_FOUND", f"There is no cell {request.cell_id}.")
        for cell_id in held:
            text = f"{request.actor.person} pulled the cord"
            self.put_cell(cell_id, "HELD", "OPERATOR_HOLD", text=text)
        return operator_pb2.HoldResponse(cells=held, recorded=not self.never_recorded)

    async def SetMaintenance(
        self, request: operator_pb2.SetMaintenanceRequest, context: Context
    ) -> operator_pb2.SetMaintenanceResponse:
        word = "on" if request.maintenance else "off"
        self.calls.append(f"maintenance {request.cell_id} {word}")
        state = "MAINTENANCE" if request.maintenance else "HELD"
        reason = "UNSPECIFIED" if request.maintenance else "OPERATOR_HOLD"
        self.put_cell(request.cell_id, state, reason, text="by hand")
        return operator_pb2.SetMaintenanceResponse(cell=self.cell(request.cell_id))

    async def ReleaseHold(
        self, request: operator_pb2.ReleaseHoldRequest, context: Context
    ) -> operator_pb2.ReleaseHoldResponse:
        fate = terms_pb2.Action.Name(request.disposition).removeprefix("ACTION_")
        self.calls.append(f"release {request.cell_id} {fate}")
        cell = self.cells[request.cell_id]
        if cell.state != terms_pb2.CELL_STATE_HELD:
            await refuse(context, "ILLEGAL_TRANSITION", f"{cell.cell_id} is not held.")
        if request.expected_reason < cell.reason:
            now = terms_pb2.HoldReason.Name(cell.reason).removeprefix("HOLD_REASON_")
            text = f"{cell.cell_id} is held for a worse reason by now: {now}."
            await refuse(context, "RELEASE_REFUSED", text)
        self.put_cell(request.cell_id, "WORKING", request_id="")
        return operator_pb2.ReleaseHoldResponse(cell=self.cell(request.cell_id))

    async def GetClip(
        self, request: operator_pb2.GetClipRequest, context: Context
    ) -> AsyncIterator[operator_pb2.GetClipResponse]:
        self.calls.append(f"clip {request.clip_id}")
        content = self.clips.get(request.clip_id)
        if content is None:
            text = f"no clip {request.clip_id} is stored."
            await refuse(context, "NOT_FOUND", text, grpc.StatusCode.NOT_FOUND)
        info = operator_pb2.ClipInfo(
            clip_id=request.clip_id,
            bytes=len(content),
            clip_digest=hashlib.sha256(content).hexdigest(),
        )
        content = content[: len(content) - self.spoil_clips]
        for at in range(0, len(content), CLIP_PIECE):
            piece = content[at : at + CLIP_PIECE]
            yield operator_pb2.GetClipResponse(chunk=piece, clip=None if at else info)

    async def _find(self, request_id: str, context: Context) -> Asked:
        asked = self.requests.get(request_id)
        if asked is None:
            text = f"There is no request {request_id}."
            await refuse(context, "NOT_FOUND", text, grpc.StatusCode.NOT_FOUND)
        return asked

    async def _open(self, request_id: str, context: Context) -> Asked:
        asked = await self._find(request_id, context)
        if asked.summary.outcome:
            by = asked.summary.answered_by or "the clock"
            await refuse(context, "REQUEST_CLOSED", f"It was ended by {by} already.")
        return asked

    async def _mine(self, request: Any, context: Context) -> Asked:
        """The open request, if the caller holds its newest claim and saw what it is."""
        asked = await self._open(request.request_id, context)
        holder = asked.summary.claimed_by
        if holder != request.actor.person:
            text = f"{holder or 'Nobody'} holds this request, not you."
            await refuse(context, "NOT_YOUR_CLAIM", text)
        if request.claim_epoch != asked.summary.claim_epoch:
            await refuse(context, "STALE_EPOCH", "Your claim is an old one.")
        shown = getattr(request, "view_digest", asked.response.view_digest)
        if shown != asked.response.view_digest:
            await refuse(context, "VIEW_CHANGED", "The scene is not the one you saw.")
        return asked

    async def _same(self, request: Any, context: Context) -> Any:
        """The reply to the same call with the same key, if there was one."""
        kept = self.replies.get((request.actor.person, request.idempotency_key))
        if kept is None:
            return None
        content, reply = kept
        if content != request.SerializeToString(deterministic=True):
            code = grpc.StatusCode.ALREADY_EXISTS
            await refuse(context, "KEY_REUSED", "This key was used before.", code)
        return reply

    def _keep(self, request: Any, reply: Any) -> None:
        content = request.SerializeToString(deterministic=True)
        self.replies[request.actor.person, request.idempotency_key] = (content, reply)


def make_coordinator(**settings: Any) -> FakeCoordinator:
    """A coordinator that knows every call the terminal makes, and no others."""
    return FakeCoordinator(**settings)  # type: ignore[abstract]
