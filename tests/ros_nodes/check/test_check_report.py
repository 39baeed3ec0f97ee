"""The report: a picture of the topics, findings in words, a verdict; and as values."""

import json

from ros_nodes.check.finding import Weight
from ros_nodes.check.findings import find
from ros_nodes.check.report import WIDTH, Report, in_colour
from ros_nodes.check.seen import Seen, TopicSeen
from tests.ros_nodes.check.looks import (
    WRENCH,
    heard,
    look,
    make_wants,
    publisher,
)

SLOW = TopicSeen((publisher(WRENCH),), (), heard(12.5))


def report(seen: Seen) -> Report:
    wants = make_wants()
    return Report(wants, seen, find(wants, seen))


def test_every_topic_is_drawn_with_what_was_measured_and_what_was_wanted() -> None:
    lines = list(report(look({"topics.wrench": SLOW})).lines())

    [row] = [
        line for line in lines if line.split()[1:3] == ["topics.wrench", "/ft/wrench"]
    ]
    assert row.split()[0] == "HOLDS"
    assert "100 Hz" in row
    assert "1.0 ms" in row
    assert row.endswith("/driver")


def test_a_finding_is_told_with_what_to_do_in_a_width_that_is_read() -> None:
    lines = list(report(look({"topics.wrench": SLOW})).lines())

    text = "\n".join(lines)
    assert "HOLDS  RATE_OFF (topics.wrench)" in text
    assert "-> " in text
    told = lines[lines.index("HOLDS  RATE_OFF (topics.wrench)") :]
    assert all(len(line) <= WIDTH for line in told)
    assert lines[-1] == "1 thing would keep cell press-1 from working"


def test_a_cell_that_can_start_is_told_so() -> None:
    assert list(report(look()).lines())[-1] == "cell press-1 can start"


def test_an_empty_domain_calls_no_topic_well() -> None:
    seen = look(nodes=(), topics={}, graph={}, services={})

    assert not [line for line in report(seen).lines() if line.startswith("ok")]


def test_colour_says_nothing_that_the_words_do_not() -> None:
    one = report(look({"topics.wrench": SLOW}))
    coloured = "\n".join(one.lines(in_colour))
    for code in ("31", "32", "33"):
        coloured = coloured.replace(f"\x1b[{code}m", "")

    assert coloured.replace("\x1b[0m", "") == "\n".join(one.lines())


def test_a_program_reads_the_same_as_values() -> None:
    values = json.loads(json.dumps(report(look({"topics.wrench": SLOW})).as_values()))

    assert values["would_hold"] is True
    [finding] = values["findings"]
    assert finding["code"] == "RATE_OFF"
    assert finding["weight"] == Weight.HOLDS.value
    assert finding["where"] == "cells.press-1.ros.topics.wrench"
    [topic] = [t for t in values["topics"] if t["name"] == "/ft/wrench"]
    assert (topic["rate_hz"], topic["configured_hz"]) == (12.5, 100.0)
