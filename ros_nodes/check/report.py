"""What came of a look at a cell's graph: lines for people, values for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ros_nodes.check.finding import Finding, Weight
from ros_nodes.check.seen import Seen, TopicSeen
from ros_nodes.check.wants import WantedTopic, Wants

WIDTH: Final = 88
_COLUMNS: Final = ("", "key", "topic", "rate", "configured", "age", "from or to")

Paint = Callable[[str, str], str]
"""Colours a text: "bad", "note" or "good"."""
_COLOURS: Final = {"bad": "31", "note": "33", "good": "32"}


def in_colour(text: str, mood: str) -> str:
    """Colour a text for a terminal; the words say the same without it."""
    return f"\x1b[{_COLOURS[mood]}m{text}\x1b[0m"


def plain(text: str, mood: str) -> str:
    """Leave a text as it is."""
    del mood
    return text


@dataclass(frozen=True, slots=True)
class Report:
    """One cell's look.

    Attributes:
        wants: What it needs.
        seen: What was there.
        findings: What is not as it should be, the worst first.
    """

    wants: Wants
    seen: Seen
    findings: tuple[Finding, ...]

    @property
    def would_hold(self) -> bool:
        """Whether the cell would not start, or would be held."""
        return any(one.weight is Weight.HOLDS for one in self.findings)

    def lines(self, paint: Paint = plain) -> Iterator[str]:
        """Write it for people."""
        nodes = (
            "1 node" if len(self.seen.nodes) == 1 else f"{len(self.seen.nodes)} nodes"
        )
        yield (
            f"cell {self.wants.cell_id}, ROS domain {self.wants.domain_id}: "
            f"{nodes} there, listened for {self.seen.seconds:.1f} s"
        )
        yield from self._table(paint)
        for one in self.findings:
            yield ""
            yield from _told(one, paint)
        yield ""
        yield self._verdict(paint)

    def as_values(self) -> dict[str, Any]:
        """Write it for programs."""
        return {
            "cell": self.wants.cell_id,
            "domain_id": self.wants.domain_id,
            "seconds": round(self.seen.seconds, 3),
            "would_hold": self.would_hold,
            "topics": [self._values(topic) for topic in self.wants.topics],
            "findings": [
                {
                    "code": one.code,
                    "weight": one.weight.value,
                    "where": self._where(one),
                    "text": one.text,
                    "remedy": one.remedy,
                }
                for one in self.findings
            ],
        }

    def _where(self, one: Finding) -> str:
        table = f"cells.{self.wants.cell_id}.ros"
        return f"{table}.{one.where}" if one.where else table

    def _values(self, topic: WantedTopic) -> dict[str, Any]:
        there = self.seen.topics.get(topic.where, TopicSeen())
        heard = there.heard
        return {
            "where": topic.where,
            "name": topic.name,
            "type": topic.type,
            "publishers": [one.node for one in there.publishers],
            "listeners": [one.node for one in there.listeners],
            "messages": None if heard is None else heard.count,
            "lost": None if heard is None else heard.lost,
            "rate_hz": None if heard is None else round(heard.rate_hz, 3),
            "configured_hz": topic.rate_hz or None,
            "age_s": None if heard is None else heard.age_s,
        }

    def _table(self, paint: Paint) -> Iterator[str]:
        rows = [self._row(topic) for topic in self.wants.topics]
        widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
        for number, row in enumerate((_COLUMNS, *rows)):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            if number:
                mood = {"HOLDS": "bad", "ok": "good"}.get(row[0], "note")
                cells[0] = paint(cells[0], mood)
            yield "  ".join(cells).rstrip()

    def _row(self, topic: WantedTopic) -> tuple[str, ...]:
        there = self.seen.topics.get(topic.where, TopicSeen())
        others = there.publishers if topic.is_heard else there.listeners
        heard = there.heard
        rate = age = ""
        if heard is not None and heard.count:
            rate = f"{heard.rate_hz:.4g} Hz" if heard.rate_hz else "once"
            age = "" if heard.age_s is None else f"{heard.age_s * 1e3:.1f} ms"
        return (
            self._state(topic),
            topic.where,
            topic.name,
            rate or "-",
            f"{topic.rate_hz:g} Hz" if topic.rate_hz else "-",
            age or "-",
            ", ".join(one.node for one in others) or "nobody",
        )

    def _state(self, topic: WantedTopic) -> str:
        if self.seen.is_empty:
            return "-"
        weights = [one.weight for one in self.findings if one.where == topic.where]
        if Weight.HOLDS in weights:
            return "HOLDS"
        return "note" if weights else "ok"

    def _verdict(self, paint: Paint) -> str:
        holding = sum(one.weight is Weight.HOLDS for one in self.findings)
        notes = len(self.findings) - holding
        if holding:
            things = "1 thing" if holding == 1 else f"{holding} things"
            text = f"{things} would keep cell {self.wants.cell_id} from working"
            return paint(text, "bad") + (f", {notes} to know" if notes else "")
        text = f"cell {self.wants.cell_id} can start"
        return paint(text, "good") + (f"; {notes} to know" if notes else "")


def _told(one: Finding, paint: Paint) -> Iterator[str]:
    holds = one.weight is Weight.HOLDS
    word = paint("HOLDS" if holds else "note ", "bad" if holds else "note")
    yield f"{word}  {one.code}{f' ({one.where})' if one.where else ''}"
    yield from _wrapped(one.text, "       ", "       ")
    yield from _wrapped(one.remedy, "       -> ", "          ")


def _wrapped(text: str, first: str, others: str) -> Sequence[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
