"""What keeps a cell from working, found before it starts: in words, with what to do.

Pure: wants and what was seen in, findings out. The limits are those that the node and
the coordinator live by, so that what is found here would hold the cell.
"""

from __future__ import annotations

from collections.abc import Iterator

from ros_nodes.adapters.forbidden import ForbiddenServiceError, allowed_service
from ros_nodes.check.finding import Finding, Weight
from ros_nodes.check.near import near_names
from ros_nodes.check.said import what_it_said
from ros_nodes.check.seen import Endpoint, Seen, TopicSeen
from ros_nodes.check.wants import Part, WantedService, WantedTopic, Wants


def find(wants: Wants, seen: Seen) -> tuple[Finding, ...]:
    """Compare what a cell needs with what is there; the worst comes first."""
    found = [*_coordinator(wants, seen)]
    if seen.is_empty:
        return (_nobody(wants, seen), *found)
    found += [*_clock(wants, seen), *_running(wants, seen)]
    for topic in wants.topics:
        there = seen.topics.get(topic.where, TopicSeen())
        found += _heard_topic(topic, there, seen) if topic.is_heard else ()
        found += () if topic.is_heard else _told_topic(topic, there)
    for service in wants.services:
        found += _service(service, seen)
    return tuple(sorted(found, key=lambda one: one.weight is Weight.NOTE))


# ---------------------------------------------------------------------- the whole graph


def _nobody(wants: Wants, seen: Seen) -> Finding:
    shell = seen.shell_domain or "not set, which is 0"
    return Finding(
        "NOBODY_THERE",
        Weight.HOLDS,
        "domain_id",
        f"nobody is in ROS domain {wants.domain_id}; ROS_DOMAIN_ID is {shell} here",
        "start the robot's driver, or write the domain that it uses into domain_id; "
        "on another machine, look at its firewall and ROS_AUTOMATIC_DISCOVERY_RANGE",
    )


def _coordinator(wants: Wants, seen: Seen) -> Iterator[Finding]:
    if not seen.coordinator:
        yield Finding(
            "NO_COORDINATOR",
            Weight.NOTE,
            "",
            f"nobody listens at {wants.target}, where the coordinator should",
            "start `andon serve`; the node waits for it, held",
        )


def _clock(wants: Wants, seen: Seen) -> Iterator[Finding]:
    if not wants.use_sim_time:
        return
    where, remedy = "use_sim_time", "start what plays /clock, or set use_sim_time false"
    if seen.clock_runs is None:
        yield Finding("NO_CLOCK", Weight.HOLDS, where, "nobody plays /clock", remedy)
    elif not seen.clock_runs:
        text = "/clock stands still, so no sample gets older"
        yield Finding("CLOCK_STANDS", Weight.HOLDS, where, text, remedy)


def _running(wants: Wants, seen: Seen) -> Iterator[Finding]:
    if wants.node in seen.nodes:
        yield Finding(
            "ALREADY_RUNNING",
            Weight.NOTE,
            "",
            f"{wants.node} runs already; a second one would be turned away",
            "what it thinks of its topics stands in /diagnostics",
        )


# ------------------------------------------------------------------------- topics heard


def _heard_topic(topic: WantedTopic, there: TopicSeen, seen: Seen) -> Iterator[Finding]:
    if not there.installed:
        yield _not_installed(topic)
        return
    if not there.has_field:
        yield _no_field(topic)
        return
    if not there.publishers:
        yield _no_publisher(topic, seen)
        return
    yield from _publishers(topic, there)
    right = [one for one in there.publishers if one.type == topic.type]
    if right and there.heard is not None:
        yield from what_it_said(topic, right, there.heard, seen)


def _not_installed(topic: WantedTopic) -> Finding:
    package = topic.type.partition("/")[0]
    return Finding(
        "TYPE_NOT_INSTALLED",
        Weight.HOLDS,
        topic.where,
        f"{topic.name}: the message type {topic.type} is not installed here",
        f"install {package} (apt: ros-$ROS_DISTRO-{package.replace('_', '-')}) or "
        "source the workspace that has it, and start the node from there",
    )


def _no_field(topic: WantedTopic) -> Finding:
    return Finding(
        "NO_FIELD",
        Weight.HOLDS,
        topic.where,
        f'{topic.name}: {topic.type} has no plain field "{topic.field}"',
        "name a field that `ros2 interface show` shows",
    )


def _no_publisher(topic: WantedTopic, seen: Seen) -> Finding:
    weight = Weight.HOLDS if topic.required else Weight.NOTE
    text = f"nobody publishes {topic.name}"
    near = near_names(topic.name, topic.type, seen.graph)
    if near:
        text += f"; did you mean {', '.join(near)}?"
    if topic.part is Part.WORDS:
        remedy = "the robot's program speaks there: start it after the node"
    elif near:
        remedy = f'write the right name, perhaps "{near[0]}", or start the driver'
    else:
        remedy = "start the driver that publishes it, or name the right topic"
    return Finding("NO_PUBLISHER", weight, topic.where, text, remedy)


def _publishers(topic: WantedTopic, there: TopicSeen) -> Iterator[Finding]:
    for one in there.publishers:
        if one.type != topic.type:
            yield Finding(
                "WRONG_TYPE",
                Weight.HOLDS,
                topic.where,
                f"{one.node} publishes {topic.name} as {one.type}, "
                f"configured is {topic.type}",
                "write its type, or name the topic that has the configured one",
            )
        else:
            yield from _offer(topic, one)
    if len(there.publishers) > 1:
        nodes = ", ".join(one.node for one in there.publishers)
        yield Finding(
            "TWO_PUBLISHERS",
            Weight.HOLDS,
            topic.where,
            f"{len(there.publishers)} publishers speak on {topic.name} ({nodes}): "
            "their samples would mix",
            "end all but one, or give each a topic of its own",
        )


def _offer(topic: WantedTopic, one: Endpoint) -> Iterator[Finding]:
    """What a publisher offers against what the node asks for."""
    lacks = [
        word
        for word, asked, offered in (
            ("latched (transient local)", topic.latched, one.latched),
            ("reliable", topic.reliable, one.reliable),
        )
        if asked and not offered
    ]
    if lacks:
        remedy = "set latched = false" if topic.latched else "make its publisher so"
        yield Finding(
            "QOS_MISMATCH",
            Weight.HOLDS,
            topic.where,
            f"the node asks for {' and '.join(lacks)} on {topic.name}, and {one.node} "
            "does not offer it: not one message would come",
            remedy,
        )
    elif one.latched and not topic.latched and topic.part is Part.SENSOR:
        yield Finding(
            "NOT_LATCHED",
            Weight.NOTE,
            topic.where,
            f"{one.node} keeps its newest message on {topic.name} for who comes late, "
            "and the node does not ask for it",
            "set latched = true, or what was said before the start is not known",
        )


# ---------------------------------------------------------------- topics told, services


def _told_topic(topic: WantedTopic, there: TopicSeen) -> Iterator[Finding]:
    if not there.listeners:
        holds = topic.part is Part.HOLD
        yield Finding(
            "NO_LISTENER",
            Weight.HOLDS if holds else Weight.NOTE,
            topic.where,
            f"nobody listens on {topic.name}",
            "start what holds the robot"
            if holds
            else "the robot's program listens there: start it after the node",
        )
    for one in there.listeners:
        if one.type != topic.type:
            yield Finding(
                "WRONG_TYPE",
                Weight.HOLDS,
                topic.where,
                f"{one.node} listens on {topic.name} for {one.type}, and andon says "
                f"{topic.type}",
                "let the program listen for that type",
            )
        elif one.latched and not topic.latched:
            yield Finding(
                "QOS_MISMATCH",
                Weight.HOLDS,
                topic.where,
                f"{one.node} asks for latched (transient local) on {topic.name}, and "
                "leave is never kept for who comes late: it would hear nothing",
                "let the program listen volatile",
            )


def _service(service: WantedService, seen: Seen) -> Iterator[Finding]:
    types = seen.services.get(service.name, ())
    if service.type in types:
        return
    if types:
        yield Finding(
            "WRONG_SERVICE_TYPE",
            Weight.HOLDS,
            service.where,
            f"{service.name} is a {', '.join(types)}, and the adapter calls a "
            f"{service.type}",
            "choose the adapter that fits, or name the right service",
        )
        return
    # Among the services of a robot are some that andon never calls: none is proposed.
    may_call = {name: seen.services[name] for name in seen.services if _allowed(name)}
    near = near_names(service.name, service.type, may_call)
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    yield Finding(
        "NO_SERVICE",
        Weight.HOLDS,
        service.where,
        f"there is no service {service.name}{meant}",
        "start what offers it (for a UR: the dashboard client), or name the right one",
    )


def _allowed(name: str) -> bool:
    try:
        allowed_service(name)
    except ForbiddenServiceError:
        return False
    return True
