"""People at a served plant: nobody has an account until a test adds one."""

from typing import Any

import grpc

from andon.v1 import access_pb2, access_pb2_grpc, operator_pb2_grpc
from coordinator.clock import Clock
from coordinator.live.request.queue import RequestQueue
from coordinator.people.accounts import Accounts
from coordinator.people.pins import PinHasher
from coordinator.people.sessions import SessionRules, Sessions
from coordinator.seams import Store
from coordinator.service.identity import People
from coordinator.service.reception import let_go
from coordinator.store.pin_file import PinFile
from coordinator.terms import PersonSession, SessionEnd, new_id

KEY = "key-of-this-machine"
PIN = "314159"


def nobody_yet(store: Store, requests: RequestQueue, clock: Clock) -> People:
    quick = PinHasher(passes=1, memory_kib=64)
    accounts = Accounts(store, PinFile(None), clock, least_digits=6, hasher=quick)

    async def ended(session: PersonSession, why: SessionEnd) -> None:
        await let_go(requests, session, why)

    sessions = Sessions(store, accounts, clock, SessionRules(refusal_s=0.0), ended)
    return People(accounts, sessions, machine_key=KEY)


def machine(key: str = KEY) -> tuple[tuple[str, str], ...]:
    """Metadata of who owns the coordinator's files."""
    return (("authorization", f"Machine {key}"),)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Metadata of who is logged in."""
    return (("authorization", f"Bearer {token}"),)


class Front:
    """The stubs of a client, and what it does most."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.access: Any = access_pb2_grpc.AccessServiceStub(channel)
        self.operators: Any = operator_pb2_grpc.OperatorServiceStub(channel)

    async def add(
        self, person: str, role: str = "operator", pin: str = PIN, **more: Any
    ) -> Any:
        request = access_pb2.AddPersonRequest(
            person=person,
            role=role,
            pin=pin,
            by="root",
            idempotency_key=new_id("k"),
            **more,
        )
        return await self.access.AddPerson(request, metadata=machine())

    async def change(self, person: str, **change: Any) -> Any:
        request = access_pb2.ChangePersonRequest(
            person=person, by="root", idempotency_key=new_id("k"), **change
        )
        return await self.access.ChangePerson(request, metadata=machine())

    async def login(self, person: str, device: str = "panel-1", pin: str = PIN) -> Any:
        request = access_pb2.LoginRequest(person=person, pin=pin, device=device)
        return await self.access.Login(request)
