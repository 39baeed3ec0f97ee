"""One line on a terminal says how far it is, and leaves no trace."""

import io

from ros_nodes.bags.line import StatusLine, bar
from ros_nodes.clock import ManualClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_takes_the_place_of_the_one_before() -> None:
    clock, terminal = ManualClock(), Terminal()
    line = StatusLine(clock, terminal)

    line.show("1000 messages")
    line.show("9")
    line.end()

    assert terminal.getvalue() == (
        "\r1000 messages" + "\r9" + " " * 12 + "\r" + " " + "\r"
    )


def test_it_is_drawn_twice_a_second() -> None:
    clock = ManualClock()
    line = StatusLine(clock, Terminal())
    line.show("x")

    at_once = line.due
    clock.advance(0.5)

    assert not at_once
    assert line.due


def test_where_nobody_watches_nothing_is_written() -> None:
    file = io.StringIO()
    line = StatusLine(ManualClock(), file)

    line.show("x")
    line.end()

    assert not line.due
    assert file.getvalue() == ""


def test_a_bar_is_filled_as_far_as_it_is() -> None:
    assert bar(0.5, 4) == "[##..]"
    assert bar(-1.0, 4) == "[....]"
    assert bar(7.0, 4) == "[####]"
