"""What a node and its robot traced, read back as sessions and motions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECOND_NS = 1_000_000_000
MS = SECOND_NS // 1000
LEASE_NS = 2 * SECOND_NS
TICK_NS = 25 * MS
"""Up to here a node's tick is not late, and the trace does not say so."""

Line = Mapping[str, Any]


def read_lines(path: Path) -> list[Line]:
    """The lines of a trace, without a torn last one."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


@dataclass(slots=True)
class Session:
    """One session, as its node traced it."""

    epoch: int
    opened_ns: int
    sent_ns: dict[int, int] = field(default_factory=dict)
    answers: list[tuple[int, int]] = field(default_factory=list)
    """(when it came, when the heartbeat it answers was sent), as they came."""
    ended_ns: int = 0
    """When the node took it for over; 0 while it has not."""
    by_lease: bool = False
    held_ns: int = 0
    """When the hold that followed was called; 0 when the robot was held already."""
    killed: bool = False
    """Its node was killed: the hold is the next process's."""

    @property
    def lease_end_ns(self) -> int:
        """When the lease ran out, or would have."""
        until_ns = self.opened_ns + LEASE_NS
        for came_ns, sent_ns in self.answers:
            if came_ns < until_ns:
                until_ns = max(until_ns, sent_ns + LEASE_NS)
        return until_ns

    def leased(self, at_ns: int) -> bool:
        """Whether a heartbeat that was answered by then was young enough."""
        return any(
            came_ns <= at_ns < sent_ns + LEASE_NS for came_ns, sent_ns in self.answers
        )


class Node:
    """What one node traced, in order."""

    def __init__(self, name: str, lines: Sequence[Line]) -> None:
        self.name = name
        self.lines = lines
        self.sessions: list[Session] = []
        self.started: dict[str, Line] = {}
        self.received: dict[str, Line] = {}
        self.late: list[tuple[int, int]] = []
        """Stretches in which the node's process did not tick: (from, to)."""
        self.digests: set[str] = set()
        """Of the evidence that the node cut."""
        self._read()

    def _read(self) -> None:
        for line in self.lines:
            now_ns = int(line["mono_ns"])
            match line["event"]:
                case "session_open":
                    self.sessions.append(Session(int(line["epoch"]), now_ns))
                case "late":
                    self.late.append((now_ns - int(line["gap_ns"]), now_ns))
                case "permit_received":
                    self.received[line["permit_id"]] = line
                case "permit_started" | "resume":
                    self.started.setdefault(line["permit_id"], line)
                case "window_cut":
                    self.digests.add(line["digest"])
                case _:
                    if self.sessions:
                        _take(self.sessions[-1], line, now_ns)

    def lag_ns(self, at_ns: int) -> int:
        """How long the node's process could not look at its clock around a moment."""
        return max(
            (until - since for since, until in self.late if since <= at_ns <= until),
            default=TICK_NS,
        )


def _take(session: Session, line: Line, now_ns: int) -> None:
    """Let one line of a trace be part of its session."""
    match line["event"]:
        case "beat":
            session.sent_ns[int(line["seq"])] = int(line["sent_ns"])
        case "ack" if line["epoch"] == session.epoch:
            sent_ns = session.sent_ns.get(int(line["seq"]))
            if sent_ns is not None:
                session.answers.append((now_ns, sent_ns))
        case "hold" if line["reason"] == "link_lost":
            if not session.ended_ns:
                session.ended_ns = now_ns
                session.by_lease = "acknowledged" in line["text"]
                session.killed = line["text"] == "no session yet"
            session.held_ns = session.held_ns or now_ns
        case "session_lost" if not session.ended_ns:  # the robot was held already
            session.ended_ns = now_ns
            session.by_lease = "acknowledged" in line["text"]
        case _:
            pass


@dataclass(frozen=True, slots=True)
class Motion:
    """One stretch of motion, by the robot's own account."""

    began_ns: int
    ended_ns: int
    permit_id: str
    """Under which the cycle began."""


def motions_of(lines: Sequence[Line]) -> Iterator[Motion]:
    """When the robot moved; the last stretch may not have ended."""
    began_ns, permit_id, working = 0, "", False
    for line in lines:
        now_ns = int(line["mono_ns"])
        match line["event"]:
            case "begin":
                began_ns, permit_id, working = now_ns, line["permit_id"], True
            case "resume" if working:
                began_ns = now_ns
            case "pause" | "end":
                if began_ns:
                    yield Motion(began_ns, now_ns, permit_id)
                began_ns = 0
                working = working and line["event"] == "pause"
            case _:
                pass


def late_of(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Stretches in which a process did not look at its clock: (from, to)."""
    return [
        (int(line["mono_ns"]) - int(line["gap_ns"]), int(line["mono_ns"]))
        for line in lines
        if line["event"] == "late"
    ]
