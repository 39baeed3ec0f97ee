"""The sessions that live: one a cell, heard of, and of a coordinator that is awake.

A cell's session is given to a second program only when the first is dead. A coordinator
that stood still for a lease knows nothing any more: every node has held by then, and
what lies in its buffers is old, so every session is over before any of it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from andon.v1 import cell_pb2, terms_pb2
from coordinator import log
from coordinator.clock import SECOND_NS, Clock, seconds_to_ns
from coordinator.config import LEASE_S
from coordinator.errors import CellInUseError
from coordinator.live.cell import control
from coordinator.live.path import LivePath
from coordinator.service.session import Caller, NodeSession
from coordinator.service.status import STATUS_OF
from coordinator.terms import CellId, HoldReason

_log = log.get("sessions")
DEAD_AFTER_NS = 3 * SECOND_NS
"""A session without a heartbeat for so long is over: its node has held for a second,
and people see it within 3.5 s, whenever the next look is."""
ASLEEP_NS = seconds_to_ns(LEASE_S)
"""A coordinator that did not look at its clock for so long has lost every lease."""


class Sessions:
    """Every session, with its cell's path. Not thread-safe: on the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paths: dict[NodeSession, LivePath] = {}
        self._opening: set[CellId] = set()
        self._awake_ns = clock.monotonic_ns()

    def __iter__(self) -> Iterator[NodeSession]:
        return iter(list(self._paths))

    @contextmanager
    def opening(self, cell_id: CellId, caller: Caller) -> Iterator[None]:
        """Let one program in at a time, and only where no other session lives.

        Raises:
            CellInUseError: another program has the session, or is just opening one.
        """
        if cell_id in self._opening:
            raise CellInUseError("another node is just opening a session.")
        for other in [s for s in self._paths if s.cell_id == cell_id]:
            silent_ns = self._clock.monotonic_ns() - other.last_heard_ns
            if silent_ns <= DEAD_AFTER_NS and not other.closed.is_set():
                self._contest(other, caller)
                raise CellInUseError(f"heard of {silent_ns / 1e9:.1f} s ago.")
            self.end(other, "another node of this cell came.")
        self._opening.add(cell_id)
        try:
            yield
        finally:
            self._opening.discard(cell_id)

    def begin(self, session: NodeSession, path: LivePath) -> None:
        """Keep a session that was opened."""
        self._paths[session] = path

    def end(self, session: NodeSession, why: str) -> None:
        """End a session, once: the cell is told at once, whatever the line does."""
        path = self._paths.pop(session, None)
        session.close()
        if path is not None:
            path.inbox.post(control.LinkEnded(session.session_epoch, why))

    def end_all(self, why: str) -> None:
        """End every session."""
        for session in self:
            self.end(session, why)

    # -- time ------------------------------------------------------------------------

    def look(self) -> None:
        """End what is silent; call it a few times a second."""
        self.awake()
        now_ns = self._clock.monotonic_ns()
        self._awake_ns = now_ns
        for session in self:
            silent_ns = now_ns - session.last_heard_ns
            if not silent_ns <= DEAD_AFTER_NS:
                self.end(session, f"no heartbeat for {silent_ns / 1e9:.1f} s.")

    def awake(self) -> bool:
        """Whether nobody slept; if the coordinator did, every session is over."""
        asleep_ns = self._clock.monotonic_ns() - self._awake_ns
        if asleep_ns <= ASLEEP_NS:
            return True
        if self._paths:
            _log.error("stood_still", seconds=round(asleep_ns / 1e9, 2))
        self.end_all(f"the coordinator stood still for {asleep_ns / 1e9:.1f} s.")
        return False

    # -- two programs, one cell ------------------------------------------------------

    def _contest(self, holder: NodeSession, caller: Caller) -> None:
        """A second program wants the cell: tell both, and notice a twin."""
        same = caller.node_id == holder.caller.node_id
        if same and caller.boot_id != holder.caller.boot_id:
            self._twin(holder, caller)
        if holder.rival is not None and holder.rival.node_id == caller.node_id:
            return
        holder.rival = caller
        if same:
            return  # it came again before this session was seen to be dead
        _log.warning("cell_conflict", cell=holder.cell_id, node=caller.node_id)
        number, _ = STATUS_OF[CellInUseError].value
        text = f"node {caller.node_id} wants this cell as well."
        refusal = terms_pb2.Refusal(code=number, token="CELL_CONFLICT", text=text)  # noqa: S106 - a word
        holder.say(cell_pb2.CoordinatorMessage(refusal=refusal))

    def heard(self, session: NodeSession, sent_ns: int) -> None:
        """Note that a session's program spoke; one that came again cannot speak here.

        A node leaves one session before it asks for the next. Who asked and still
        speaks in the old one is two programs under one name.
        """
        rival = session.rival
        if rival is None or rival.node_id != session.caller.node_id:
            return
        if 0 < rival.sent_ns < sent_ns:
            session.rival = None
            self._twin(session, rival)

    def _twin(self, holder: NodeSession, caller: Caller) -> None:
        _log.error("cell_conflict", cell=holder.cell_id, node=caller.node_id, twin=True)
        path = self._paths.get(holder)
        if path is not None:
            text = f"two programs say that they are node {caller.node_id}."
            path.hold(HoldReason.IDENTITY, text)
