"""A message is given another stamp without anybody knowing the rest of it."""

import itertools
import struct

import pytest

from ros_nodes.bags.stamps import Restamper, restamped, stamp_ns
from ros_nodes.cdr import write_wrench
from ros_nodes.clock import SECOND_NS
from tests.ros_nodes.bags.bag_builders import joints
from tests.ros_nodes.messages import WRENCH, stamp_of

NOW_NS = 2_000_000_000 * SECOND_NS
LOG_NS = 1_700_000_000 * SECOND_NS
MS = 1_000_000


def wrench(at_ns: int) -> bytes:
    return write_wrench(at_ns, [1, 2, 3, 4, 5, 6], "tool")


def test_only_the_stamp_changes() -> None:
    again = restamped(joints(0), NOW_NS + 7)

    assert stamp_of(again) == NOW_NS + 7
    assert again[:4] + again[12:] == joints(0)[:4] + joints(0)[12:]


def test_a_message_of_a_big_endian_machine_is_stamped_in_its_own_order() -> None:
    message = b"\x00\x00\x00\x00" + struct.pack(">iI", 5, 6) + b"rest"

    again = restamped(message, 7 * SECOND_NS + 8)

    assert stamp_ns(message) == 5 * SECOND_NS + 6
    assert again == b"\x00\x00\x00\x00" + struct.pack(">iI", 7, 8) + b"rest"


@pytest.mark.parametrize(
    "message", [b"", b"\x00\x01\x00\x00\x01", b"\x00\x09" + bytes(20)]
)
def test_a_message_without_a_stamp_stays_as_it_is(message: bytes) -> None:
    assert stamp_ns(message) is None
    assert restamped(message, NOW_NS) == message
    again = Restamper(1.0).stamped("/t", message, log_ns=LOG_NS, now_ns=NOW_NS)
    assert again == message


@pytest.mark.parametrize(("rate", "age_ms"), [(1.0, 3.0), (2.0, 1.5)])
def test_the_age_on_arrival_is_kept(rate: float, age_ms: float) -> None:
    message = wrench(LOG_NS - 3 * MS)

    again = Restamper(rate).stamped("/t", message, log_ns=LOG_NS, now_ns=NOW_NS)

    assert stamp_of(again, WRENCH) == NOW_NS - round(age_ms * MS)


def test_samples_that_were_taken_evenly_stay_even() -> None:
    # Stamps of the robot's monotonic clock, received in bursts of two.
    restamper, stamps = Restamper(1.0), []
    for number in range(6):
        arrived_ns = (number // 2) * 20 * MS
        again = restamper.stamped(
            "/t",
            wrench(77 * SECOND_NS + number * 10 * MS),
            log_ns=LOG_NS + arrived_ns,
            now_ns=NOW_NS + arrived_ns,
        )
        stamps.append(stamp_of(again, WRENCH) - NOW_NS)

    steps = {later - before for before, later in itertools.pairwise(stamps)}
    assert steps == {10 * MS}
    assert max(stamps) <= 40 * MS


def test_no_stamp_lies_in_the_future() -> None:
    message = wrench(LOG_NS + 5 * MS)

    again = Restamper(1.0).stamped("/t", message, log_ns=LOG_NS, now_ns=NOW_NS)

    assert stamp_of(again, WRENCH) <= NOW_NS
