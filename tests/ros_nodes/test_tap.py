"""A tap takes all that arrived, in order, and counts what did not."""

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

from ros_nodes.tap import Tap


class Handle:
    """What rclpy's subscription handle offers; a stand-in for it."""

    def __init__(self, *taken: tuple[bytes, dict[str, object]]) -> None:
        self._taken: Iterator[tuple[bytes, dict[str, object]]] = iter(taken)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None

    def take_message(self, kind: object, raw: bool) -> object:
        assert raw
        return next(self._taken, None)


def numbered(number: int, publisher: bytes = b"a") -> tuple[bytes, dict[str, object]]:
    return f"m{number}".encode(), {
        "publication_sequence_number": number,
        "publisher_gid": {"data": publisher},
    }


def subscription(*taken: tuple[bytes, dict[str, object]]) -> SimpleNamespace:
    return SimpleNamespace(handle=Handle(*taken), msg_type=object)


def messages(tap: Tap) -> list[bytes]:
    return [message for message, _ in tap.drain()]


def test_all_that_arrived_is_taken_in_order() -> None:
    tap = Tap("joints", Counter())

    assert tap.poll(subscription(numbered(1), numbered(2)))
    assert messages(tap) == [b"m1", b"m2"]
    assert messages(tap) == []


def test_lost_messages_are_counted_by_their_numbers() -> None:
    dropped: Counter[str] = Counter()
    tap = Tap("joints", dropped)
    tap.poll(subscription(numbered(3), numbered(4), numbered(8)))

    tap.drain()

    assert dropped == {"lost_joints": 3}


def test_a_publisher_that_begins_anew_lost_nothing() -> None:
    dropped: Counter[str] = Counter()
    tap = Tap("joints", dropped)
    tap.poll(subscription(numbered(9), numbered(1, b"b"), numbered(2, b"b")))

    tap.drain()

    assert dropped == {}


def test_losses_of_two_publishers_on_one_topic_are_counted_apart() -> None:
    dropped: Counter[str] = Counter()
    tap = Tap("joints", dropped)
    tap.poll(
        subscription(
            numbered(1), numbered(7, b"b"), numbered(3), numbered(8, b"b"), numbered(4)
        )
    )

    tap.drain()

    assert dropped == {"lost_joints": 1}
    assert (tap.received, tap.lost) == (5, 1)


def of_anybody(number: int) -> tuple[bytes, dict[str, object]]:
    """A message as Jazzy's rclpy hands it over."""
    return f"m{number}".encode(), {"publication_sequence_number": number}


def heard_of_anybody(*numbers: int) -> Tap:
    tap = Tap("joints", Counter())
    tap.poll(subscription(*map(of_anybody, numbers)))
    tap.drain()
    return tap


def test_where_publishers_are_not_named_losses_are_counted_by_the_numbers() -> None:
    tap = heard_of_anybody(3, 4, 8, 9)

    assert (tap.lost, tap.counts_losses) == (3, True)


def test_where_publishers_are_not_named_one_may_begin_anew() -> None:
    tap = heard_of_anybody(7, 8, 1, 2, 4, 5)

    assert (tap.lost, tap.counts_losses) == (1, True)


def test_several_publishers_that_are_not_named_lose_nothing_that_was_not_lost() -> None:
    tap = heard_of_anybody(3, 900, 4, 901, 902, 5, 6, 903)

    assert (tap.lost, tap.counts_losses) == (0, False)


def test_a_middleware_that_numbers_nothing_says_so() -> None:
    tap = Tap("joints", Counter())
    tap.poll(subscription((b"m", {"publication_sequence_number": None})))

    assert messages(tap) == [b"m"]
    assert not tap.counts_losses


def test_an_rclpy_that_cannot_be_polled_needs_an_executor() -> None:
    tap = Tap("joints", Counter())

    assert not tap.poll(SimpleNamespace(handle=object(), msg_type=object))
    tap.keep(b"m1")

    assert messages(tap) == [b"m1"]
    assert not tap.counts_losses


def test_what_an_executor_takes_too_fast_is_counted() -> None:
    dropped: Counter[str] = Counter()
    tap = Tap("joints", dropped)
    for number in range(2005):
        tap.keep(str(number).encode())

    kept = messages(tap)

    assert len(kept) == 2000
    assert kept[0] == b"5"
    assert dropped == {"overrun_joints": 5}
