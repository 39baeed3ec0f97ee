"""A cell with its link: sessions, holds, permits on their way. It decides nothing.

A hold takes effect at once, whatever the loop is waiting for; everything else happens
in the loop, one thing after another. Durable first, and after every await, look again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from coordinator import log
from coordinator.errors import AndonError, ConflictError, LiveError, StoreError
from coordinator.live.cell import control
from coordinator.live.cell.ledger import Ledger
from coordinator.live.cell.record import CellRecord
from coordinator.live.window.inbox import Inbox
from coordinator.seams import NodeLink, Store
from coordinator.terms import (
    Actor,
    CellEvent,
    CellId,
    CellState,
    HoldReason,
    Permit,
    Scene,
    events,
)

_log = log.get("live")
T = TypeVar("T")


class LinkedCell:
    """One cell, its inbox, its journal and the way to its node."""

    def __init__(self, cell: CellRecord, store: Store) -> None:
        self.cell = cell
        self.inbox: Inbox[control.Control] = Inbox()
        self._ledger = Ledger(cell, store)
        self._link: NodeLink | None = None
        self._waiting_release: events.HoldReleased | None = None

    @property
    def link(self) -> NodeLink | None:
        """The way to the node; None while offline."""
        return self._link

    def hold(self, reason: HoldReason, text: str, actor: Actor | None = None) -> None:
        """Hold at once: no await, no store. What is to be recorded follows."""
        if self._hold_now(reason, text, actor):
            self.tick()

    def tick(self) -> None:
        """Let the loop write down what is not written down, and try what waits."""
        self.inbox.post(control.Tick(), once=True)

    def hold_answered(self, *, confirmed: bool) -> None:
        """Note whether the robot confirms that it holds. What is news is recorded."""
        if self.cell.hold_answered(confirmed=confirmed):
            _log.warning(
                "hold_confirmed" if confirmed else "hold_unconfirmed",
                cell=self.cell.cell_id,
            )
            self.tick()

    def _hold_now(
        self, reason: HoldReason, text: str, actor: Actor | None = None
    ) -> bool:
        """Hold, and tell the node; return whether that was news."""
        self._waiting_release = None
        news = self.cell.hold(reason, text, actor)
        if news:
            if self._link is not None:
                self._link.withdraw(reason, text)
            _log.info("hold", cell=self.cell.cell_id, reason=reason.name, text=text)
        return news

    def recorded(self) -> asyncio.Future[None]:
        """Return what is done once everything so far is durable, or fails with why."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.inbox.post(control.Record(done))
        return done

    # -- sessions --------------------------------------------------------------------

    async def _open(self, message: control.Opening) -> int:
        """Give out the next epoch; what happened before is journalled before it."""
        self.cell.epoch += 1
        epoch = self.cell.epoch
        opened = events.SessionOpened(
            self.cell.cell_id,
            epoch,
            message.node_id,
            message.boot_id,
            message.software,
        )
        await self._ledger.commit(opened)
        return epoch

    def _connected(self, link: NodeLink, scene: Scene) -> None:
        """A node is there: the cell is held until somebody named starts it."""
        if self._link is not None:
            self._lose_link("another session of this cell began.")
        self._link = link
        self.cell.epoch = max(self.cell.epoch, link.session_epoch)
        self.cell.connected = True
        self.cell.scene = scene
        self.cell.move(
            CellEvent.CONNECTED,
            "connected; waiting for a start.",
            latch=HoldReason.LINK_LOST,
        )

    def _link_ended(self, message: control.LinkEnded) -> None:
        self.cell.unrecorded.append(
            events.SessionClosed(self.cell.cell_id, message.session_epoch, message.why)
        )
        if self._is_of_this_session(message.session_epoch):
            self._lose_link(message.why)

    def _lose_link(self, why: str) -> None:
        self._link = None
        self.cell.connected = False
        self._waiting_release = None
        self.cell.move(CellEvent.LINK_LOST, why, latch=HoldReason.LINK_LOST)

    async def _permit_used(self, message: control.PermitUsed) -> None:
        """Note that a step began; one that may not have begun holds the cell."""
        used = events.PermitConsumed(
            message.permit_id, self.cell.cell_id, message.session_epoch
        )
        try:
            await self._ledger.commit(used)
        except StoreError:
            self.cell.unrecorded.append(used)
            raise
        except ConflictError as error:
            self.hold(HoldReason.IDENTITY, f"a step began without leave: {error.text}")

    def _permit_unused(self, message: control.PermitUnused) -> None:
        self.cell.unrecorded.append(
            events.PermitDropped(
                message.permit_id,
                self.cell.cell_id,
                message.session_epoch,
                message.token,
                message.text,
            )
        )
        if self._link is None or message.session_epoch != self._link.session_epoch:
            return
        moved = message.token == "SCENE_MOVED"  # noqa: S105 - a reason, no secret
        reason = HoldReason.IDENTITY if moved else HoldReason.STALE_DATA
        self.hold(reason, message.text or f"permit not used: {message.token}.")

    # -- words -----------------------------------------------------------------------

    def _send(self, permit: Permit) -> None:
        """Let a permit leave: it is durable, and still of this session."""
        if self._link is not None and self._is_current(permit):
            self._link.permit(permit)

    def _is_current(self, permit: Permit) -> bool:
        return self._is_of_this_session(permit.session_epoch)

    def _is_of_this_session(self, epoch: int) -> bool:
        return self._link is not None and epoch == self._link.session_epoch

    def _is(self, state: CellState) -> bool:
        """Whether the cell is in a state now, whatever it was before an await."""
        return self.cell.state is state


async def unrecorded(cells: Iterable[LinkedCell], within_s: float) -> list[CellId]:
    """Have everything so far written down; return the cells where that failed.

    Args:
        cells: Whose.
        within_s: Longest wait, in seconds; a cell that needs more goes on with it.
    """
    writing = {cell.cell.cell_id: cell.recorded() for cell in cells}
    if writing:
        await asyncio.wait(writing.values(), timeout=within_s)
    failed = []
    for cell_id, written in writing.items():
        if written.cancel() or written.exception() is not None:
            failed.append(cell_id)
    return failed


async def tell(done: asyncio.Future[T] | None, change: Awaitable[T]) -> None:
    """Carry out what somebody waits for, and tell them how it went, whatever happens.

    A refusal is told, not raised; nobody waits for what a policy wants.
    """
    if done is None:
        await change
        return
    try:
        result = await change
    except AndonError as error:
        if not done.done():
            done.set_exception(error)
    else:
        if not done.done():
            done.set_result(result)
    finally:
        if not done.done():
            done.set_exception(LiveError("andon failed here; see its log."))
