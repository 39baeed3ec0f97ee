"""Judges a plant by what its parts wrote down: node, robot, journal and watcher.

All times are of the machine's monotonic clock, which its processes share. Nothing here
waits or looks at a clock. A violation is a sentence; a sample is nanoseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from coordinator.cli.stored import all_entries
from coordinator.live.cell.holds import POLICY_MAY_CLEAR
from coordinator.store.codec import decode
from coordinator.terms import CellEvent, CellState, WindowKind, events
from tests.link import proxy
from tests.link.proxy import Way
from tests.link.traces import (
    MS,
    SECOND_NS,
    Line,
    Motion,
    Node,
    Session,
    late_of,
    motions_of,
)
from tests.link.world import OFFLINE, Shown

SHOWN_WITHIN_NS = 3_500 * MS
FLAP_NS = 5 * SECOND_NS
ROBOT_NS = 150 * MS
"""From a node's hold to a robot that stands, when the robot's process is not late."""
SLACK_NS = 5 * MS
"""From a decision to its line in the trace, on a machine that is not late."""

_STILL_HELD = frozenset({CellState.OFFLINE, CellState.HELD, CellState.MAINTENANCE})


@dataclass(slots=True)
class Findings:
    """What was found.

    Attributes:
        violations: What must never happen, and did.
        hold_ns: From the end of a lease to the node's hold, one a lost lease.
        lag_ns: How late the node's own process was at that moment.
        broken_ns: From the last renewal to the hold, where the stream broke first.
        robot_ns: From the node's hold to the robot standing still.
        shown_ns: From the last bytes that got through to the coordinator's showing it.
        back_ns: From the line's healing to work.
        counts: How often what happened.
    """

    violations: list[str] = field(default_factory=list)
    hold_ns: list[int] = field(default_factory=list)
    lag_ns: list[int] = field(default_factory=list)
    broken_ns: list[int] = field(default_factory=list)
    robot_ns: list[int] = field(default_factory=list)
    shown_ns: list[int] = field(default_factory=list)
    back_ns: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def wrong(self, sentence: str) -> None:
        """Add a violation."""
        self.violations.append(sentence)


# ---------------------------------------------------------------------------- the node


def judge_leases(node: Node, found: Findings) -> None:
    """Every session ends no later than its lease, but for the process's own lag."""
    for session in node.sessions:
        found.counts["sessions"] += 1
        found.counts["nodes_killed"] += session.killed
        if not session.ended_ns or session.killed:
            continue
        over_ns = session.ended_ns - session.lease_end_ns
        lag_ns = node.lag_ns(session.lease_end_ns)
        if over_ns > lag_ns + SLACK_NS:
            found.wrong(
                f"{node.name} epoch {session.epoch}: held {over_ns / MS:.1f} ms after "
                f"the lease, and its process was {lag_ns / MS:.1f} ms late"
            )
        if session.by_lease:
            found.counts["lost_leases"] += 1
            found.hold_ns.append(over_ns)
            found.lag_ns.append(lag_ns)
        elif session.held_ns and session.answers:
            found.broken_ns.append(session.held_ns - session.answers[-1][1])
    for before, after in pairwise(node.sessions):
        if after.epoch <= before.epoch:
            found.wrong(f"{node.name}: epoch {after.epoch} after {before.epoch}")


def judge_permits(node: Node, found: Findings) -> None:
    """A permit is used in the session it was made for, under a lease, at most once."""
    uses: Counter[tuple[str, str]] = Counter()
    opened = iter(node.sessions)
    session = Session(0, 0)
    for line in node.lines:
        if line["event"] == "session_open":
            session = next(opened)
        elif line["event"] in ("permit_started", "resume"):
            uses[line["event"], line["permit_id"]] += 1
            _judge_use(node, session, line, found)
    found.counts["permits_used"] += len({permit for _, permit in uses})
    for (_, permit_id), times in uses.items():
        if times > 1:
            found.wrong(f"{node.name}: {permit_id} was used {times} times")


def _judge_use(node: Node, session: Session, line: Line, found: Findings) -> None:
    """One use of one permit, in one session."""
    now_ns, permit_id = int(line["mono_ns"]), line["permit_id"]
    epoch = int(node.received[permit_id]["epoch"])
    who = f"{node.name}: {permit_id} of session {epoch}"
    if epoch != session.epoch:
        found.wrong(f"{who} was used in session {session.epoch}")
    elif session.ended_ns and now_ns > session.ended_ns:
        found.wrong(f"{who} was used when its session was over")
    elif not session.leased(now_ns) and not session.leased(now_ns - SLACK_NS):
        found.wrong(f"{who} was used without a lease")
    # A robot that was held is resumed first: that is when it was used.
    resumed = node.started[permit_id]["event"] == "resume"
    first = line["event"] == "resume" or not resumed
    if first and now_ns > int(line["start_by_ns"]) + SLACK_NS:
        found.wrong(f"{who} was used too late")


def judge_windows(node: Node, found: Findings) -> None:
    """Evidence of an earlier session comes again only when asked, and says so."""
    sent: set[str] = set()
    asked = False
    for line in node.lines:
        match line["event"]:
            case "session_open":
                asked = False
            case "reoffer":
                asked = True
            case "window_sent" if line["kind"] == "decision":
                again = line["digest"] in sent
                sent.add(line["digest"])
                found.counts["offered_again"] += again
                if again and not line["offered_again"]:
                    found.wrong(f"{node.name}: {line['window_id']} came again unsaid")
                if line["offered_again"] and not asked:
                    found.wrong(f"{node.name}: {line['window_id']} came again unasked")
            case _:
                pass


# --------------------------------------------------------------------------- the robot


def judge_motions(
    robot: Sequence[Line], nodes: Sequence[Node], found: Findings
) -> None:
    """The robot moves under a lease, each cycle under a permit of its own."""
    begun = Counter(line["permit_id"] for line in robot if line["event"] == "begin")
    used = {permit_id for node in nodes for permit_id in node.started}
    found.counts["cycles"] += begun.total()
    for permit_id, times in begun.items():
        if times > 1:
            found.wrong(f"the robot began {times} cycles under {permit_id}")
        if permit_id not in used:
            found.wrong(f"the robot began under {permit_id}, which no node used")
    pauses = [int(line["mono_ns"]) for line in robot if line["event"] == "pause"]
    holds = [s.held_ns for node in nodes for s in node.sessions if s.held_ns]
    for held_ns in holds:
        at = bisect_right(pauses, held_ns)
        if at < len(pauses) and pauses[at] - held_ns < SECOND_NS:
            found.robot_ns.append(pauses[at] - held_ns)
    late = late_of(robot)
    for motion in motions_of(robot):
        _judge_motion(motion, nodes, late, found)


def _judge_motion(
    motion: Motion,
    nodes: Sequence[Node],
    late: Sequence[tuple[int, int]],
    found: Findings,
) -> None:
    """The motion ends with the session in which it began, but for the robot's lag."""
    before = [
        session
        for node in nodes
        for session in node.sessions
        if session.opened_ns <= motion.began_ns
    ]
    if not before:
        found.wrong(f"the robot moved before any session, at {motion.began_ns}")
        return
    # A killed node ends nothing; the next one holds the robot, or its lease does.
    until_ns = max(session.ended_ns or motion.ended_ns for session in before)
    lag_ns = sum(
        min(to, motion.ended_ns) - max(since, until_ns)
        for since, to in late
        if to > until_ns and since < motion.ended_ns
    )
    over_ns = motion.ended_ns - until_ns - lag_ns
    if over_ns > ROBOT_NS:
        found.wrong(
            f"the robot moved on for {over_ns / MS:.0f} ms under {motion.permit_id}"
        )


# ------------------------------------------------------------------------- the journal


@dataclass(frozen=True, slots=True)
class Written:
    """One event of the journal, and when it was recorded, s since 1970."""

    event: events.Event
    recorded_s: float


def read_journal(data_dir: Path) -> list[Written]:
    """Every event of a store."""
    return [
        Written(decode(entry.kind, entry.payload_json), entry.recorded_at.timestamp())
        for entry in all_entries(data_dir)
    ]


def judge_journal(
    journal: Sequence[Written], nodes: Mapping[str, Sequence[Node]], found: Findings
) -> None:
    """I1, I2, I6 and hysteresis, by what is durable.

    Args:
        journal: Everything, in order.
        nodes: What the nodes of each cell traced, by cell.
        found: Where to add.
    """
    used = {
        permit_id: node.received[permit_id]
        for of_cell in nodes.values()
        for node in of_cell
        for permit_id in node.started
    }
    _judge_permits_on_record(journal, used, found)
    _judge_consumed(journal, used, found)
    _judge_epochs(journal, found)
    _judge_releases(journal, found)
    for written in journal:
        event = written.event
        if isinstance(event, events.WindowDecided) and event.cell_id in nodes:
            felt = any(event.window_digest in n.digests for n in nodes[event.cell_id])
            if not felt and event.kind is WindowKind.DECISION:
                found.wrong(f"{event.window_id} was decided, and no node felt it")


def _judge_permits_on_record(
    journal: Sequence[Written], used: Mapping[str, Line], found: Findings
) -> None:
    decisions: set[str] = set()
    issued: dict[str, events.PermitIssued] = {}
    for written in journal:
        match written.event:
            case events.WindowDecided() | events.HoldReleased():
                decisions.add(written.event.decision_id)
                found.counts[type(written.event).__name__] += 1
            case events.PermitIssued(permit):
                issued[str(permit.permit_id)] = written.event
                if permit.decision_id not in decisions:
                    found.wrong(f"{permit.permit_id} rests on no decision")
            case _:
                pass
    found.counts["permits_issued"] += len(issued)
    for permit_id, line in used.items():
        on_record = issued.get(permit_id)
        if on_record is None:
            found.wrong(f"{permit_id} was used and is not in the journal")
        elif on_record.permit.session_epoch != int(line["epoch"]):
            found.wrong(f"{permit_id} was used in another session than it was made for")


def _judge_consumed(
    journal: Sequence[Written], used: Mapping[str, Line], found: Findings
) -> None:
    consumed = Counter(
        str(written.event.permit_id)
        for written in journal
        if isinstance(written.event, events.PermitConsumed)
    )
    for permit_id, times in consumed.items():
        if times > 1:
            found.wrong(f"{permit_id} is consumed {times} times in the journal")
        if permit_id not in used:
            found.wrong(f"{permit_id} is consumed in the journal and was never used")


def _judge_epochs(journal: Sequence[Written], found: Findings) -> None:
    """Sessions rise, and a cell has one at a time."""
    newest: dict[str, int] = defaultdict(int)
    live: dict[str, int] = {}
    for written in journal:
        match written.event:
            case events.SessionOpened(cell, epoch):
                if epoch <= newest[cell]:
                    found.wrong(f"{cell}: session {epoch} after {newest[cell]}")
                if cell in live:
                    found.wrong(f"{cell}: session {epoch} beside {live[cell]}")
                newest[cell] = live[cell] = epoch
            case events.SessionClosed(cell, epoch) if live.get(cell) == epoch:
                del live[cell]
            case events.CoordinatorStarted():
                live.clear()  # whoever ended it ended them
                found.counts["coordinator_starts"] += 1
            case _:
                pass


def _judge_releases(journal: Sequence[Written], found: Findings) -> None:
    """HELD is left by name, and by a policy no more than once in five seconds."""
    released_s: dict[str, float] = {}
    for written in journal:
        match written.event:
            case events.CoordinatorStarted():
                released_s.clear()  # it remembers holds, and starts to count anew
            case events.CellMoved(before=CellState.HELD) as moved:
                named = moved.event is CellEvent.RELEASED and moved.actor is not None
                if moved.after not in _STILL_HELD and not named:
                    found.wrong(f"{moved.cell_id} left HELD without a name")
            case events.HoldReleased() as released:
                rested_s = written.recorded_s - released_s.get(released.cell_id, 0.0)
                released_s[released.cell_id] = written.recorded_s
                _judge_release(released, rested_s, found)
            case _:
                pass


def _judge_release(
    released: events.HoldReleased, rested_s: float, found: Findings
) -> None:
    person = released.actor.person
    if not person.startswith("policy:"):
        found.counts["releases_by_person"] += 1
        return
    found.counts["releases_by_policy"] += 1
    if not set(released.reasons) <= POLICY_MAY_CLEAR[person]:
        found.wrong(f"{person} cleared {released.reasons}")
    if rested_s * SECOND_NS < FLAP_NS - 100 * MS:
        found.wrong(f"{released.cell_id} was released after {rested_s:.2f} s")


# -------------------------------------------------------------------------- the board


def judge_shown(
    cell: str,
    line: proxy.Line,
    shown: Sequence[Shown],
    found: Findings,
    *,
    away: Sequence[tuple[int, int]] = (),
) -> None:
    """Where nothing came up for 3.5 s, the coordinator shows the cell offline.

    Args:
        cell: The cell.
        line: The line of its node.
        shown: What a watcher saw of all cells, rising.
        found: Where to add.
        away: Stretches in which there was no coordinator to show anything.
    """
    seen = [one for one in shown if one.cell == cell]
    moments = [one.seen_ns for one in seen]
    for since_ns, until_ns in line.silences(Way.UP, longer_ns=SECOND_NS):
        if any(a <= (until_ns or since_ns) and since_ns <= b for a, b in away):
            continue
        at = bisect_right(moments, since_ns)
        offline = next((one for one in seen[at:] if one.state == OFFLINE), None)
        already = at > 0 and seen[at - 1].state == OFFLINE
        shown_ns = None if offline is None else offline.seen_ns - since_ns
        if already:
            continue
        long = not until_ns or until_ns - since_ns > SHOWN_WITHIN_NS
        if shown_ns is not None and (not until_ns or offline.seen_ns < until_ns):  # type: ignore[union-attr]
            found.shown_ns.append(shown_ns)
        if long and (shown_ns is None or shown_ns > SHOWN_WITHIN_NS):
            told = "never" if shown_ns is None else f"after {shown_ns / MS:.0f} ms"
            found.wrong(f"{cell}: silent from {since_ns}, and shown offline {told}")


def quantiles(samples: Sequence[int]) -> dict[str, float]:
    """p50, p99 and the largest, in milliseconds; nothing for no samples."""
    if not samples:
        return {"n": 0}
    ordered = sorted(samples)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / MS, 1)

    return {
        "n": len(ordered),
        "p50_ms": at(0.50),
        "p99_ms": at(0.99),
        "max_ms": round(ordered[-1] / MS, 1),
    }


def summary(found: Findings) -> dict[str, Any]:
    """The findings as JSON says them."""
    return {
        "violations": found.violations,
        "counts": dict(sorted(found.counts.items())),
        "hold_after_lease": quantiles(found.hold_ns),
        "process_late": quantiles(found.lag_ns),
        "hold_after_renewal_when_broken": quantiles(found.broken_ns),
        "robot_after_hold": quantiles(found.robot_ns),
        "shown_after_last_bytes": quantiles(found.shown_ns),
        "back_after_healing": quantiles(found.back_ns),
    }
