"""The gate on recordings of real robots, against other policies.

    python benchmarks/gate/recordings.py PART... [--recordings DIR] [--write DIR]

PART is one or more of: certified, ur3, person, operation. DIR of the recordings is
also taken from ANDON_RECORDINGS. Every run but the random forest's goes through the
checks, the gate, the cell, the questions, the store and the learning of a coordinator,
as `andon backtest` drives them. With --write the numbers are put into
DIR/gate_recordings.json, beside those of other parts, and the page is written anew.
Exit code 1: a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

from outcomes import NOTHING_MOVES, Outcome, andon, forest, summary
from recorded import Trial, folder, new_operation, new_person, ur3
from recordings_page import page

from coordinator import log
from coordinator.insight.backtest import BacktestPlan

Run = Callable[[int], Outcome]
Numbers = dict[str, Any]
FILE: Final = "gate_recordings"
THRESHOLD: Final = 0.85
"""The word on the UR3 recording that the bars are about; the page says why."""
ALPHA: Final = 0.05
"""What a backtest's gate has to prove, with the same delta."""
LEARNING: Final = 150
"""Labels from one training to the next, where a model may learn what is new."""
GRID: Final = (0.8, 0.85, 0.9)
FINE: Final = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def certified(recordings: Path, seeds: int) -> Numbers:
    """At alpha = delta = 5 %: asks until that is proven, and says how far it is."""
    trial = ur3(recordings)
    found: list[Numbers] = []
    for seed in range(seeds):
        plan = BacktestPlan("certified", trial.warmup, seed=seed, alpha=ALPHA)
        outcome, done = andon(trial, plan)
        line = done.gate
        said = "" if line is None else line.text
        found.append({**outcome.numbers(), "says": said})
        tell(f"certified, seed {seed}: {said}")
    # Nothing but a certificate lets this gate decide alone.
    tells = all(
        run["automated"] > 0.0 or "audited cases" in run["says"] for run in found
    )
    kept = all((run["error"] or 0.0) <= ALPHA for run in found)
    bars = {
        "asks about everything until it is proven, and says how far that is": tells,
        "of what it then decides alone, at most 5 % is wrong": kept,
    }
    return {"seeds": found, "bars": bars}


def on_ur3(recordings: Path, seeds: int) -> Numbers:
    """The provisional gate in time order, retrained every 50 labels."""
    trial = ur3(recordings)

    def plan(policy: str, seed: int, **changes: Any) -> BacktestPlan:
        return BacktestPlan(policy, trial.warmup, seed=seed, **changes)

    def run(policy: str, **changes: Any) -> Run:
        return lambda seed: andon(trial, plan(policy, seed, **changes))[0]

    rows: Numbers = {}
    for threshold in GRID:
        name = f"andon {threshold}"
        rows[name] = each(name, seeds, run("gate", threshold=threshold))
    for threshold in GRID:
        name = f"fixed:{threshold}"
        rows[name] = each(name, seeds, run(name))
    name = f"random:{round(rows[f'andon {THRESHOLD}']['questions']['mean'])}"
    rows[name] = each(name, seeds, run(name))
    rows["never"] = each("never", seeds, run("never"))
    rows["always"] = each("always", 1, run("always"))
    name = "CNN, fixed:0.9"
    rows[name] = each(name, seeds, run("fixed:0.9", network="cnn"))
    rows |= forests(trial, seeds, retrain_every=50)
    ours = rows[f"andon {THRESHOLD}"]
    equal = {
        name: at_equal_questions(rows, rows[name]["questions"]["mean"])
        for threshold in GRID
        for name in [f"andon {threshold}"]
    }
    others = equal[f"andon {THRESHOLD}"]
    bars = {
        "automated error at most 3 %": ours["error"]["mean"] <= 0.03,
        "at least 30 % automated": ours["automated"]["mean"] >= 0.30,
        "missed faults at most 1 % of the windows": ours["missed_share"]["mean"]
        <= 0.01,
        "AURC of the last quarter at most 0.10": (
            ours["aurc_last_quarter"]["mean"] <= 0.10
        ),
        "automated error below every other policy's at equal questions": all(
            ours["error"]["mean"] < error for error in others.values()
        ),
    }
    aims = {
        "45 % automated": ours["automated"]["mean"] >= 0.45,
        "1 % error": ours["error"]["mean"] <= 0.01,
    }
    return {"rows": rows, "equal": equal, "bars": bars, "aims": aims}


def at_equal_questions(rows: Numbers, questions: float) -> dict[str, float]:
    """Each other rule's automated error where it asks as many questions.

    Between two thresholds of one rule the error lies on the line; a rule that never
    asks so few or so many is told where it comes nearest.
    """
    families: dict[str, list[tuple[float, float]]] = {}
    for name, row in rows.items():
        if name.startswith("andon") or row["error"] is None:
            continue
        rule = name.rpartition(":")[0] or name
        pair = (row["questions"]["mean"], row["error"]["mean"])
        families.setdefault(rule, []).append(pair)
    found = {}
    for rule, pairs in families.items():
        pairs.sort()
        below = [pair for pair in pairs if pair[0] <= questions]
        above = [pair for pair in pairs if pair[0] >= questions]
        low, high = (
            (below or above)[-1 if below else 0],
            (above or below)[0 if above else -1],
        )
        part = (questions - low[0]) / (high[0] - low[0]) if high[0] > low[0] else 0.0
        found[rule] = low[1] + part * (high[1] - low[1])
    return found


def forests(trial: Trial, seeds: int, *, retrain_every: int) -> Numbers:
    """scikit-learn's forest at several thresholds."""

    def run(threshold: float) -> Run:
        return lambda seed: forest(trial, threshold, seed, retrain_every=retrain_every)

    return {
        (name := f"random forest, fixed:{threshold}"): each(name, seeds, run(threshold))
        for threshold in FINE
    }


def something_new(trials: list[Trial]) -> Numbers:
    """A model that was trained on what is known meets what is new, and stays as it is.

    And once more with learning switched on, for andon's gate alone.
    """
    seeds = len(trials)

    def run(policy: str, every: int, **changes: Any) -> Run:
        def one(seed: int) -> Outcome:
            trial = trials[seed]
            plan = BacktestPlan(
                policy, trial.warmup, retrain_every=every, seed=seed, **changes
            )
            return andon(trial, plan)[0]

        return one

    rows: Numbers = {}
    for name, policy, every in (
        ("andon 0.9", "gate", NOTHING_MOVES),
        ("fixed:0.9", "fixed:0.9", NOTHING_MOVES),
        ("never", "never", NOTHING_MOVES),
        ("andon 0.9, learning", "gate", LEARNING),
    ):
        rows[name] = each(name, seeds, run(policy, every, retrain_share=0.0))
    asked = round(rows["andon 0.9"]["questions"]["mean"])
    rows[f"random:{asked}"] = each(
        f"random:{asked}", seeds, run(f"random:{asked}", NOTHING_MOVES)
    )
    rows["random forest, fixed:0.9"] = each(
        "random forest, fixed:0.9",
        seeds,
        lambda seed: forest(trials[seed], 0.9, seed, retrain_every=NOTHING_MOVES),
    )
    ours = rows["andon 0.9"]
    error = None if ours["error"] is None else ours["error"]["mean"]
    bars = {
        "automated error at most 5 %, or less than 15 % automated": (
            ours["automated"]["mean"] < 0.15 or (error is not None and error <= 0.05)
        )
    }
    return {"rows": rows, "bars": bars}


def each(name: str, seeds: int, run: Run) -> Numbers:
    """One policy over all seeds."""
    began_s = time.monotonic()
    found = summary([run(seed).numbers() for seed in range(seeds)])
    shown = {
        key: round(value["mean"], 4)
        for key in ("questions", "automated", "error", "missed", "aurc_last_quarter")
        if (value := found[key]) is not None
    }
    tell(f"{name}: {shown} ({time.monotonic() - began_s:.0f} s)")
    return found


def tell(text: str) -> None:
    """Progress."""
    print(text, flush=True)


def machine() -> dict[str, str]:
    """Where and with what it ran."""
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "commit": said.stdout.strip() or "unknown",
    }


def main() -> int:
    """Run the parts."""
    parts: dict[str, Callable[[Path, int], Numbers]] = {
        "certified": certified,
        "ur3": on_ur3,
        "person": lambda where, seeds: something_new([new_person(where)] * seeds),
        "operation": lambda where, seeds: something_new(
            [new_operation(where, seed) for seed in range(seeds)]
        ),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=tuple(parts))
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="DIR")
    given = parser.parse_args()
    recordings = folder(given.recordings)
    if recordings is None:
        print("no recordings: name their folder with --recordings", file=sys.stderr)
        return 2
    log.configure(level="ERROR")
    missed = False
    for part in given.parts:
        found = {**machine(), **parts[part](recordings, given.seeds)}
        for bar, met in found["bars"].items():
            tell(f"{part}: {bar}: {'met' if met else 'MISSED'}")
            missed = missed or not met
        if given.write is not None:
            keep(given.write, part, found)
    return int(missed)


def keep(where: Path, part: str, found: Numbers) -> None:
    """Put one part beside the others, and write the page anew."""
    file = where / f"{FILE}.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kept[part] = found
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (where / f"{FILE}.md").write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
