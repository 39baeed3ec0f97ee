"""Features are computed beside the loop: the newest image wins, nothing waits."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from ros_nodes.clock import SystemClock
from ros_nodes.images import Reducer, features
from ros_nodes.images.features import GROUP
from tests.ros_nodes.images.image_messages import write_image

RAW = "sensor_msgs/msg/Image"


class Gate:
    """A feature that takes as long as the test says."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.seen: list[int] = []

    def __call__(self, image: np.ndarray) -> float:
        self.seen.append(int(image[0, 0]))
        assert self.open.wait(10.0)
        if image[0, 0] == 99:
            raise ZeroDivisionError("a bug of the plant's own")
        return float(image[0, 0])


def image(value: int) -> bytes:
    return write_image(value, (1, 1), "mono8", bytes([value]), step=1)


@pytest.fixture
def gate(monkeypatch) -> Gate:
    gate = Gate()
    entry = EntryPoint("gate", "unused:unused", GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: gate)
    monkeypatch.setattr(features, "entry_points", lambda group: EntryPoints([entry]))
    return gate


@pytest.fixture
def dropped() -> Counter[str]:
    return Counter()


@pytest.fixture
def reducer(gate: Gate, dropped: Counter[str]) -> Iterator[Reducer]:
    reducer = Reducer("cam", RAW, ["mean", "gate"], dropped)
    yield reducer
    gate.open.set()
    reducer.close()


def until(fact: Callable[[], object]) -> None:
    clock = SystemClock()
    end_ns = clock.monotonic_ns() + 10 * 10**9
    while not fact():
        assert clock.monotonic_ns() < end_ns
        clock.block(0.001)


def until_failed(reducer: Reducer, dropped: Counter[str], count: int) -> None:
    def failed() -> bool:
        reducer.take()
        return dropped["failed_cam"] >= count

    until(failed)


def rows_of(reducer: Reducer, count: int) -> list[tuple[int, tuple[float, ...]]]:
    rows: list[tuple[int, tuple[float, ...]]] = []

    def enough() -> bool:
        rows.extend(reducer.take())
        return len(rows) >= count

    until(enough)
    return rows


def test_an_image_becomes_its_features_with_the_stamp_of_its_header(
    gate: Gate, reducer: Reducer, dropped: Counter[str]
) -> None:
    gate.open.set()
    reducer.offer([image(7)])

    assert rows_of(reducer, 1) == [(7, (7.0, 7.0))]
    assert dropped == {}


def test_while_one_is_under_way_only_the_newest_waits(
    gate: Gate, reducer: Reducer, dropped: Counter[str]
) -> None:
    reducer.offer([image(1)])
    until(lambda: gate.seen)
    for number in range(2, 6):
        reducer.offer([image(number)])
        assert reducer.take() == []  # the loop goes on meanwhile
    gate.open.set()

    assert [stamp for stamp, _ in rows_of(reducer, 2)] == [1, 5]
    assert gate.seen == [1, 5]
    assert dropped == {"skipped_cam": 3}


def test_of_images_that_came_together_the_newest_is_taken(
    gate: Gate, reducer: Reducer, dropped: Counter[str]
) -> None:
    gate.open.set()
    reducer.offer([image(number) for number in (1, 2, 3)])

    assert [stamp for stamp, _ in rows_of(reducer, 1)] == [3]
    assert dropped == {"skipped_cam": 2}


def test_a_feature_that_fails_is_counted_said_once_and_stops_nothing(
    gate: Gate,
    reducer: Reducer,
    dropped: Counter[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate.open.set()
    with caplog.at_level(logging.ERROR):
        for count in (1, 2):
            reducer.offer([image(99)])
            until_failed(reducer, dropped, count)
        reducer.offer([image(5)])

    assert [stamp for stamp, _ in rows_of(reducer, 1)] == [5]
    assert dropped == {"failed_cam": 2}
    assert len([r for r in caplog.records if "feature of cam failed" in r.message]) == 1


def test_what_is_no_image_is_counted(reducer: Reducer, dropped: Counter[str]) -> None:
    reducer.offer([b"nonsense"])

    until(lambda: reducer.take() or dropped)
    assert dropped == {"malformed_cam": 1}
