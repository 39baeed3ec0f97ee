"""Logging in and out, over the link's channel."""

from __future__ import annotations

from typing import Final

from andon.v1 import access_pb2, access_pb2_grpc
from tui.convert import seconds
from tui.link import CALL_S, Link, replied
from tui.login import Login, Name
from tui.terms import Actor

PIN_S: Final = 10.0
"""Longest wait for a login, s: a PIN is hashed slowly, and one after another."""


class FrontDoor:
    """Who may come in here; make it with the link it goes through."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._access = access_pb2_grpc.AccessServiceStub(link.channel)

    async def accounts(self) -> bool:
        """Whether there are accounts; not in a coordinator that knows none."""
        reply = await replied(
            self._access.WhoAmI(access_pb2.WhoAmIRequest(), timeout=CALL_S)
        )
        return reply.accounts

    async def enter(self, token: str) -> None:
        """Act in a session that was begun elsewhere, as the person it is of."""
        self._link.act_as(self._link.actor, token)
        reply = await replied(
            self._access.WhoAmI(access_pb2.WhoAmIRequest(), timeout=CALL_S)
        )
        if reply.person:
            self._link.act_as(Actor(reply.person, reply.device), token)

    async def names(self) -> tuple[Name, ...]:
        """Who can log in here, who was here last first."""
        ask = access_pb2.ListPeopleRequest(device=self._link.actor.device)
        reply = await replied(self._access.ListPeople(ask, timeout=CALL_S))
        return tuple(Name(one.person, one.shown or one.person) for one in reply.people)

    async def login(self, person: str, pin: str) -> Login:
        """Begin a session; whoever was logged in here is logged out."""
        ask = access_pb2.LoginRequest(
            person=person, pin=pin, device=self._link.actor.device
        )
        reply = await replied(self._access.Login(ask, timeout=PIN_S))
        return Login(
            person=reply.person,
            shown=reply.shown or reply.person,
            role=reply.roles[-1] if reply.roles else "",
            idle_s=seconds(reply.idle_lock),
            token=reply.token,
        )

    async def logout(self) -> None:
        """End the session; claims are given back."""
        await replied(self._access.Logout(access_pb2.LogoutRequest(), timeout=CALL_S))

    async def still_here(self) -> None:
        """Say that somebody touched the terminal."""
        ask = access_pb2.StillHereRequest()
        await replied(self._access.StillHere(ask, timeout=CALL_S))
