"""What a demo's report says to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coordinator.cli import demo_report as dr
from coordinator.cli.demo_records import Records
from coordinator.cli.output import print_table


def show(told: Mapping[str, Any], records: Records) -> None:
    """Print the learning curve and the summary.

    Args:
        told: The content of demo-report.json.
        records: What it was made of.
    """
    curve = zip(told["questions_per_100_cycles"], told["automated_error"], strict=True)
    print_table(
        f"in blocks of {dr.BLOCK} cycles",
        ("block", "questions per 100 cycles", "error of what was decided alone"),
        [
            (str(number), f"{questions:.1f}", _share(error))
            for number, (questions, error) in enumerate(curve, start=1)
        ],
    )
    if told["gate"]:
        print_table(
            "the gate",
            ("after windows", "it", "because"),
            [
                (str(one["windows"]), one["happened"], one["text"])
                for one in told["gate"]
            ],
        )
    print_table("summary", ("", ""), [*_summary(told), *_last_third(records)])


def _summary(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    latency = told["latency_ms"]
    first = told["seconds_to_first_question"]
    dropped = ", ".join(f"{n} {reason}" for reason, n in told["dropped"].items())
    return [
        (
            "decision windows",
            f"{told['windows']}: {told['acted']} decided alone, {told['asked']} asked, "
            f"{told['held']} held",
        ),
        (
            "answers",
            f"{told['answered']}, {told['corrections']} corrections, "
            f"{told['audits']} audits",
        ),
        (
            "models",
            f"{told['retrains']} trained, {told['promotions']} promoted, "
            f"{told['promotions_refused']} refused",
        ),
        ("missed faults", str(told["missed_faults"])),
        (
            "window cut to permit",
            f"p50 {_ms(latency['p50'])}, p99 {_ms(latency['p99'])}",
        ),
        ("first question", "never" if first is None else f"after {first:.1f} s"),
        ("dropped", dropped or "nothing"),
        ("lost", str(told["lost"])),
        ("moves without permit", str(told["moves_without_permit"])),
    ]


def _last_third(records: Records) -> list[tuple[str, str]]:
    windows: Sequence[dr.JudgedWindow] = dr.judged_windows(records.journal)
    last = windows[len(windows) - len(windows) // 3 :]
    if not last:
        return []
    error = dr.automated_error(last, records.truth)
    questions = dr.questions_per_100(last)
    return [
        (
            "last third",
            f"{questions:.1f} questions per 100 cycles, {_share(error)} wrong of what "
            "was decided alone",
        )
    ]


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"
