"""I1, I6, I11: whatever comes in whatever order, no motion without a live permit.

The machine below says anything to a Permission: good and bad permits, answers to any
heartbeat, lost sessions, holds, and time. Beside it an oracle of a few lines remembers
only facts, and the invariants compare.
"""

from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ros_nodes.clock import SECOND_NS
from ros_nodes.permission import Begin, Permission
from ros_nodes.terms import HoldReason, Permit, Purpose, Scene, Stand
from tests.ros_nodes.node_builders import DIGEST, STORE, T0

LEASE_NS = 2 * SECOND_NS
LONGEST_STEP_NS = 5 * SECOND_NS

moments = st.integers(0, 3 * SECOND_NS)
cycles = st.integers(0, 2)
stands = st.sampled_from(list(Stand))


@dataclass(frozen=True)
class Facts:
    """What was true when a permit was accepted."""

    permit: Permit
    accepted_ns: int
    issued_against_ns: int
    """When the heartbeat that it names was sent."""


class AnythingHappens(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.permission = Permission(maximum_execution_ns=LONGEST_STEP_NS)
        self.now_ns = T0
        self.scene = Scene(Stand.DECIDING, 0, "insert", "part-0", DIGEST)
        self.epoch = 0
        self.highest_epoch = 0
        self.sent: dict[int, int] = {0: T0}
        self.acknowledged_ns = -(10**18)
        self.accepted: list[Facts] = []
        self.stopped_ns = T0
        self.known_permits: list[Permit] = []

    # ------------------------------------------------------------------- sessions

    @initialize()
    def nothing_moves_at_first(self) -> None:
        assert not self.permission.may_move(self.now_ns)

    @rule(epoch=st.integers(1, 12), lease_s=st.integers(0, 100))
    def open_session(self, epoch: int, lease_s: int) -> None:
        self.permission.greet(self.now_ns)
        refused = self.permission.open(
            epoch=epoch,
            store_id=STORE,
            lease_ns=lease_s * SECOND_NS,
            now_ns=self.now_ns,
        )

        assert (refused is None) == (epoch > self.highest_epoch)
        if refused is None:
            self.epoch = self.highest_epoch = epoch
            self.sent = {0: self.now_ns}
            self.acknowledged_ns = -(10**18)
            self.stopped_ns = self.now_ns

    @rule()
    def close_session(self) -> None:
        self.permission.close("gone")
        self._stopped()

    @precondition(lambda self: self.permission.session_open)
    @rule()
    def send_heartbeat(self) -> None:
        seq = self.permission.heartbeat_sent(self.now_ns)

        assert seq == len(self.sent)
        self.sent[seq] = self.now_ns

    @rule(seq=st.integers(0, 9), epoch_off=st.sampled_from([0, 0, 0, -1, 1]))
    def acknowledge(self, seq: int, epoch_off: int) -> None:
        before = self.permission.may_move(self.now_ns)
        renewed = self.permission.acked(
            seq=seq, epoch=self.epoch + epoch_off, now_ns=self.now_ns
        )
        if renewed:
            assert epoch_off == 0
            assert seq in self.sent
            assert seq > 0
            self.acknowledged_ns = max(self.acknowledged_ns, self.sent[seq])
        assert self.permission.may_move(self.now_ns) == before

    @precondition(lambda self: self.permission.session_open)
    @rule()
    def beat_and_acknowledge(self) -> None:
        seq = self.permission.heartbeat_sent(self.now_ns)
        self.sent[seq] = self.now_ns
        if self.permission.acked(seq=seq, epoch=self.epoch, now_ns=self.now_ns):
            self.acknowledged_ns = self.now_ns

    # -------------------------------------------------------------------- permits

    @rule(
        name=st.integers(0, 40),
        purpose=st.sampled_from(list(Purpose)),
        epoch_off=st.sampled_from([0, 0, 0, 0, -1, 1]),
        cycle=cycles,
        heartbeat_back=st.integers(-1, 4),
        start_within_ns=moments,
        unmoved=st.booleans(),
    )
    def offer_anything(
        self,
        name: int,
        purpose: Purpose,
        epoch_off: int,
        cycle: int,
        heartbeat_back: int,
        start_within_ns: int,
        unmoved: bool,
    ) -> None:
        permit = Permit(
            permit_id=f"p-{name}",
            purpose=purpose,
            session_epoch=self.epoch + epoch_off,
            cycle=cycle,
            heartbeat_seq=max(0, len(self.sent) - 1 - heartbeat_back),
            start_within_ns=start_within_ns,
            maximum_execution_ns=10 * SECOND_NS,
            window_digest=DIGEST,
        )
        self._offer(permit, unmoved=unmoved)

    @precondition(lambda self: len(self.sent) > 1)
    @rule(name=st.integers(100, 10_000))
    def offer_what_fits(self, name: int) -> None:
        purpose = {
            Stand.AT_START: Purpose.START,
            Stand.PAUSED: Purpose.RESUME,
        }.get(self.scene.stand, Purpose.NEXT_STEP)
        permit = Permit(
            permit_id=f"p-{name}",
            purpose=purpose,
            session_epoch=self.epoch,
            cycle=self.scene.cycle,
            heartbeat_seq=len(self.sent) - 1,
            start_within_ns=SECOND_NS,
            maximum_execution_ns=10 * SECOND_NS,
            window_digest=DIGEST,
        )
        self._offer(permit, unmoved=True)

    @precondition(lambda self: self.known_permits)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        permit = data.draw(st.sampled_from(self.known_permits))
        moving = self.permission.executing
        self._offer(replace(permit, session_epoch=self.epoch), unmoved=True)

        assert self.permission.executing is moving

    def _offer(self, permit: Permit, *, unmoved: bool) -> None:
        answer = self.permission.offer(
            permit, self.scene, self.now_ns, joints_unmoved=unmoved
        )
        seen_before = permit.permit_id in {p.permit_id for p in self.known_permits}
        self.known_permits.append(permit)
        if isinstance(answer, Begin):
            assert not seen_before
            assert permit.session_epoch == self.epoch
            assert permit.cycle == self.scene.cycle
            sent_ns = self.sent[permit.heartbeat_seq]
            assert self.now_ns < sent_ns + permit.start_within_ns
            self.accepted.append(Facts(permit, self.now_ns, sent_ns))

    @rule(stand=stands, cycle=cycles)
    def the_scene_changes(self, stand: Stand, cycle: int) -> None:
        self.scene = Scene(stand, cycle, "insert", f"part-{cycle}", DIGEST)

    @rule()
    def the_step_ends(self) -> None:
        self.permission.finished()
        self._stopped()

    # ---------------------------------------------------------------------- holds

    @rule()
    def hold_by_itself(self) -> None:
        self.permission.hold(HoldReason.BAD_DATA, "silent")
        self._stopped()

    @rule()
    def report(self) -> None:
        self.permission.reported()

    @rule()
    def withdraw(self) -> None:
        self.permission.withdraw(HoldReason.OPERATOR_HOLD, "cord")
        self._stopped()

    def _stopped(self) -> None:
        self.stopped_ns = self.now_ns
        assert not self.permission.may_move(self.now_ns)

    # ----------------------------------------------------------------------- time

    @rule(step_ns=moments)
    def time_passes(self, step_ns: int) -> None:
        moved = self.permission.may_move(self.now_ns)
        self.now_ns += step_ns

        assert moved or not self.permission.may_move(self.now_ns)

    @rule()
    def tick(self) -> None:
        hold = self.permission.tick(self.now_ns)
        if hold is not None:
            self._stopped()

    # ----------------------------------------------------------------- invariants

    @invariant()
    def no_motion_without_a_live_permit(self) -> None:
        if not self.permission.may_move(self.now_ns):
            return
        assert self.accepted, "moved before any permit"
        newest = self.accepted[-1]
        assert self.permission.executing is not None
        assert self.permission.executing.permit == newest.permit
        assert newest.permit.session_epoch == self.epoch
        assert newest.accepted_ns >= self.stopped_ns
        assert self.now_ns <= newest.accepted_ns + LONGEST_STEP_NS

    @invariant()
    def the_lease_never_outlives_two_seconds_after_a_sending(self) -> None:
        if self.permission.leased(self.now_ns):
            assert self.now_ns < self.acknowledged_ns + LEASE_NS
        if self.permission.may_move(self.now_ns):
            assert self.permission.leased(self.now_ns)

    @invariant()
    def each_permit_was_accepted_once(self) -> None:
        accepted = [facts.permit.permit_id for facts in self.accepted]

        assert len(accepted) == len(set(accepted))


AnythingHappens.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
TestAnythingHappens = AnythingHappens.TestCase
