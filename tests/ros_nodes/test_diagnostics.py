"""How bad /diagnostics says it is."""

from dataclasses import replace

import pytest

from ros_nodes.clip import Kept, Ring
from ros_nodes.clock import SECOND_NS
from ros_nodes.diagnostics import (
    Level,
    TopicFacts,
    about_clips,
    about_drops,
    about_hold,
    about_lifecycle,
    about_link,
    about_missing,
    about_program,
    about_topic,
)
from ros_nodes.effects import HoldAnswer, Robot
from ros_nodes.permission import Permission
from ros_nodes.station import Station
from ros_nodes.terms import HoldReason
from tests.ros_nodes.node_builders import T0, at, leased_permission

WRENCH = TopicFacts(
    key="wrench",
    name="/press_1/wrench",
    required=True,
    rate_hz=500.0,
    maximum_age_s=0.25,
    received=500,
    lost=0,
    age_s=0.01,
)


@pytest.mark.parametrize(
    ("facts", "level", "text"),
    [
        pytest.param({}, Level.OK, "500.0 Hz", id="as-configured"),
        pytest.param({"received": 401}, Level.OK, "401.0 Hz", id="19-percent-off"),
        pytest.param(
            {"received": 390}, Level.WARN, "390.0 Hz, configured 500 Hz", id="slow"
        ),
        pytest.param(
            {"received": 610}, Level.WARN, "610.0 Hz, configured 500 Hz", id="fast"
        ),
        pytest.param({"rate_hz": 0.0, "received": 3}, Level.OK, "3.0 Hz", id="unknown"),
        pytest.param({"received": None}, Level.OK, "heard", id="first-report"),
        pytest.param({"lost": 2}, Level.WARN, "2 messages lost", id="lost"),
        pytest.param({"age_s": None}, Level.ERROR, "never heard", id="never"),
        pytest.param(
            {"age_s": None, "required": False},
            Level.WARN,
            "never heard",
            id="never-ask",
        ),
        pytest.param({"age_s": 3.0}, Level.ERROR, "silent for 3.0 s", id="silent"),
        pytest.param(
            {"age_s": 3.0, "required": False},
            Level.STALE,
            "silent for 3.0 s",
            id="silent-ask",
        ),
        pytest.param(
            {"age_s": float("nan")}, Level.ERROR, "silent for nan s", id="no-number"
        ),
    ],
)
def test_a_topic(facts, level: Level, text: str) -> None:
    status = about_topic(replace(WRENCH, **facts), 1.0)

    assert (status.level, status.text) == (level, text)
    assert status.name == "topic wrench"


def test_a_link_with_a_lease_is_ok_and_says_what_is_left() -> None:
    status = about_link(
        leased_permission(), at(0.5), why_not="", wanted=True, target="h:1"
    )

    assert status.level is Level.OK
    assert status.values["lease_left_s"] == "1.50"
    assert status.values["epoch"] == "1"


def test_a_session_without_a_lease_is_not_ok() -> None:
    permission = Permission(maximum_execution_ns=SECOND_NS)
    permission.open(epoch=1, store_id="s", lease_ns=SECOND_NS, now_ns=T0)
    status = about_link(permission, T0, why_not="", wanted=True, target="h:1")

    assert status.level is Level.WARN


def test_a_refused_session_says_why() -> None:
    status = about_link(
        Permission(maximum_execution_ns=SECOND_NS),
        T0,
        why_not="ALREADY_EXISTS: CELL_IN_USE: heard of 0.3 s ago.",
        wanted=True,
        target="h:1",
    )

    assert status.level is Level.ERROR
    assert "CELL_IN_USE" in status.text


def test_a_link_that_nobody_wants_is_no_error() -> None:
    status = about_link(
        Permission(maximum_execution_ns=SECOND_NS),
        T0,
        why_not="x",
        wanted=False,
        target="h:1",
    )

    assert status.level is Level.WARN


def test_a_hold_is_a_warning_and_one_that_is_not_obeyed_an_error() -> None:
    station = Station(leased_permission())
    station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.1))
    held = about_hold(station)
    station.hold_answered(at(0.2), HoldAnswer.UNCONFIRMED)
    unconfirmed = about_hold(station)

    assert held.level is Level.WARN
    assert held.values["reason"] == "operator_hold"
    assert station.robot is Robot.UNCONFIRMED
    assert unconfirmed.level is Level.ERROR
    assert unconfirmed.text.startswith("HOLD_UNCONFIRMED")
    assert unconfirmed.values["hold_unconfirmed"] == "true"


@pytest.mark.parametrize(
    ("waiting", "working", "level"),
    [
        (True, False, Level.OK),
        (False, True, Level.OK),
        (False, False, Level.WARN),
    ],
)
def test_a_program(waiting: bool, working: bool, level: Level) -> None:
    status = about_program(
        adapter="decide", waiting=waiting, working=working, values={"calls": "3"}
    )

    assert status.level is level
    assert status.values == {"adapter": "decide", "calls": "3"}


def test_drops_warn_while_they_rise() -> None:
    rising = about_drops({"lost_wrench": 3, "old": 1}, {"lost_wrench": 2, "old": 1})
    resting = about_drops({"lost_wrench": 3}, {"lost_wrench": 3})

    assert (rising.level, rising.text) == (Level.WARN, "rising: lost_wrench")
    assert resting.level is Level.OK
    assert resting.values == {"lost_wrench": "3"}


def test_clips_warn_when_one_is_lost() -> None:
    ring = Ring(reach_ns=SECOND_NS, maximum_bytes=1_000_000)
    ring.append(Kept("wrench", T0, T0, b"x" * 300))

    assert about_clips(ring, {"clip_lost": 1}, {"clip_lost": 1}).level is Level.OK
    assert about_clips(ring, {"clip_lost": 1}, {}).level is Level.WARN
    assert about_clips(ring, {}, {}).values["messages"] == "1"


def test_what_is_missing_is_named() -> None:
    assert about_missing([]).level is Level.OK
    assert about_missing(["/press_1/hold"]).text == "waiting for /press_1/hold"
    assert about_missing(["/press_1/hold"]).level is Level.ERROR


@pytest.mark.parametrize(
    ("state", "refusal", "level"),
    [
        ("active", "", Level.OK),
        ("inactive", "", Level.WARN),
        ("unconfigured", "", Level.WARN),
        ("unconfigured", "cell 'x' is not configured", Level.ERROR),
        ("finalized", "", Level.WARN),
    ],
)
def test_the_lifecycle(state: str, refusal: str, level: Level) -> None:
    assert about_lifecycle(state, refusal).level is level
