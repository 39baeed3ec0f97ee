"""The link to the coordinator: the only module of the terminal that speaks gRPC.

With `convert`, its dictionary, the only one that knows andon.v1: whatever leaves these
two is a value of `terms`, `evidence` or `board`, or an error of `errors`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2, operator_pb2_grpc
from andon.v1 import terms_pb2 as words
from tui import board, convert, evidence, terms
from tui.bearer import Bearer
from tui.clock import Clock, SystemClock
from tui.errors import NotConnectedError, RefusedError, TerminalError

CALL_S: Final = 4.0
"""Longest wait for a reply, s."""

SILENCE_S: Final = 6.0
"""A watch that says nothing for so long, not even a tick, is taken for lost, s."""

PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Waits between tries to connect again, s; the last one is repeated."""

LARGEST_CLIP: Final = 1 << 30
"""Bytes of a clip that a terminal takes into its memory."""

Coming = Callable[[int, int], None]
"""Told how many bytes of how many have come."""

_CHANNEL: Final = (
    # gRPC's own waits grow to two minutes; a person watches this one.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Loopback and the plant's own network: a proxy from the environment is a mistake.
    ("grpc.enable_http_proxy", 0),
)
_SILENT: Final = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}
_T = TypeVar("_T")


class Link:
    """Everything a person can ask of the coordinator; make it inside the event loop."""

    def __init__(
        self,
        server: str,
        actor: terms.Actor,
        clock: Clock | None = None,
        *,
        answering: bool = True,
    ) -> None:
        self.server = server
        self.actor = actor
        self._clock: Clock = clock or SystemClock()
        self._answering = answering
        self._bearer = Bearer()
        self._channel = grpc.aio.insecure_channel(
            server, options=_CHANNEL, interceptors=[self._bearer]
        )
        self._operators = operator_pb2_grpc.OperatorServiceStub(self._channel)
        self._learning = learning_pb2_grpc.LearningServiceStub(self._channel)
        self._who = operator_pb2.Actor(person=actor.person, device=actor.device)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection, for those who read through it."""
        return self._channel

    def act_as(self, actor: terms.Actor, token: str) -> None:
        """Call as this person from here on; the watch begins anew, seen by them."""
        self.actor = actor
        self._bearer.token = token
        self._who = operator_pb2.Actor(person=actor.person, device=actor.device)

    def locked_out(self, tell: Callable[[], None]) -> None:
        """Call this when the coordinator knows of nobody who is logged in here."""
        self._bearer.refused = tell

    async def close(self) -> None:
        """End every call."""
        await self._channel.close()

    async def watch(self) -> AsyncIterator[board.Event]:
        """Every event, for ever: a lost link is an event too, and is tried again."""
        tries = 0
        while True:
            who = self._who
            try:
                async for response in self._responses():
                    tries = 0
                    for event in convert.events(response, self._clock.monotonic()):
                        yield event
                why = "the coordinator ended the watch"
                if who is not self._who:
                    continue
            except TerminalError as error:
                why = error.text
            yield board.LinkLost(why, self._clock.monotonic())
            await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1

    async def _responses(self) -> AsyncIterator[operator_pb2.WatchResponse]:
        who = self._who
        call = self._operators.Watch(
            operator_pb2.WatchRequest(actor=who, answering=self._answering),
            metadata=self._bearer.metadata,
        )
        try:
            while who is self._who:
                # Not wait_for: on 3.11 it can swallow a cancellation.
                async with asyncio.timeout(SILENCE_S):
                    response = await call.read()
                if not isinstance(response, operator_pb2.WatchResponse):
                    return
                yield response
        except grpc.aio.AioRpcError as error:
            raise _said(error) from error
        except TimeoutError as error:
            raise NotConnectedError(f"not a word for {SILENCE_S:.0f} s") from error
        finally:
            call.cancel()

    async def look(self, request_id: str) -> evidence.Evidence:
        """What the request shows; the first look is recorded as seen."""
        ask = operator_pb2.GetRequestRequest(request_id=request_id, actor=self._who)
        found = await replied(self._operators.GetRequest(ask, timeout=CALL_S))
        return convert.evidence(found, self._clock.monotonic())

    async def claim(
        self, request_id: str, key: str, *, take_over: bool = False
    ) -> evidence.Claim:
        """Take the sole right to answer."""
        ask = operator_pb2.ClaimRequest(
            request_id=request_id,
            actor=self._who,
            idempotency_key=key,
            take_over=take_over,
        )
        reply = await replied(self._operators.Claim(ask, timeout=CALL_S))
        return evidence.Claim(
            request_id, reply.claim_epoch, convert.seconds(reply.lease)
        )

    async def renew(self, claim: evidence.Claim) -> evidence.Claim:
        """Keep the claim while looking."""
        ask = operator_pb2.RenewClaimRequest(
            request_id=claim.request_id, actor=self._who, claim_epoch=claim.epoch
        )
        reply = await replied(self._operators.RenewClaim(ask, timeout=CALL_S))
        return evidence.Claim(
            claim.request_id, claim.epoch, convert.seconds(reply.lease)
        )

    async def give_back(self, claim: evidence.Claim) -> None:
        """Let somebody else answer."""
        ask = operator_pb2.ReleaseClaimRequest(
            request_id=claim.request_id, actor=self._who, claim_epoch=claim.epoch
        )
        await replied(self._operators.ReleaseClaim(ask, timeout=CALL_S))

    async def arrive(self, request_id: str) -> terms.Request:
        """Say that this person stands at the cell; the first to say so counts."""
        ask = operator_pb2.ArriveRequest(request_id=request_id, actor=self._who)
        reply = await replied(self._operators.Arrive(ask, timeout=CALL_S))
        return convert.request(reply.summary, self._clock.monotonic())

    async def hand_over(
        self, claim: evidence.Claim, to: str, key: str
    ) -> terms.Request:
        """Give the claim to a named person."""
        ask = operator_pb2.HandOverRequest(
            request_id=claim.request_id,
            actor=self._who,
            claim_epoch=claim.epoch,
            idempotency_key=key,
            to_person=to,
        )
        reply = await replied(self._operators.HandOver(ask, timeout=CALL_S))
        return convert.request(reply.summary, self._clock.monotonic())

    async def skip(self, claim: evidence.Claim, key: str) -> terms.Request:
        """Give the claim back, and leave the request to others first."""
        ask = operator_pb2.SkipRequest(
            request_id=claim.request_id,
            actor=self._who,
            claim_epoch=claim.epoch,
            idempotency_key=key,
        )
        reply = await replied(self._operators.Skip(ask, timeout=CALL_S))
        return convert.request(reply.summary, self._clock.monotonic())

    async def answer(self, answer: evidence.Answer) -> evidence.Answered:
        """Say what the window is; returns when it is durable."""
        ask = operator_pb2.AnswerRequest(
            request_id=answer.request_id,
            actor=self._who,
            claim_epoch=answer.claim_epoch,
            idempotency_key=answer.key,
            view_digest=answer.view_digest,
            note=answer.note,
            first_label=answer.first_label,
        )
        if answer.label:
            ask.label = answer.label
        else:
            ask.cannot_tell = True
        reply = await replied(self._operators.Answer(ask, timeout=CALL_S))
        return evidence.Answered(
            request=convert.request(reply.summary, self._clock.monotonic()),
            correction=reply.correction,
            action=convert.action(reply.action),
            undo_s=convert.seconds(reply.undo_within),
            moves_on=reply.cell_moves_on,
        )

    async def undo(self, request_id: str, key: str) -> terms.Request:
        """Take the answer back; the request is open again."""
        ask = operator_pb2.UndoAnswerRequest(
            request_id=request_id, actor=self._who, idempotency_key=key
        )
        reply = await replied(self._operators.UndoAnswer(ask, timeout=CALL_S))
        return convert.request(reply.summary, self._clock.monotonic())

    async def hold(self, cell_id: str, note: str = "") -> evidence.Held:
        """Pull the cord of one cell, or of all with ""."""
        ask = operator_pb2.HoldRequest(cell_id=cell_id, actor=self._who, note=note)
        reply = await replied(self._operators.Hold(ask, timeout=CALL_S))
        return evidence.Held(tuple(reply.cells), reply.recorded)

    async def release(self, release: evidence.Release) -> terms.Cell:
        """Let a held cell go, by name."""
        ask = operator_pb2.ReleaseHoldRequest(
            cell_id=release.cell_id,
            actor=self._who,
            idempotency_key=release.key,
            expected_reason=words.HoldReason.Value(
                f"HOLD_REASON_{release.expected_reason.value.upper()}"
            ),
            disposition=words.Action.Value(
                f"ACTION_{release.disposition.value.upper()}"
            ),
            note=release.note,
        )
        reply = await replied(self._operators.ReleaseHold(ask, timeout=CALL_S))
        return convert.cell(reply.cell, self._clock.monotonic())

    async def maintain(self, cell_id: str, key: str, *, out: bool) -> terms.Cell:
        """Take a cell out of work, or back; back it is held until it is released."""
        ask = operator_pb2.SetMaintenanceRequest(
            cell_id=cell_id, actor=self._who, idempotency_key=key, maintenance=out
        )
        reply = await replied(self._operators.SetMaintenance(ask, timeout=CALL_S))
        return convert.cell(reply.cell, self._clock.monotonic())

    async def clip(self, clip_id: str, coming: Coming) -> bytes:
        """The bytes of a clip, whole and as they were stored.

        Args:
            clip_id: Which.
            coming: Told how many bytes of how many have come.
        """
        call = self._operators.GetClip(
            operator_pb2.GetClipRequest(clip_id=clip_id), metadata=self._bearer.metadata
        )
        content, digest, size = bytearray(), hashlib.sha256(), 0
        expected = ""
        try:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    part = await call.read()
                if not isinstance(part, operator_pb2.GetClipResponse):
                    break
                if part.HasField("clip"):
                    size, expected = part.clip.bytes, part.clip.clip_digest
                content += part.chunk
                digest.update(part.chunk)
                if not len(content) <= size <= LARGEST_CLIP:
                    break
                coming(len(content), size)
        except grpc.aio.AioRpcError as error:
            raise _said(error) from error
        except TimeoutError as error:
            raise NotConnectedError(f"not a word for {SILENCE_S:.0f} s") from error
        finally:
            call.cancel()
        if len(content) != size or digest.hexdigest() != expected:
            raise RefusedError("BAD_CLIP", "The clip did not arrive as it was stored.")
        return bytes(content)

    async def models(self, family: str) -> tuple[terms.Model, ...]:
        """Every model of the family, newest first."""
        ask = learning_pb2.ListModelsRequest(family=family)
        reply = await replied(self._learning.ListModels(ask, timeout=CALL_S))
        return tuple(convert.model(model) for model in reply.models)

    async def train(self, family: str, key: str) -> str:
        """Train now; returns the run's id."""
        ask = learning_pb2.StartTrainingRequest(
            family=family, actor=self._who, idempotency_key=key
        )
        return (await replied(self._learning.StartTraining(ask, timeout=CALL_S))).run_id

    async def promote(self, digest: str, key: str) -> terms.Model:
        """Serve a validated model."""
        ask = learning_pb2.PromoteRequest(
            model_digest=digest, actor=self._who, idempotency_key=key
        )
        reply = await replied(self._learning.Promote(ask, timeout=CALL_S))
        return convert.model(reply.model)

    async def roll_back(self, family: str, key: str) -> terms.Model | None:
        """Serve the model before; None when the gate asks for everything again."""
        ask = learning_pb2.RollbackRequest(
            family=family, actor=self._who, idempotency_key=key
        )
        reply = await replied(self._learning.Rollback(ask, timeout=CALL_S))
        return convert.model(reply.model) if reply.HasField("model") else None


async def replied(call: Awaitable[_T]) -> _T:
    """The reply of a call; raises RefusedError or NotConnectedError."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _said(error) from error


def _said(error: grpc.aio.AioRpcError) -> TerminalError:
    """What the coordinator said, or that it said nothing."""
    text = (error.details() or error.code().name).strip()
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # details that contradict the code: believe the code
        status = None
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return RefusedError(info.reason, text)
    if error.code() in _SILENT:
        return NotConnectedError(text)
    return RefusedError(error.code().name, text)
