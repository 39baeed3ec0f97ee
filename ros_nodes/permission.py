"""What a node lets its robot do, judged by the node's own monotonic clock alone.

Four facts must hold together before a robot may move, and none of them can come true by
waiting:

1. a session is open, and a heartbeat that the coordinator acknowledged was *sent* less
   than a lease ago (an acknowledgement that lay in a buffer extends nothing);
2. a permit of this session was offered in time, for the first time, for this scene;
3. nothing held the cell since that permit was issued;
4. the permit's longest execution is not over.

Holding needs no message from anybody. Not thread-safe: it lives on the event loop.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from ros_nodes.clock import SECOND_NS
from ros_nodes.terms import Drop, HoldReason, Permit, Purpose, Scene, Stand

LEASE_NS: Final = 2 * SECOND_NS
"""Longest lease, whatever a coordinator says."""
START_WITHIN_NS: Final = 2 * SECOND_NS
"""Longest time from a heartbeat to the start of a permit, whatever a permit says."""

_HEARTBEATS_KEPT: Final = 64
_PERMITS_KEPT: Final = 4096
_NOT_REPORTED: Final = 2**63
"""Larger than any heartbeat: no permit was issued in knowledge of this hold."""

_BY_SEVERITY: Final = list(HoldReason)

_STANDS_FOR: Final = {
    Purpose.START: Stand.AT_START,
    Purpose.NEXT_STEP: Stand.DECIDING,
    Purpose.RESUME: Stand.PAUSED,
}


@dataclass(frozen=True, slots=True)
class Begin:
    """The permit is consumed: the robot may move.

    Attributes:
        permit: The permit.
        start_by_ns: Last moment at which the robot may begin, node clock.
        until_ns: Last moment at which the step may still run, node clock.
    """

    permit: Permit
    start_by_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The permit is worthless, and why."""

    permit_id: str
    drop: Drop
    text: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The robot must hold now."""

    reason: HoldReason
    text: str


class Permission:
    """Lease, permits and holds of one cell.

    Args:
        maximum_execution_ns: Longest a step may take, whatever a permit says.
    """

    def __init__(self, *, maximum_execution_ns: int) -> None:
        self._maximum_execution_ns = maximum_execution_ns
        self._epoch = 0
        self._store_id = ""
        self._session_open = False
        self._greeted_ns = 0
        self._opened_ns = 0
        self._lease_ns = LEASE_NS
        self._lease_until_ns: int | None = None
        self._seq = 0
        self._sent_ns: OrderedDict[int, int] = OrderedDict()
        self._offered: OrderedDict[str, None] = OrderedDict()
        self._executing: Begin | None = None
        self._held: Hold | None = Hold(HoldReason.LINK_LOST, "no session yet")
        self._known_from_seq = 0
        self._unreported: Hold | None = None

    # ------------------------------------------------------------------- what holds now

    @property
    def epoch(self) -> int:
        """Epoch of the newest session; 0 before the first."""
        return self._epoch

    @property
    def session_open(self) -> bool:
        """Whether a session is open and its lease was not lost."""
        return self._session_open

    @property
    def held(self) -> Hold | None:
        """Why the node holds, or None while it does not."""
        return self._held

    @property
    def unreported(self) -> Hold | None:
        """The node's own hold of which the coordinator does not know yet."""
        return self._unreported

    @property
    def executing(self) -> Begin | None:
        """The permit under which the robot may move, or None."""
        return self._executing

    @property
    def lease_until_ns(self) -> int | None:
        """End of the lease on the node's clock; None without an acknowledgement."""
        return self._lease_until_ns

    @property
    def waits_for_lease(self) -> bool:
        """Whether a session is open of which no heartbeat was acknowledged yet."""
        return self._session_open and self._lease_until_ns is None

    def leased(self, now_ns: int) -> bool:
        """Whether an acknowledged heartbeat is young enough."""
        return (
            self._session_open
            and self._lease_until_ns is not None
            and now_ns < self._lease_until_ns
        )

    def may_move(self, now_ns: int) -> bool:
        """Whether all four facts hold at this moment."""
        return (
            self._held is None
            and self._executing is not None
            and now_ns <= self._executing.until_ns
            and self.leased(now_ns)
        )

    # ------------------------------------------------------------------------ the lease

    def greet(self, now_ns: int) -> None:
        """Remember when a session is asked for: the sign of life before heartbeat 1."""
        self._greeted_ns = now_ns

    def open(
        self, *, epoch: int, store_id: str, lease_ns: int, now_ns: int
    ) -> Dropped | None:
        """Begin a session under a higher epoch; the cell stays held.

        Returns:
            A refusal when this store's epoch did not rise: somebody replays an old
            session, or the store was set back. The caller ends the session.
        """
        if epoch < 1 or (store_id == self._store_id and epoch <= self._epoch):
            return Dropped(
                "",
                Drop.WRONG_EPOCH,
                f"session epoch {epoch} is not above {self._epoch} of the same store",
            )
        # Whatever an earlier session permitted ends with it, closed or not.
        self.close("another session began")
        self._epoch, self._store_id = epoch, store_id
        self._session_open = True
        self._opened_ns = now_ns
        self._lease_ns = min(lease_ns, LEASE_NS) if lease_ns > 0 else LEASE_NS
        self._lease_until_ns = None
        self._seq = 0
        self._sent_ns.clear()
        # A permit issued before the first heartbeat names 0. It renews no lease.
        self._sent_ns[0] = self._greeted_ns
        self._known_from_seq = 0 if self._unreported is None else _NOT_REPORTED
        return None

    def heartbeat_sent(self, now_ns: int) -> int:
        """Remember when a heartbeat is sent, and return its number.

        Call it before the message leaves: an earlier moment makes a shorter lease.
        """
        self._seq += 1
        self._sent_ns[self._seq] = now_ns
        while len(self._sent_ns) > _HEARTBEATS_KEPT:
            self._sent_ns.popitem(last=False)
        return self._seq

    def acked(self, *, seq: int, epoch: int, now_ns: int) -> bool:
        """Renew the lease up to one lease after heartbeat seq was sent.

        Returns:
            Whether the acknowledgement renewed anything. One that arrives after the
            lease ran out does not: a lost lease is lost.
        """
        sent_ns = self._sent_ns.get(seq) if seq > 0 else None
        if not self._session_open or epoch != self._epoch or sent_ns is None:
            return False
        if self._lease_end_ns <= now_ns or sent_ns + self._lease_ns <= now_ns:
            return False
        until_ns = sent_ns + self._lease_ns
        if self._lease_until_ns is not None and until_ns <= self._lease_until_ns:
            return False
        self._lease_until_ns = until_ns
        return True

    @property
    def _lease_end_ns(self) -> int:
        """When the session is lost unless an acknowledgement comes."""
        if self._lease_until_ns is None:
            return self._opened_ns + self._lease_ns
        return self._lease_until_ns

    def close(self, text: str) -> Hold:
        """End the session: whatever was permitted is not permitted any more."""
        self._session_open = False
        self._lease_until_ns = None
        return self._latch(Hold(HoldReason.LINK_LOST, text))

    # ---------------------------------------------------------------------- the permits

    def offer(
        self, permit: Permit, scene: Scene, now_ns: int, *, joints_unmoved: bool
    ) -> Begin | Dropped:
        """Consume a permit, or say why it is worthless; either way it is used up.

        Args:
            permit: What the coordinator sent.
            scene: Where the robot stands now.
            now_ns: Monotonic clock of the node.
            joints_unmoved: Whether the joints were seen to stand where they stood when
                the evidence was cut, or the step was paused.
        """
        objection = self._objection(
            permit, scene, now_ns, joints_unmoved=joints_unmoved
        )
        self._offered[permit.permit_id] = None
        while len(self._offered) > _PERMITS_KEPT:
            self._offered.popitem(last=False)
        if objection is not None:
            return Dropped(permit.permit_id, *objection)
        execution_ns = self._maximum_execution_ns
        if permit.maximum_execution_ns > 0:
            execution_ns = min(execution_ns, permit.maximum_execution_ns)
        begin = Begin(
            permit=permit,
            start_by_ns=self._start_by_ns(permit),
            until_ns=now_ns + execution_ns,
        )
        self._executing = begin
        self._held = None
        self._unreported = None
        self._known_from_seq = 0
        return begin

    def too_late(self, permit: Permit, now_ns: int) -> bool:
        """Whether the time to start a permit is over, or never was."""
        return not now_ns < self._start_by_ns(permit)

    def refuse(self, permit: Permit, text: str) -> Dropped:
        """Use a permit up without starting it, because the robot cannot follow."""
        self._offered[permit.permit_id] = None
        return Dropped(permit.permit_id, Drop.HELD, text)

    def finished(self) -> None:
        """End the execution: the step ended, and no further motion is permitted."""
        self._executing = None

    def _start_by_ns(self, permit: Permit) -> int:
        sent_ns = self._sent_ns.get(permit.heartbeat_seq)
        if sent_ns is None:
            return -1
        return sent_ns + min(permit.start_within_ns, START_WITHIN_NS)

    def _objection(
        self, permit: Permit, scene: Scene, now_ns: int, *, joints_unmoved: bool
    ) -> tuple[Drop, str] | None:
        """What speaks against the permit; None only when everything speaks for it."""
        if not self._session_open or permit.session_epoch != self._epoch:
            return (
                Drop.WRONG_EPOCH,
                f"permit of session {permit.session_epoch}, this is {self._epoch}",
            )
        if permit.permit_id in self._offered:
            return Drop.ALREADY_USED, f"permit {permit.permit_id} was offered before"
        if self._held is not None and permit.heartbeat_seq < self._known_from_seq:
            return Drop.HELD, f"issued before the node held: {self._held.text}"
        if not self.leased(now_ns):
            return Drop.LEASE_LOST, "no acknowledged heartbeat is young enough"
        if self.too_late(permit, now_ns):
            return (
                Drop.EXPIRED,
                f"not started within {permit.start_within_ns / SECOND_NS:g} s "
                f"of heartbeat {permit.heartbeat_seq}",
            )
        if self._executing is not None:
            return Drop.SCENE_MOVED, "a step is under way"
        return self._scene_objection(permit, scene, joints_unmoved=joints_unmoved)

    @staticmethod
    def _scene_objection(
        permit: Permit, scene: Scene, *, joints_unmoved: bool
    ) -> tuple[Drop, str] | None:
        wanted = _STANDS_FOR[permit.purpose]
        if scene.stand is not wanted:
            return (
                Drop.SCENE_MOVED,
                f"{permit.purpose.value} needs a robot {wanted.value}, "
                f"it is {scene.stand.value}",
            )
        if permit.cycle != scene.cycle:
            return (
                Drop.SCENE_MOVED,
                f"permit for cycle {permit.cycle}, the robot is at {scene.cycle}",
            )
        if permit.purpose is Purpose.START:
            return None
        if permit.purpose is Purpose.NEXT_STEP and (
            not permit.window_digest or permit.window_digest != scene.window_digest
        ):
            return Drop.SCENE_MOVED, "permit for another window than the one that waits"
        if not joints_unmoved:
            return Drop.SCENE_MOVED, "the joints do not stand where they were judged"
        return None

    # ------------------------------------------------------------------------ the holds

    def hold(self, reason: HoldReason, text: str) -> Hold:
        """Hold by the node's own decision, until a permit issued in knowledge of it."""
        self._unreported = Hold(reason, text)
        return self._latch(self._unreported, known_from_seq=_NOT_REPORTED)

    def reported(self) -> None:
        """Note that the coordinator is told: later heartbeats prove that it knows."""
        if self._session_open:
            self._unreported = None
            self._known_from_seq = min(self._known_from_seq, self._seq + 1)

    def withdraw(self, reason: HoldReason, text: str) -> Hold:
        """Hold because the coordinator says so, whatever session it speaks of.

        Permits that follow in the stream were issued after it: order is the proof.
        """
        return self._latch(Hold(reason, text))

    def tick(self, now_ns: int) -> Hold | None:
        """Let time pass; all it can do is to hold.

        Returns:
            The hold that begins now, once: LINK_LOST when the lease ran out (the
            session is over), BAD_DATA when a step runs too long.
        """
        if self._session_open and now_ns >= self._lease_end_ns:
            return self.close(
                f"no heartbeat was acknowledged for {self._lease_ns / SECOND_NS:g} s"
            )
        if self._executing is not None and now_ns > self._executing.until_ns:
            permit = self._executing.permit
            return self.hold(
                HoldReason.BAD_DATA,
                f"the step under permit {permit.permit_id} took too long",
            )
        return None

    def _latch(self, hold: Hold, *, known_from_seq: int = 0) -> Hold:
        self._executing = None
        if self._held is None:
            self._known_from_seq = known_from_seq
        else:
            self._known_from_seq = max(self._known_from_seq, known_from_seq)
        # The more severe reason stays: it decides who may release the cell.
        if self._held is None or _severity(hold) >= _severity(self._held):
            self._held = hold
        return hold


def _severity(hold: Hold) -> int:
    return _BY_SEVERITY.index(hold.reason)
