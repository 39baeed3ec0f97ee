"""Errands of the open request besides answering it: arrive, leave it, give it away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any

from tui.board import RequestChanged, fold
from tui.errands.core import Core
from tui.evidence import Answered, Part
from tui.screens.dialogs import Choose
from tui.seat import Seat
from tui.sentences import taken
from tui.terms import Request
from tui.words import plant, say


class HandErrands(Core):
    """What a person does with a request that is theirs, or at its cell."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._seat: Seat | None = None
        self._hands = asyncio.Lock()
        self._passed: frozenset[str] = frozenset()
        self._moved: dict[str, str] = {}

    def _in_turn(self, errand: Coroutine[Any, Any, None]) -> None:
        """Do what touches the open request, one thing after another."""

        async def run() -> None:
            async with self._hands:
                await errand

        self.run_worker(run(), group="hands")

    async def _go_on_from(self, seat: Seat, but: str = "") -> None:
        """Open what is most urgent now, but not that one, or go back to the board."""
        raise NotImplementedError

    def on_arrive(self) -> None:
        """Note that this person stands at the cell that asks."""
        if self._seat is not None:
            self._ask(self._arrive(self._seat))

    async def _arrive(self, seat: Seat) -> None:
        request = await seat.arrive()
        if request is None:
            return
        self._fold(request)
        cell, who = plant(request.cell_id), request.arrived_by
        mine = who in {"", self._actor.person}
        key = "hands.arrived" if mine else "hands.arrived_before"
        self.tell(say(key, cell=cell, person=who))

    def on_only_this(self) -> None:
        """Answer the open request alone, or all of its cause again."""
        if self._seat is not None and not self._seat.only_this():
            self.tell(say("cause.none"))

    async def _sit(self, seat: Seat, request_id: str) -> None:
        """Open a request; in a flood with the others of its cause."""
        why = self._moved.pop(request_id, "")
        await seat.open(
            request_id,
            note=say("cause.itself", why=why) if why else "",
            mates=self.board.together(request_id, self._actor.person),
        )

    def _of_cause(self, answered: Answered) -> str:
        """Take note of what became of the others; say whom it was for, whom not.

        Returns:
            The first that it was not taken for and that is still open, or "".
        """
        for part in answered.others:
            if part.taken:
                self._fold(part.request)
        moved = [part for part in answered.others if not part.taken]
        same = [part for part in answered.others if part.taken]
        self.board = self.board.moved(*moved, at_s=self._clock.monotonic())
        self._moved |= {part.mate.request_id: part.text for part in moved}
        text = taken(answered)
        if same:
            text += say("cause.also", cells=_cells(same))
        if moved:  # first, because a line may be too narrow for the rest
            text = say("cause.not_for", cells=_cells(moved)) + text
        self.tell(text, bad=bool(moved))
        free = (self.board.request(part.mate.request_id) for part in moved)
        return next((r.request_id for r in free if r and not r.claimed_by), "")

    def on_skip(self) -> None:
        """Leave the open request to others."""
        if self._seat is not None:
            seat = self._seat
            self._in_turn(self._pass_on(seat, seat.skip(), "hands.skipped"))

    def on_hand_over(self) -> None:
        """Ask who gets the open request, of those who are here."""
        seat = self._seat
        if seat is None or seat.sitting is None:
            return
        meant = seat.sitting.request_id
        me = self._actor.person
        people = sorted({p for p in self.board.presence.people if p != me})
        if not people:
            self.tell(say("hands.nobody"))
            return

        def chosen(person: str | None) -> None:
            sitting = seat.sitting
            if person and sitting is not None and sitting.request_id == meant:
                giving = seat.hand_over(person)
                self._in_turn(self._pass_on(seat, giving, "hands.handed", person))

        self.push_screen(Choose(say("hands.who"), people), chosen)

    async def _pass_on(
        self, seat: Seat, passing: Awaitable[Request | None], key: str, to: str = ""
    ) -> None:
        """Say that the request went to somebody else, and go on to the next."""
        request = await passing
        if request is None:
            return
        self._fold(request)
        self.tell(say(key, cell=plant(request.cell_id), person=to))
        await self._go_on_from(seat, request.request_id)

    def _fold(self, request: Request) -> None:
        changed = RequestChanged(request, self._clock.monotonic())
        self.board = fold(self.board, changed)


def _cells(parts: Iterable[Part]) -> str:
    """The cells of some members, by name."""
    return ", ".join(plant(part.mate.cell_id) for part in parts)
