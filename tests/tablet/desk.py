"""People at other devices: they call the coordinator as a terminal would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc

from andon.v1 import access_pb2, access_pb2_grpc, operator_pb2, operator_pb2_grpc
from coordinator.people.machine import KEY
from coordinator.terms import new_id

if TYPE_CHECKING:
    from tests.tablet.plant import Plant

PIN = "271828"
DEVICE = "desk-1"


class Desk:
    """Somebody at a device of their own, logged in where that is needed.

    Args:
        channel: To the coordinator.
        person: Who sits there.
        login: Metadata of their calls.
    """

    def __init__(
        self, channel: grpc.aio.Channel, person: str, login: tuple[Any, ...]
    ) -> None:
        self._operators: Any = operator_pb2_grpc.OperatorServiceStub(channel)
        self._actor = operator_pb2.Actor(person=person, device=DEVICE)
        self._login = login

    async def claim(self, request_id: str, *, take_over: bool = False) -> int:
        """Take a question; the epoch of the claim."""
        asked = operator_pb2.ClaimRequest(
            request_id=request_id,
            actor=self._actor,
            idempotency_key=new_id("k"),
            take_over=take_over,
        )
        claimed = await self._operators.Claim(asked, metadata=self._login)
        return int(claimed.claim_epoch)

    async def answer(self, request_id: str, label: str, **claim: bool) -> None:
        """Take a question and answer it."""
        shown = await self._operators.GetRequest(
            operator_pb2.GetRequestRequest(request_id=request_id, actor=self._actor),
            metadata=self._login,
        )
        epoch = await self.claim(request_id, **claim)
        await self._operators.Answer(
            operator_pb2.AnswerRequest(
                request_id=request_id,
                actor=self._actor,
                claim_epoch=epoch,
                idempotency_key=new_id("k"),
                view_digest=shown.view_digest,
                label=label,
            ),
            metadata=self._login,
        )


@asynccontextmanager
async def desk(plant: Plant, person: str = "ben") -> AsyncIterator[Desk]:
    """Let somebody sit down at another device."""
    async with grpc.aio.insecure_channel(plant.grpc_address) as channel:
        login: tuple[tuple[str, str], ...] = ()
        if plant.coordinator.plant.people.accounts.exist:
            access: Any = access_pb2_grpc.AccessServiceStub(channel)
            said = access_pb2.LoginRequest(person=person, pin=PIN, device=DEVICE)
            token = (await access.Login(said)).token
            login = (("authorization", f"Bearer {token}"),)
        yield Desk(channel, person, login)


async def add_person(plant: Plant, person: str, role: str = "operator") -> None:
    """Give somebody an account, as who owns the coordinator's files."""
    key = (plant.folder / KEY).read_text(encoding="ascii").strip()
    async with grpc.aio.insecure_channel(plant.grpc_address) as channel:
        access: Any = access_pb2_grpc.AccessServiceStub(channel)
        await access.AddPerson(
            access_pb2.AddPersonRequest(
                person=person,
                shown=person.title(),
                role=role,
                pin=PIN,
                by="test",
                idempotency_key=new_id("k"),
            ),
            metadata=(("authorization", f"Machine {key}"),),
        )
