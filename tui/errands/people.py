"""Errands of who comes and goes: log in, switch, lock when nobody is there.

The coordinator ends a session that nobody uses; this terminal counts the same seconds,
gives the claim back at once and asks who is there. The board stays in sight.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType

from tui import messages
from tui.door import FrontDoor
from tui.errands.core import Core
from tui.errors import NotConnectedError, RefusedError, TerminalError
from tui.link import Link
from tui.login import Door, Login
from tui.scene import Scene
from tui.screens.board import BoardScreen
from tui.screens.login import LoginScreen
from tui.terms import Actor
from tui.words import say

TOUCH_S: Final = 15.0
"""Time between two words to the coordinator that somebody is here, s."""


class PeopleErrands(Core):
    """A terminal that people log in at, once there are accounts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "switch", "keys.switch", priority=True),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._door = Door()
        self._front: FrontDoor | None = None
        self._owner = self._actor
        self._touched_s = 0.0
        self._said_s = 0.0

    def open_door(self, link: Link) -> None:
        """Begin to mind who comes and goes."""
        self._front = FrontDoor(link)
        link.locked_out(self._locked_out)
        self.set_interval(1.0, self._mind_the_door)

    def scene(self) -> Scene:
        """See Core."""
        door = self._door
        nobody = door.accounts and door.login is None
        return replace(super().scene(), login=door.login, nobody_here=nobody)

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there, whatever it is they do."""
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown):
            self._touched_s = self._clock.monotonic()
        await super().on_event(event)

    # -- coming ----------------------------------------------------------------------

    async def who_is_here(self) -> None:
        """Ask the coordinator whether one has to log in, and let the person do so."""
        if self._front is None:
            return
        try:
            accounts = await self._front.accounts()
            names = await self._front.names() if accounts else ()
        except TerminalError:
            return  # it is asked again when the link is back
        self._door = replace(self._door, accounts=accounts, names=names)
        if accounts and self._door.login is None:
            self._show_login(self._door.said)

    def _show_login(self, said: str = "") -> None:
        self._door = replace(self._door, said=said)
        if not isinstance(self.screen, LoginScreen):
            self.push_screen(LoginScreen(lambda: self._door))

    def on_log_in(self, message: messages.LogIn) -> None:
        """Try a PIN."""
        self._door = replace(self._door, said="")
        self.run_worker(self._log_in(message.person, message.pin), group="door")

    async def _log_in(self, person: str, pin: str) -> None:
        if self._front is None or self._link is None:
            return
        try:
            login = await self._front.login(person, pin)
        except RefusedError as refused:
            self._door = replace(self._door, said=_why(refused))
        except NotConnectedError:
            self._door = replace(self._door, said=say("login.not_connected"))
        else:
            wanted = self._wanted()
            await self._leave_seat()
            self._be(login)
            self._come_back(wanted)

    def _be(self, login: Login) -> None:
        """Act as this person from here on."""
        now_s = self._clock.monotonic()
        self._touched_s = self._said_s = now_s
        self._door = replace(self._door, login=login, said="")
        self._actor = Actor(login.person, self._actor.device)
        if self._link is not None:
            self._link.act_as(self._actor, login.token)
        if isinstance(self.screen, LoginScreen):
            self.pop_screen()
        role = say(f"role.{login.role}")
        self.tell(say("login.welcome", name=login.shown, role=role))
        self._record.info("logged_in", who=login.person)

    # -- going -----------------------------------------------------------------------

    def action_switch(self) -> None:
        """Let somebody else log in here; whoever is logged in is logged out."""
        if self._door.login is None:
            self.run_worker(self.who_is_here(), group="door")
            if not self._door.accounts:
                self.tell(say("login.no_accounts"))
            return
        self.run_worker(self._go(say("login.switched")), group="door")

    async def _go(self, said: str) -> None:
        """Give back what is claimed, log out, and ask who is there."""
        await self._leave_seat()
        if self._front is not None:
            try:
                await self._front.logout()
            except TerminalError:
                self._record.warning("logout_not_sent")  # it ends there by itself
        self._nobody(said)
        await self.who_is_here()

    def _nobody(self, said: str) -> None:
        """Act as nobody, and ask who is there."""
        self._door = replace(self._door, login=None)
        self._actor = self._owner  # not whoever was here: a cord may still be pulled
        if self._link is not None:
            self._link.act_as(self._actor, "")
        self._show_login(said)

    def _locked_out(self) -> None:
        """The coordinator knows nobody here: ask who is there."""
        if not self._door.accounts:
            self.run_worker(self.who_is_here(), group="door")
        elif self._door.login is not None:
            self._door = replace(self._door, login=None)
            self.run_worker(self._sent_away(), group="door")
        elif not isinstance(self.screen, LoginScreen):
            self._show_login(say("login.needed"))

    async def _sent_away(self) -> None:
        await self._leave_seat()
        self._nobody(say("login.ended"))

    def _mind_the_door(self) -> None:
        login, now_s = self._door.login, self._clock.monotonic()
        if login is None:
            return
        if not now_s - self._touched_s < login.idle_s:
            self.run_worker(self._go(say("login.idle")), group="door")
            self._touched_s = now_s
        elif self._touched_s > self._said_s and now_s - self._said_s >= TOUCH_S:
            self._said_s = now_s
            self.run_worker(self._still_here(), group="door")

    async def _still_here(self) -> None:
        try:
            if self._front is not None:
                await self._front.still_here()
        except TerminalError:
            return  # a lost link says so itself, and so does a session that ended

    async def _leave_seat(self) -> None:
        """Give back what is claimed; there is nothing without a seat."""

    def _wanted(self) -> str:
        """The request that somebody wanted to look at who had to log in first."""
        return ""

    def _come_back(self, wanted: str) -> None:
        """Go to where somebody was who had to log in first; see _wanted."""

    # -- the cord --------------------------------------------------------------------

    def on_hold_here(self, message: messages.HoldHere) -> None:
        """Pull the cord of the cell that is chosen on the board, or choose another."""
        for screen in self.screen_stack:
            if isinstance(screen, BoardScreen):
                if message.step:
                    screen.choose_cell(message.step)
                else:
                    screen.action_hold()


def _why(refused: RefusedError) -> str:
    match refused.token:
        case "LOGIN_REFUSED":
            return say("login.wrong")
        case "ACCOUNT_LOCKED":
            return say("login.account_locked")
        case _:
            return refused.plain
