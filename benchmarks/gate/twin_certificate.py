"""Does a long stream reach a certificate, keep its promise, and lose it on a shift?

    python benchmarks/gate/twin_certificate.py FILE [--write docs/evidence]

FILE is what benchmarks/gate/twin_cycles.py made. Every window goes through the checks,
the gate, the cell, the questions, the store and the learning of a coordinator with the
settings that `andon init` writes; only the clock and the people are simulated, and
people answer what an honest person calls the cycle. The truth of every window is known
here, so what was decided alone is counted in full and not estimated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from twin_cycles import TwinCycles, read

from coordinator import log
from coordinator.clock import seconds_to_ns
from coordinator.config import load
from coordinator.insight.backtest import Backtest, BacktestPlan, Streamed, replay
from coordinator.insight.scores import Case
from coordinator.insight.windows import LabelledWindows
from coordinator.model.risk.binomial import interval
from coordinator.terms import Family, GateState

CYCLE_S: Final = 12.0
BLOCK: Final = 2_000
LEVEL: Final = 0.05
"""Of the intervals: 95 %."""
PROFILE: Final = Path(__file__).parents[2] / "coordinator/profiles/twin.toml"


@dataclass(frozen=True, slots=True)
class Counted:
    """What was decided alone in a stretch of the stream.

    Attributes:
        windows: In the stretch.
        asked: Questions.
        alone: Decided alone.
        wrong: Of these.
        low: Lower end of the interval of the true share that is wrong.
        high: Upper end.
    """

    windows: int
    asked: int
    alone: int
    wrong: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Found:
    """The answers.

    Attributes:
        certified_at: Window of the first certificate; None for never.
        certified_after: Audited cases it rests on.
        under_certificate: All that was decided alone before the shift.
        closed_at: First window after the shift after which the gate was shut; None for
            never.
        closed_after_audits: Audited cases from the shift to there.
        closed_text: Why.
        alone_after_shift: Decided alone from the shift to there.
        wrong_after_shift: Of these, wrong.
    """

    certified_at: int | None
    certified_after: int
    under_certificate: Counted
    closed_at: int | None
    closed_after_audits: int
    closed_text: str
    alone_after_shift: int
    wrong_after_shift: int


def family() -> Family:
    """The peg family, as `andon init` writes it."""
    return next(iter(load(PROFILE).family_terms().values()))


def streamed(made: TwinCycles, of: Family) -> Streamed:
    """One cycle a group and a window."""
    count, rows, _ = made.windows.shape
    numbers = np.arange(count, dtype=np.int64)
    end_ns = (numbers + 1) * seconds_to_ns(CYCLE_S)
    names = of.label_names
    windows = LabelledWindows(
        samples=made.windows,
        present=np.ones((count, made.windows.shape[2]), dtype=np.bool_),
        truth=np.array([names.index(label) for label in made.labels], np.int64),
        group_index=numbers,
        first_row=numbers * rows,
        start_ns=end_ns - seconds_to_ns(CYCLE_S),
        end_ns=end_ns,
        gap_rows=np.zeros(count, np.int64),
        period_ns=seconds_to_ns(CYCLE_S / rows),
    )
    return Streamed(of, windows, [f"L{n // 500:03d}-{n:06d}" for n in range(count)])


def count(cases: list[Case]) -> Counted:
    """Count what was decided alone."""
    alone = [case for case in cases if case.automated]
    wrong = sum(case.predicted != case.truth for case in alone)
    low, high = interval(wrong, len(alone), LEVEL) if alone else (0.0, 1.0)
    asked = sum(case.verdict.decision.value == "ask" for case in cases)
    return Counted(len(cases), asked, len(alone), wrong, low, high)


def found(done: Backtest, first_shifted: int) -> Found:
    """Read the answers from a run.

    Args:
        done: The run.
        first_shifted: Index of the first window under the shift.
    """
    certified = [move for move in done.moves if move.state is GateState.CERTIFIED]
    before = [case for case in done.cases if case.number <= first_shifted]
    after = [case for case in done.cases if case.number > first_shifted]
    ends = [
        move
        for move in done.moves
        if move.window > first_shifted and move.state is GateState.CLOSED
    ]
    until = ends[0].window if ends else sys.maxsize
    exposed = [case for case in after if case.number <= until]
    counted = count(exposed)
    return Found(
        certified_at=certified[0].window if certified else None,
        certified_after=certified[0].audited if certified else 0,
        under_certificate=count(before),
        closed_at=ends[0].window if ends else None,
        closed_after_audits=sum(case.audited for case in exposed),
        closed_text=ends[0].text if ends else "",
        alone_after_shift=counted.alone,
        wrong_after_shift=counted.wrong,
    )


def table(done: Backtest, answers: Found, about: dict[str, str]) -> str:
    """The page for docs/evidence."""
    lines = [
        "# A certificate on a long stream of the twin",
        "",
        f"`{about['command']}` (the file: `{about['made']}`); "
        f"commit {about['commit']}, {about['machine']}.",
        "",
        "| stretch | windows | asked | decided alone | of these wrong | 95 % |",
        "|---|---|---|---|---|---|",
    ]
    stretches = [
        (f"{first + 1} to {first + BLOCK}", first, first + BLOCK)
        for first in range(0, done.cases[-1].number, BLOCK)
    ]
    for name, first, end in stretches:
        said = count([case for case in done.cases if first < case.number <= end])
        share = "none" if not said.alone else f"{said.wrong / said.alone:.2%}"
        between = "" if not said.alone else f"{said.low:.2%} to {said.high:.2%}"
        lines.append(
            f"| {name} | {said.windows} | {said.asked} | {said.alone} | "
            f"{said.wrong} ({share}) | {between} |"
        )
    lines += ["", "What the gate rested on, and when that changed:", ""]
    lines += [
        f"- window {move.window}, {move.audited} audited: {move.text}"
        for move in done.moves
    ]
    total = answers.under_certificate
    lines += [
        "",
        f"Before the shift, of {total.alone} decided alone {total.wrong} were wrong "
        f"({total.low:.2%} to {total.high:.2%}); promised: {about['alpha']}.",
        f"The shift came with window {about['shift']}. The gate shut after window "
        f"{answers.closed_at}: {answers.closed_after_audits} audited cases later, with "
        f"{answers.alone_after_shift} decided alone and {answers.wrong_after_shift} of "
        f"them wrong. It said: {answers.closed_text}",
        "",
    ]
    return "\n".join(lines)


def commit() -> str:
    """The code that ran, as git names it."""
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return said.stdout.strip() or "unknown"


def main() -> int:
    """Run the stream; 0 when all three bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--alpha", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--windows", type=int, help="only so many, none shifted")
    parser.add_argument("--trained-once", type=int, help="after so many labels, once")
    parser.add_argument("--write", type=Path, help="folder for gate_twin.md and .json")
    chosen = parser.parse_args()
    log.configure(level="ERROR")
    made = read(chosen.file)
    if chosen.windows is not None:
        count = chosen.windows
        made = TwinCycles(made.windows[:count].copy(), made.labels[:count], count)
    plan = BacktestPlan(
        policy="certified",
        retrain_every=20,
        retrain_share=0.15,
        seed=chosen.seed,
        alpha=chosen.alpha,
    )

    def show(at: int, of: int, text: str) -> None:
        if at % 100 == 0 or at == of:
            print(f"\r{at} of {of} windows, {text} ", end="", flush=True)

    if chosen.trained_once is not None:
        once = chosen.trained_once
        plan = replace(plan, warmup=once, retrain_every=len(made.labels))

    done = asyncio.run(replay(streamed(made, family()), plan, progress=show))
    answers = found(done, made.first_shifted)
    about = {
        "command": f"python benchmarks/gate/twin_certificate.py FILE "
        f"--alpha {chosen.alpha} --seed {chosen.seed}"
        + (f" --windows {chosen.windows}" if chosen.windows else "")
        + (f" --trained-once {chosen.trained_once}" if chosen.trained_once else ""),
        "made": f"python benchmarks/gate/twin_cycles.py FOLDER --cycles "
        f"{made.first_shifted} --after-shift {len(made.labels) - made.first_shifted}",
        "commit": commit(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "alpha": f"{chosen.alpha:.0%}",
        "shift": str(made.first_shifted + 1),
    }
    page = table(done, answers, about)
    print(f"\n\n{page}")
    print(f"{done.scores.seconds:.0f} s, {done.scores.promotions} promotions")
    if chosen.write is not None:
        (chosen.write / "gate_twin.md").write_text(page, encoding="utf-8")
        kept = {**about, **asdict(answers), "scores": asdict(done.scores)}
        text = json.dumps(kept, indent=2, allow_nan=False) + "\n"
        (chosen.write / "gate_twin.json").write_text(text, encoding="utf-8")
    total = answers.under_certificate
    within = total.alone > 0 and total.low <= chosen.alpha
    shut = answers.closed_at is not None and answers.closed_after_audits <= 100
    return 0 if answers.certified_at is not None and within and shut else 1


if __name__ == "__main__":
    raise SystemExit(main())
