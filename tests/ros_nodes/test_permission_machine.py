"""I1, I6, I11: whatever comes in whatever order, no motion without a live permit.

The machine below says anything to a Permission: good and bad permits, answers to any
heartbeat, lost sessions, holds, and time. Beside it an oracle of a few lines remembers
only facts, and the invariants compare.
"""

import random
from dataclasses import dataclass, replace

import pytest
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

moments = st.sampled_from([0.05, 0.3, 0.7, 1.0, 1.9, 2.0, 2.5]).map(
    lambda seconds: round(seconds * SECOND_NS)
)
cycles = st.integers(0, 1)
stands = st.sampled_from(list(Stand))
SPOILT = ["epoch", "cycle", "digest", "joints", "purpose", "unsent"]


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
            self._opened(epoch)

    @rule()
    def begin_afresh(self) -> None:
        """A new session as it should be, so that motion is never far away."""
        epoch = self.highest_epoch + 1
        self.permission.greet(self.now_ns)
        self.permission.open(
            epoch=epoch, store_id=STORE, lease_ns=LEASE_NS, now_ns=self.now_ns
        )
        self._opened(epoch)
        self.permission.reported()
        self._beat_and_acknowledge()

    def _opened(self, epoch: int) -> None:
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
    @rule(delay_ns=moments)
    def beat_and_acknowledge_later(self, delay_ns: int) -> None:
        self.permission.heartbeat_sent(self.now_ns)
        self.sent[len(self.sent)] = sent_ns = self.now_ns
        self.now_ns += delay_ns
        seq = len(self.sent) - 1
        if self.permission.acked(seq=seq, epoch=self.epoch, now_ns=self.now_ns):
            self.acknowledged_ns = sent_ns

    def _beat_and_acknowledge(self) -> None:
        seq = self.permission.heartbeat_sent(self.now_ns)
        self.sent[seq] = self.now_ns
        if self.permission.acked(seq=seq, epoch=self.epoch, now_ns=self.now_ns):
            self.acknowledged_ns = self.now_ns

    @precondition(lambda self: self.permission.session_open)
    @rule()
    def beat_and_acknowledge(self) -> None:
        self._beat_and_acknowledge()

    # -------------------------------------------------------------------- permits

    @precondition(lambda self: self.epoch > 0)
    @rule(
        spoilt=st.sampled_from(["", "", "", *SPOILT]),
        heartbeat_back=st.integers(0, 3),
        start_within_ns=st.sampled_from([0, SECOND_NS, 3 * SECOND_NS]),
        off=st.sampled_from([-1, 1]),
    )
    def offer(
        self, spoilt: str, heartbeat_back: int, start_within_ns: int, off: int
    ) -> None:
        """A permit that fits in everything but perhaps one thing."""
        purpose = {
            Stand.AT_START: Purpose.START,
            Stand.PAUSED: Purpose.RESUME,
        }.get(self.scene.stand, Purpose.NEXT_STEP)
        if spoilt == "purpose":
            purpose = next(other for other in Purpose if other is not purpose)
        newest = len(self.sent) - 1
        permit = Permit(
            permit_id=f"p-{len(self.known_permits)}",
            purpose=purpose,
            session_epoch=self.epoch + (off if spoilt == "epoch" else 0),
            cycle=self.scene.cycle + (spoilt == "cycle"),
            heartbeat_seq=newest + 1
            if spoilt == "unsent"
            else max(0, newest - heartbeat_back),
            start_within_ns=start_within_ns,
            maximum_execution_ns=10 * SECOND_NS,
            window_digest="e" * 64 if spoilt == "digest" else DIGEST,
        )
        accepted = self._offer(permit, unmoved=spoilt != "joints")

        if spoilt in {"epoch", "cycle", "purpose", "unsent"}:
            assert not accepted
        if spoilt in {"digest", "joints"} and purpose is Purpose.NEXT_STEP:
            assert not accepted

    @precondition(lambda self: self.known_permits)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        self._replay(data.draw(st.sampled_from(self.known_permits)))

    def _replay(self, permit: Permit) -> None:
        moving = self.permission.executing
        refreshed = replace(
            permit,
            session_epoch=self.epoch,
            cycle=self.scene.cycle,
            heartbeat_seq=len(self.sent) - 1,
        )

        assert not self._offer(refreshed, unmoved=True)
        assert self.permission.executing is moving

    def _offer(self, permit: Permit, *, unmoved: bool) -> bool:
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
            assert self.now_ns < sent_ns + min(permit.start_within_ns, LEASE_NS)
            self.accepted.append(Facts(permit, self.now_ns, sent_ns))
        return isinstance(answer, Begin)

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
    max_examples=100, stateful_step_count=40, deadline=None
)
TestAnythingHappens = pytest.mark.slow(AnythingHappens.TestCase)


# ------------------------------------------------------------------------------- walks

TIMES_S = [0.05, 0.05, 0.3, 0.3, 0.7, 1.0, 1.9, 2.0]


class Walk:
    """Lets one thing after another happen; what makes motion likely is likely."""

    def __init__(self, chance: random.Random) -> None:
        self.machine = machine = AnythingHappens()
        self._chance = chance
        self._likely = {
            self._beat: 8,
            self._beat_late: 3,
            self._offer: 12,
            self._replay: 3,
            self._wait: 8,
            self._acknowledge: 4,
            self._move_the_scene: 3,
            self._open_session: 1,
            machine.begin_afresh: 3,
            machine.the_step_ends: 3,
            machine.close_session: 1,
            machine.withdraw: 1,
            machine.hold_by_itself: 1,
            machine.report: 1,
            machine.tick: 4,
        }

    def step(self) -> None:
        """Let one thing happen, and look."""
        happenings, weights = zip(*self._likely.items(), strict=True)
        [happen] = self._chance.choices(happenings, weights=weights)
        happen()
        self.machine.no_motion_without_a_live_permit()
        self.machine.the_lease_never_outlives_two_seconds_after_a_sending()
        self.machine.each_permit_was_accepted_once()

    def _moment(self) -> int:
        return round(self._chance.choice(TIMES_S) * SECOND_NS)

    def _wait(self) -> None:
        self.machine.time_passes(step_ns=self._moment())

    def _beat(self) -> None:
        if self.machine.permission.session_open:
            self.machine.beat_and_acknowledge()

    def _beat_late(self) -> None:
        if self.machine.permission.session_open:
            self.machine.beat_and_acknowledge_later(delay_ns=self._moment())

    def _acknowledge(self) -> None:
        self.machine.acknowledge(
            seq=self._chance.randrange(len(self.machine.sent) + 1),
            epoch_off=self._chance.choice([0, 0, -1, 1]),
        )

    def _offer(self) -> None:
        if self.machine.epoch:
            self.machine.offer(
                spoilt=self._chance.choice([""] * 6 + SPOILT),
                heartbeat_back=self._chance.choice([0, 0, 0, 1, 2]),
                start_within_ns=self._chance.choice([1, 1, 1, 0, 3]) * SECOND_NS,
                off=self._chance.choice([-1, 1]),
            )

    def _replay(self) -> None:
        if self.machine.known_permits:
            self.machine._replay(self._chance.choice(self.machine.known_permits))

    def _move_the_scene(self) -> None:
        self.machine.the_scene_changes(
            stand=self._chance.choice(list(Stand)), cycle=self._chance.randrange(2)
        )

    def _open_session(self) -> None:
        self.machine.open_session(
            epoch=self.machine.highest_epoch + self._chance.choice([-1, 0, 1]),
            lease_s=self._chance.choice([0, 1, 2, 100]),
        )


@pytest.mark.parametrize("seed", range(10))
def test_no_walk_through_thousands_of_events_moves_without_leave(seed) -> None:
    chance = random.Random(seed)  # noqa: S311 - a walk, no secret
    moved = 0
    for _ in range(60):
        walk = Walk(chance)
        for _ in range(200):
            walk.step()
            moved += walk.machine.permission.may_move(walk.machine.now_ns)

    assert moved > 600, "the walk hardly ever reached motion and proves little"
