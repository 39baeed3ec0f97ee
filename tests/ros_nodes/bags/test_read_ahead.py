"""Reading ahead hands over every message, and every refusal, and ends when told to."""

import itertools
import threading

import pytest

from ros_nodes.bags.ahead import ReadAhead
from ros_nodes.bags.terms import Recorded, RecordingRefusedError


def message(number: int) -> Recorded:
    return Recorded("/t", number, b"")


def test_all_messages_come_in_order() -> None:
    with ReadAhead(map(message, range(9_000))) as messages:
        numbers = [one.log_ns for one in messages]

    assert numbers == list(range(9_000))


def test_a_refusal_comes_after_what_could_be_read() -> None:
    def damaged():
        yield message(1)
        raise RecordingRefusedError("damaged here")

    with ReadAhead(damaged()) as messages:
        assert next(messages) == message(1)
        with pytest.raises(RecordingRefusedError, match="damaged here"):
            next(messages)


def test_nobody_needs_to_read_to_the_end() -> None:
    with ReadAhead(map(message, itertools.count())) as messages:
        assert next(messages) == message(0)

    assert "read-ahead" not in {thread.name for thread in threading.enumerate()}
