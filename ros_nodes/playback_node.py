"""Messages of a recording, published again as the bytes they are, in original time.

One thread: it waits for the next message and publishes it. Reading is done ahead, in
another one. Types are looked up only for topics that are played.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import rclpy
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_nodes.bags.ahead import ReadAhead
from ros_nodes.bags.choice import Choice, PlayedTopic
from ros_nodes.bags.line import StatusLine, bar
from ros_nodes.bags.options import ReplayOptions
from ros_nodes.bags.player import Manner, Played, Player
from ros_nodes.bags.stamps import begins_with_header
from ros_nodes.bags.terms import Bag, RecordingRefusedError
from ros_nodes.clock import SECOND_NS, SystemClock, seconds_to_ns
from ros_nodes.msgdef import UnknownTypeError, class_named
from ros_nodes.qos import CLOCK, REPLAYED, REPLAYED_LATCHED

_LOOK_S: Final = 0.02
_SETTLE_S: Final = 0.25
"""Whoever was found has not yet found us: without this a best-effort listener misses
the first messages."""
_LAST_WORDS_S: Final = 1.0
"""Time for reliable listeners to get the last messages."""


@dataclass(frozen=True, slots=True)
class Playback:
    """What came of a replay.

    Attributes:
        played: Messages and their punctuality.
        seconds: How long it took, s.
        recorded_s: Length of the part that was played, s of the recording.
        loops: Times it was played to the end.
        unheard: Topics that nobody listened to at the end.
    """

    played: Played
    seconds: float
    recorded_s: float
    loops: int
    unheard: tuple[str, ...]


def installed(kind: str) -> bool:
    """Whether messages of a type can be published here."""
    try:
        class_named(kind)
    except UnknownTypeError:
        return False
    return True


def play(
    bag: Bag, choice: Choice, options: ReplayOptions, ending: Callable[[], bool]
) -> Playback:
    """Play a recording.

    Args:
        bag: The recording.
        choice: Topics to play.
        options: How.
        ending: Whether somebody wants it to end.

    Raises:
        RecordingRefusedError: The recording is damaged, or the part is empty.
    """
    context = Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Node(
            "replay",
            context=context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        try:
            stage = _Stage(node, bag, choice, options)
            playback = stage.play(ending)
            stage.last_words()
            return playback
        finally:
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)


class _Stage:
    """The publishers, and the part of the recording."""

    def __init__(
        self, node: Node, bag: Bag, choice: Choice, options: ReplayOptions
    ) -> None:
        self._bag = bag
        self._options = options
        self._clock = SystemClock()
        self._topics = {topic.recorded.name: topic for topic in choice.topics}
        classes = {
            name: class_named(topic.recorded.type)
            for name, topic in self._topics.items()
        }
        self._publishers = {
            name: node.create_publisher(
                classes[name],
                topic.name,
                REPLAYED_LATCHED if self._latched(topic) else REPLAYED,
            )
            for name, topic in self._topics.items()
        }
        self._stamped = frozenset(
            name for name, kind in classes.items() if begins_with_header(kind)
        )
        self._clock_class: Any = None
        self._clock_publisher: Any = None
        if options.keep_stamps:
            self._clock_class = class_named("rosgraph_msgs/msg/Clock")
            self._clock_publisher = node.create_publisher(
                self._clock_class, "/clock", CLOCK
            )
        part = options.part
        self._from_ns = bag.begin_ns + seconds_to_ns(part.from_s)
        self._until_ns = bag.end_ns + 1
        if part.to_s is not None:
            wanted_ns = bag.begin_ns + seconds_to_ns(part.to_s)
            self._until_ns = min(self._until_ns, wanted_ns)
        if self._from_ns >= self._until_ns:
            length_s = (bag.end_ns - bag.begin_ns) / SECOND_NS
            raise RecordingRefusedError(
                f"{bag.name} is {length_s:.3f} s long: nothing of it lies there"
            )

    def _latched(self, topic: PlayedTopic) -> bool:
        if topic.recorded.latched:
            return True
        cell = self._options.cell
        return cell is not None and any(
            spec.latched and topic.name.endswith("/" + spec.name.rpartition("/")[2])
            for spec in cell.ros.topics.values()
        )

    def play(self, ending: Callable[[], bool]) -> Playback:
        options = self._options
        line = StatusLine(self._clock)
        player = Player(
            self._clock,
            lambda topic, message: self._publishers[topic].publish(message),
            Manner(options.rate, frozenset() if options.keep_stamps else self._stamped),
            ending=ending,
            tick=lambda now_ns: self._tick(line, player, now_ns),
        )
        self._wait_for_listeners(ending)
        self._say_latched()
        loops, begun_ns = 0, self._clock.monotonic_ns()
        try:
            while not ending():
                whole = self._from_ns == self._bag.begin_ns
                with ReadAhead(
                    self._bag.messages(
                        set(self._topics),
                        from_ns=None if whole else self._from_ns,
                        until_ns=None if options.part.to_s is None else self._until_ns,
                    )
                ) as messages:
                    loops += player.play(messages, begin_ns=self._from_ns)
                if not player.played.messages and not ending():
                    raise RecordingRefusedError(
                        f"{self._bag.name} has no message of these topics there"
                    )
                if not options.loop:
                    break
        finally:
            line.end()
        seconds = (self._clock.monotonic_ns() - begun_ns) / SECOND_NS
        return Playback(
            player.played,
            seconds,
            (self._until_ns - self._from_ns) / SECOND_NS,
            loops,
            tuple(self._unheard()),
        )

    def _tick(self, line: StatusLine, player: Player, now_ns: int) -> None:
        if self._clock_publisher is not None:
            self._clock_publisher.publish(self._clock_message(now_ns))
        if line.due:
            length_ns = self._until_ns - self._from_ns
            done_ns = now_ns - self._from_ns
            line.show(
                f"{self._bag.name} {bar(done_ns / length_ns)} "
                f"{done_ns / SECOND_NS:.1f} of {length_ns / SECOND_NS:.1f} s, "
                f"{player.played.messages} messages"
            )

    def _clock_message(self, now_ns: int) -> Any:
        message = self._clock_class()
        message.clock.sec, message.clock.nanosec = divmod(now_ns, SECOND_NS)
        return message

    def _wait_for_listeners(self, ending: Callable[[], bool]) -> None:
        until_ns = self._clock.monotonic_ns() + seconds_to_ns(self._options.wait_s)
        while any(self._unheard()) and not ending():
            if self._clock.monotonic_ns() >= until_ns:
                break
            self._clock.block(_LOOK_S)
        if any(publisher.get_subscription_count() for publisher in self._all()):
            self._clock.block(_SETTLE_S)

    def _all(self) -> Iterable[Any]:
        return self._publishers.values()

    def _unheard(self) -> Iterator[str]:
        for name, publisher in self._publishers.items():
            if not publisher.get_subscription_count():
                yield self._topics[name].name

    def _say_latched(self) -> None:
        """Say what a late listener would have found at the part's beginning."""
        names = {n for n, topic in self._topics.items() if self._latched(topic)}
        if not names or self._from_ns <= self._bag.begin_ns:
            return
        newest = {}
        for message in self._bag.messages(names, until_ns=self._from_ns):
            newest[message.topic] = message.data
        for name, data in newest.items():
            self._publishers[name].publish(data)

    def last_words(self) -> None:
        """Let reliable listeners get what was said last."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=_LAST_WORDS_S))


class Ending:
    """Whether SIGINT or SIGTERM came; the main thread alone may make one."""

    def __init__(self) -> None:
        self._wanted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._wanted = True

    def __call__(self) -> bool:
        """Whether it is time to end."""
        return self._wanted
