"""The rules of the check: each fault in words, with what to do."""

import re
from dataclasses import replace

import pytest

from ros_nodes.adapters.forbidden import _NEVER_CALLED as NEVER_CALLED
from ros_nodes.check.finding import Finding, Weight
from ros_nodes.check.findings import find
from ros_nodes.check.seen import Endpoint, Heard, Seen, TopicSeen
from ros_nodes.check.wants import Wants
from ros_nodes.config import ProgramSpec, RobotSpec, TopicSpec
from tests.ros_nodes.cells import ROOT
from tests.ros_nodes.check.looks import (
    JOINTS,
    SAFETY,
    TOPICS,
    WRENCH,
    heard,
    look,
    make_wants,
    publisher,
    without,
)

FT = "topics.wrench"
JS = "topics.joints"


def the_one(wants: Wants, seen: Seen) -> Finding:
    [found] = find(wants, seen)
    assert found.text
    assert found.remedy
    return found


def wrench(*publishers: Endpoint, **facts) -> Seen:
    """A look in which only the wrench differs."""
    by = publishers or (publisher(WRENCH),)
    said = heard(**({"rate_hz": 100.0, "count": 300} | facts))
    return look({FT: TopicSeen(by, (), said)})


def test_a_cell_that_has_all_it_needs_has_no_finding() -> None:
    assert find(make_wants(), look()) == ()


def test_an_empty_domain_is_one_finding_and_not_one_a_topic() -> None:
    seen = look(nodes=(), graph={}, services={}, topics={}, shell_domain="7")

    found = the_one(make_wants(domain_id=42), seen)

    assert found.code == "NOBODY_THERE"
    assert "domain 42" in found.text
    assert "7" in found.text


# ---------------------------------------------------------------- publishers and types


def test_a_topic_that_nobody_publishes_names_the_one_that_is_meant() -> None:
    seen = without(JS, **{"/joint_states": (JOINTS,)})

    found = the_one(make_wants(), seen)

    assert (found.code, found.weight) == ("NO_PUBLISHER", Weight.HOLDS)
    assert "did you mean /joint_states?" in found.text
    assert '"/joint_states"' in found.remedy


def test_a_topic_without_which_the_cell_can_work_is_a_note() -> None:
    found = the_one(make_wants(policy="tolerate"), without(FT))

    assert (found.code, found.weight) == ("NO_PUBLISHER", Weight.NOTE)


def test_a_program_that_is_not_started_yet_does_not_keep_the_cell_from_starting():
    seen = look({"steps": TopicSeen(), "permits": TopicSeen()})

    found = find(make_wants(), seen)

    assert {f.code for f in found} == {"NO_PUBLISHER", "NO_LISTENER"}
    assert {f.weight for f in found} == {Weight.NOTE}
    assert all("start it after the node" in f.remedy for f in found)


def test_another_type_is_named_with_the_node_that_publishes_it() -> None:
    found = the_one(make_wants(), wrench(publisher("geometry_msgs/msg/Wrench", "/ft")))

    assert found.code == "WRONG_TYPE"
    assert "/ft publishes /ft/wrench as geometry_msgs/msg/Wrench" in found.text


def test_two_publishers_on_a_topic_are_named() -> None:
    seen = wrench(publisher(WRENCH, "/a"), publisher(WRENCH, "/b"))

    found = the_one(make_wants(), seen)

    assert (found.code, found.weight) == ("TWO_PUBLISHERS", Weight.HOLDS)
    assert "/a, /b" in found.text


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (TopicSeen(installed=False), "TYPE_NOT_INSTALLED"),
        (TopicSeen(has_field=False), "NO_FIELD"),
    ],
)
def test_a_type_that_cannot_be_read_here_is_told_before_the_node_refuses_it(
    there: TopicSeen, code: str
) -> None:
    found = the_one(make_wants(), look({"safety[0]": there}))

    assert (found.code, found.weight) == (code, Weight.HOLDS)
    assert SAFETY.type in found.text


# --------------------------------------------------------------------------------- QoS


LATCHED = {**TOPICS, "wrench": replace(TOPICS["wrench"], latched=True)}


@pytest.mark.parametrize(
    ("offers", "lacking"),
    [
        ({"latched": False}, "latched (transient local)"),
        ({"latched": True, "reliable": False}, "reliable"),
        (
            {"latched": False, "reliable": False},
            "latched (transient local) and reliable",
        ),
    ],
)
def test_what_is_asked_for_and_not_offered_is_named(offers, lacking) -> None:
    found = the_one(make_wants(topics=LATCHED), wrench(publisher(WRENCH, **offers)))

    assert (found.code, found.weight) == ("QOS_MISMATCH", Weight.HOLDS)
    assert f"asks for {lacking} on" in found.text


def test_a_latched_topic_to_which_nobody_asks_is_a_note() -> None:
    found = the_one(make_wants(), wrench(publisher(WRENCH, latched=True)))

    assert (found.code, found.weight) == ("NOT_LATCHED", Weight.NOTE)


def test_steps_that_may_be_lost_are_refused() -> None:
    said = publisher("std_msgs/msg/String", "/program", reliable=False)
    seen = look({"steps": TopicSeen((said,))})

    assert the_one(make_wants(), seen).code == "QOS_MISMATCH"


def test_a_program_that_waits_for_kept_leave_would_wait_for_ever() -> None:
    listener = publisher("std_msgs/msg/String", "/program", latched=True)
    seen = look({"permits": TopicSeen((), (listener,))})

    found = the_one(make_wants(), seen)

    assert (found.code, found.where) == ("QOS_MISMATCH", "permits")


# ----------------------------------------------------------------------- what was said


@pytest.mark.parametrize(
    ("rate_hz", "weight"),
    [
        pytest.param(79.0, Weight.HOLDS, id="slower-leaves-gaps"),
        pytest.param(121.0, Weight.NOTE, id="faster-loses-nothing"),
        pytest.param(float("nan"), Weight.HOLDS, id="not-a-number"),
    ],
)
def test_a_rate_more_than_a_fifth_off_is_told_with_both_numbers(rate_hz, weight):
    found = the_one(make_wants(), wrench(rate_hz=rate_hz))

    assert (found.code, found.weight) == ("RATE_OFF", weight)
    assert "configured is 100 Hz" in found.text


@pytest.mark.parametrize("rate_hz", [80.0, 120.0])
def test_a_rate_a_fifth_off_is_the_configured_one(rate_hz) -> None:
    assert find(make_wants(), wrench(rate_hz=rate_hz)) == ()


def test_a_rate_that_nobody_configured_is_told_so_that_it_can_be() -> None:
    topics = {**TOPICS, "wrench": TopicSpec("wrench", "/ft/wrench", WRENCH)}

    found = the_one(make_wants(topics=topics), wrench(rate_hz=124.7))

    assert (found.code, found.weight) == ("RATE_UNKNOWN", Weight.NOTE)
    assert "rate_hz = 125" in found.remedy


def test_a_publisher_that_says_nothing_is_not_one_that_is_absent() -> None:
    found = the_one(
        make_wants(), look({FT: TopicSeen((publisher(WRENCH),), (), Heard())})
    )

    assert (found.code, found.weight) == ("SILENT", Weight.HOLDS)
    assert "/driver is there" in found.text


@pytest.mark.parametrize(
    ("age_s", "words"), [(0.3, "old when they come"), (-3.2, "in the future")]
)
def test_stamps_of_another_clock_are_told(age_s, words) -> None:
    found = the_one(make_wants(), wrench(age_s=age_s))

    assert (found.code, found.weight) == ("CLOCK_SKEW", Weight.HOLDS)
    assert words in found.text
    assert "0.25" in found.text


def test_messages_without_a_stamp_are_told() -> None:
    found = the_one(make_wants(), wrench(unstamped=True, age_s=None))

    assert found.code == "NO_STAMP"


def test_losses_are_worth_a_word() -> None:
    found = the_one(make_wants(), wrench(lost=3))

    assert (found.code, found.weight) == ("LOST", Weight.NOTE)
    assert "3 of 303" in found.text


def test_a_joint_of_another_name_is_told_with_the_one_that_is_meant() -> None:
    said = heard(names=("ur5e_shoulder", "ur5e_elbow"))
    found = find(make_wants(), look({JS: TopicSeen((publisher(JOINTS),), (), said)}))

    assert {f.code for f in found} == {"NOT_IN_MESSAGE"}
    assert '"joints:position:elbow"' in found[0].text
    assert "did you mean ur5e_elbow?" in found[0].text


def test_a_field_that_a_driver_leaves_empty_is_told() -> None:
    said = heard(lengths={"position": 2, "velocity": 2, "effort": 0})
    found = the_one(make_wants(), look({JS: TopicSeen((publisher(JOINTS),), (), said)}))

    assert '"joints:effort:elbow"' in found.text
    assert "0 values of effort" in found.text


def test_a_robot_in_a_protective_stop_is_seen_before_the_start() -> None:
    said = Heard(count=1, value=3)
    there = TopicSeen((publisher(SAFETY.type, latched=True),), (), said)

    found = the_one(make_wants(), look({"safety[0]": there}))

    assert (found.code, found.weight) == ("SAFETY_STOP_SEEN", Weight.HOLDS)
    assert "mode = 3" in found.text
    assert "in person" in found.remedy


def test_true_is_not_one() -> None:
    said = Heard(count=1, value=True)
    there = TopicSeen((publisher(SAFETY.type, latched=True),), (), said)

    assert the_one(make_wants(), look({"safety[0]": there})).code == (
        "SAFETY_STOP_SEEN"
    )


# --------------------------------------------------------------------- services, holds


def test_a_service_that_is_not_there_names_the_one_that_is_meant() -> None:
    services = {
        "/dashboard_client/pause": ("std_srvs/srv/Trigger",),
        "/dashboard/play": ("std_srvs/srv/Trigger",),
    }

    found = the_one(make_wants(), look(services=services))

    assert (found.code, found.where) == ("NO_SERVICE", "robot.hold")
    assert "did you mean /dashboard_client/pause" in found.text


@pytest.mark.parametrize("forbidden", NEVER_CALLED)
def test_a_service_that_ends_a_safety_stop_is_never_proposed(forbidden) -> None:
    services = {
        f"/dashboard_client/{forbidden}": ("std_srvs/srv/Trigger",),
        "/dashboard/play": ("std_srvs/srv/Trigger",),
    }
    robot = RobotSpec(hold=f"/dashboard/{forbidden[:-1]}", resume="/dashboard/play")

    [found] = find(make_wants(robot=robot), look(services=services))

    assert found.code == "NO_SERVICE"
    assert f"/dashboard_client/{forbidden}" not in found.text


def test_a_service_of_another_type_is_told_with_both() -> None:
    services = {
        "/dashboard/pause": ("std_srvs/srv/SetBool",),
        "/dashboard/play": ("std_srvs/srv/Trigger",),
    }

    found = the_one(make_wants(), look(services=services))

    assert found.code == "WRONG_SERVICE_TYPE"
    assert "SetBool" in found.text
    assert "Trigger" in found.text


def test_a_hold_topic_without_a_listener_would_hold_nothing() -> None:
    robot = RobotSpec(adapter="topic", hold="hold")

    found = the_one(make_wants(robot=robot), look())

    assert (found.code, found.weight) == ("NO_LISTENER", Weight.HOLDS)
    assert found.where == "robot.hold"


def test_a_program_that_calls_is_not_looked_for_on_topics() -> None:
    seen = look({"steps": TopicSeen(), "permits": TopicSeen()})
    wants = make_wants(program=ProgramSpec(adapter="decide"))

    assert find(wants, seen) == ()


# ----------------------------------------------------------------- clock, node, server


@pytest.mark.parametrize(
    ("runs", "code"), [(None, "NO_CLOCK"), (False, "CLOCK_STANDS")]
)
def test_simulated_time_needs_a_clock_that_runs(runs, code) -> None:
    found = the_one(make_wants(use_sim_time=True), look(clock_runs=runs))

    assert (found.code, found.weight) == (code, Weight.HOLDS)


def test_a_node_that_runs_already_is_a_note() -> None:
    found = the_one(make_wants(), look(nodes=("/driver", "/press_1/cell_node")))

    assert (found.code, found.weight) == ("ALREADY_RUNNING", Weight.NOTE)


def test_a_coordinator_that_is_not_there_is_a_note() -> None:
    found = the_one(make_wants(), look(coordinator=False))

    assert (found.code, found.weight) == ("NO_COORDINATOR", Weight.NOTE)


def test_what_would_hold_the_cell_comes_before_what_is_good_to_know() -> None:
    seen = replace(wrench(rate_hz=10.0), coordinator=False)

    found = find(make_wants(), seen)

    assert [f.weight for f in found] == [Weight.HOLDS, Weight.NOTE]


def test_every_finding_has_its_row_in_the_page_for_integrators() -> None:
    sources = (ROOT / "ros_nodes/check").glob("*.py")
    codes = {
        code
        for path in sources
        for code in re.findall(
            r'Finding\(\s*"([A-Z_]+)"', path.read_text(encoding="utf-8")
        )
    }
    page = (ROOT / "docs/integrating.md").read_text(encoding="utf-8")

    assert len(codes) > 15
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
