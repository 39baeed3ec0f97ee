"""The hand-over sheet, from entries as they are recorded."""

from datetime import datetime, timedelta

from coordinator.insight.handover import happened, summed
from coordinator.insight.numbers import Row
from coordinator.store.codec import Recorded, write_record
from coordinator.terms import HoldReason, Outcome, RequestId, events
from coordinator.terms.events import JournalEntry
from tests.builders import CELL, NOON


def entry(seq: int, event: events.Event) -> JournalEntry:
    at: datetime = NOON + timedelta(minutes=seq)
    payload = write_record(Recorded(event))
    return JournalEntry(seq, at, type(event).__name__, payload, "ab" * 32)


def told(*story: events.Event) -> dict[str, list[str]]:
    sections = happened([entry(n, event) for n, event in enumerate(story, 1)])
    return {section.name: [line.text for line in section.lines] for section in sections}


def test_holds_are_counted_by_cell_and_reason_with_the_last_of_them() -> None:
    stale = [
        events.HoldPlaced(CELL, HoldReason.STALE_DATA, f"the window is {n} s old.")
        for n in (1, 2, 3)
    ]
    said = told(*stale, events.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, "by ben."))

    assert said["held"] == [
        "3 times, STALE_DATA; the last: the window is 3 s old.",
        "once, OPERATOR_HOLD; the last: by ben.",
    ]


def test_only_what_nobody_answered_in_time_is_told_of_ended_requests() -> None:
    late = events.RequestEnded(
        RequestId("r-1"), CELL, Outcome.TIMED_OUT, "nobody came."
    )
    gone = events.RequestEnded(RequestId("r-2"), CELL, Outcome.SUPERSEDED, "it moved.")

    (line,) = told(late, gone)["timed_out"]
    assert "r-1" in line


def test_a_section_without_lines_is_there_all_the_same() -> None:
    assert told() == {"held": [], "timed_out": [], "models": [], "gate": []}


def test_a_shift_without_windows_has_no_share_of_them() -> None:
    (line,) = summed(Row("", "", {"questions_count": 0.0}, {})).lines

    assert line.text.startswith("0 questions")
