"""Messages are played at their moments; a player that is late says so and goes on."""

import itertools
import math

import pytest

from ros_nodes.bags.player import Manner, Player
from ros_nodes.bags.stamps import stamp_ns
from ros_nodes.bags.terms import Recorded
from ros_nodes.bags.timing import Timing
from ros_nodes.clock import SECOND_NS, ManualClock, seconds_to_ns
from tests.ros_nodes.bags.bag_builders import BEGIN_NS, joints

MS = 1_000_000


class WaitingClock(ManualClock):
    """Moves when somebody waits for it, and a little further."""

    def __init__(self, late_s: float = 0.0) -> None:
        super().__init__()
        self.late_s = late_s

    def block(self, seconds: float) -> None:
        self.advance(seconds + self.late_s)


class Stage:
    """What was published, and when, in s from the beginning."""

    def __init__(self, clock: WaitingClock, manner: Manner | None = None, **facts):
        self.clock = clock
        self.said: list[tuple[str, float, bytes]] = []
        self.begun_ns = clock.monotonic_ns()
        self.ends_after = math.inf
        self.ticks: list[int] = []
        self.player = Player(
            clock,
            self._publish,
            manner or Manner(),
            ending=lambda: len(self.said) >= self.ends_after,
            tick=self.ticks.append,
        )

    def _publish(self, topic: str, message: bytes) -> None:
        at_s = (self.clock.monotonic_ns() - self.begun_ns) / SECOND_NS
        self.said.append((topic, round(at_s, 6), message))


def at(*moments_s: float, topic: str = "/t") -> list[Recorded]:
    return [
        Recorded(topic, BEGIN_NS + seconds_to_ns(at_s), str(at_s).encode())
        for at_s in moments_s
    ]


@pytest.mark.parametrize(
    ("rate", "expected"), [(1.0, [0.0, 0.5, 2.0]), (4.0, [0.0, 0.125, 0.5])]
)
def test_messages_are_played_in_their_own_time_or_faster(rate, expected) -> None:
    stage = Stage(WaitingClock(), Manner(rate))

    whole = stage.player.play(at(0.0, 0.5, 2.0), begin_ns=BEGIN_NS)

    assert whole
    assert [at_s for _, at_s, _ in stage.said] == expected
    assert [message for *_, message in stage.said] == [b"0.0", b"0.5", b"2.0"]
    assert stage.player.played.by_topic == {"/t": 3}


def test_a_part_begins_at_once() -> None:
    stage = Stage(WaitingClock())

    stage.player.play(at(5.0, 6.0), begin_ns=BEGIN_NS + 5 * SECOND_NS)

    assert [at_s for _, at_s, _ in stage.said] == [0.0, 1.0]


def test_a_message_behind_a_later_one_is_sent_at_once_and_counted() -> None:
    stage = Stage(WaitingClock())

    stage.player.play(at(0.0, 2.0, 1.0, 3.0), begin_ns=BEGIN_NS)

    assert [at_s for _, at_s, _ in stage.said] == [0.0, 2.0, 2.0, 3.0]
    assert stage.player.played.disordered == 1


def test_lateness_is_measured() -> None:
    stage = Stage(WaitingClock(late_s=0.002))

    stage.player.play(at(*(n * 0.1 for n in range(11))), begin_ns=BEGIN_NS)

    timing = stage.player.played.timing
    assert timing.count == 11
    assert timing.quantile_ms(0.5) == pytest.approx(2.0, abs=2.1)
    assert timing.worst_ns >= 2 * MS


def test_a_player_that_slept_for_long_goes_on_without_a_burst() -> None:
    clock = WaitingClock()
    stage = Stage(clock)
    messages = iter(at(0.0, 0.1, 0.2, 0.3))

    def slept():
        yield next(messages)
        clock.advance(60.0)
        yield from messages

    stage.player.play(slept(), begin_ns=BEGIN_NS)

    assert [at_s for _, at_s, _ in stage.said] == [0.0, 60.0, 60.1, 60.2]
    assert stage.player.played.lags == 1


def test_it_ends_when_it_is_told_to() -> None:
    stage = Stage(WaitingClock())
    stage.ends_after = 2

    whole = stage.player.play(at(0.0, 1.0, 2.0, 3.0), begin_ns=BEGIN_NS)

    assert not whole
    assert len(stage.said) == 2


def test_the_recorded_time_is_told_while_nothing_is_played() -> None:
    stage = Stage(WaitingClock(), Manner(2.0))

    stage.player.play(at(0.0, 1.0), begin_ns=BEGIN_NS)

    steps = [later - before for before, later in itertools.pairwise(stage.ticks)]
    assert stage.ticks[0] == BEGIN_NS
    assert len(stage.ticks) >= 50
    assert max(steps) <= 20 * MS


def test_stamps_are_of_now_or_stay() -> None:
    message = joints(0)
    clock = WaitingClock()
    stage = Stage(clock, Manner(1.0, {"/new"}))
    recorded = [Recorded(topic, BEGIN_NS, message) for topic in ("/new", "/old")]

    stage.player.play(recorded, begin_ns=BEGIN_NS)

    new, old = (stamp_ns(said) for *_, said in stage.said)
    assert new == clock.utc_ns()
    assert old == BEGIN_NS


def test_a_stamp_says_when_a_message_was_due_and_not_when_the_player_woke() -> None:
    clock = WaitingClock(late_s=0.003)
    stage = Stage(clock, Manner(1.0, {"/t"}))
    recorded = [
        Recorded("/t", BEGIN_NS + n * 7 * MS, joints(n * 7 * MS)) for n in (0, 1)
    ]

    stage.player.play(recorded, begin_ns=BEGIN_NS)

    first, second = (stamp_ns(said) for *_, said in stage.said)
    assert first is not None
    assert second is not None
    assert second - first == 7 * MS


def test_quantiles_and_a_picture() -> None:
    timing = Timing()
    for _ in range(98):
        timing.add(55_000)
    timing.add(-3 * MS)
    timing.add(5 * SECOND_NS)

    lines = list(timing.picture())

    assert timing.quantile_ms(0.5) == pytest.approx(0.06)
    assert timing.quantile_ms(0.99) == pytest.approx(3.01)
    assert timing.quantile_ms(1.0) > 1_000
    assert [line.split()[-1] for line in lines] == ["98.00%", "1.00%", "1.00%"]
    assert lines[0].startswith("     0 to 0.1 ms  ###")


def test_without_messages_there_is_no_picture() -> None:
    assert math.isnan(Timing().quantile_ms(0.5))
    assert list(Timing().picture()) == []
