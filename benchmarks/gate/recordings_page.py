"""The page about the recordings, from the numbers that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HEADS: Final = (
    ("policy", ""),
    ("questions", "questions"),
    ("decided alone", "automated"),
    ("of these wrong", "error"),
    ("missed faults", "missed"),
    ("AURC", "aurc"),
    ("last quarter", "aurc_last_quarter"),
    ("AUGRC", "augrc"),
)
SHARES: Final = frozenset({"automated", "error"})
DIGITS: Final = {"questions": 0, "automated": 1, "error": 2, "missed": 1}
"""Behind the point; three where nothing is said."""
TITLES: Final = {
    "certified": "UR3, certified at 5 %, 95 % sure",
    "ur3": "UR3 in time order, on an engineer's word",
    "person": "A new person: Franka, people a and b, then c",
    "operation": "A new operation: lp4, then the distinct recordings of lp2",
}
INTRODUCTION: Final = """# Evidence: the gate on recordings of real robots

Written by `benchmarks/gate/recordings.py`. Means over seeds; in brackets a 95 %
interval for the mean (Student's t). A seed moves the training, the audits, the person
and random questions; the recordings are the same for all, so the intervals say
nothing about other recordings.

```
python benchmarks/gate/recordings.py certified ur3 person operation \\
    --recordings DIR --write docs/evidence
```

`andon T` is the gate on an engineer's word from T on (`andon backtest ur3
--provisional --threshold T`), with novelty, the watch over a cell's last windows and
the last word of a person about the cycle; `fixed:T` has the same models and none of
these. `random forest` is scikit-learn's with 300 trees on seven statistics of each
channel. **AURC** and **AUGRC** are over all cases,
whatever was decided about them.

**How choices were made.** Scores of novelty were compared on the twin, on the first
300 windows of UR3, on people a and b of the Franka (each against the other), on UR5
contacts with a link left out, on synthetic changes, and on lp4 against lp2. **So lp2
is no untouched test:** that samples are drawn in before they are described, and the
watch over a cell's last windows, were decided with it in sight. The tolerance
of a tenth (benchmarks/gate/novelty.py) was chosen with lp2 and person c in sight.
Calibration was chosen on trainings of the whole UR3 stream, each scored on the
windows after it, so
the UR3 figures are those of a stream that was developed on. The threshold of 0.85 was
taken because 0.8 decided 57 % and 0.9 39 % alone before any of this. That a person's
last word is not contradicted was found by looking at what was wrong with seeds 5 to 9
(benchmarks/gate/ranking.py); the page has seeds 0 to 4, but the same windows. It has no
number that could have been tuned, the first half of the recording alone would have
chosen it, and the second half agreed. On the Franka it had no part in any choice.
Other parts of these recordings are the test that counts.
"""


def page(kept: Mapping[str, Any]) -> str:
    """Markdown for all parts that are kept."""
    lines = [INTRODUCTION]
    for part, title in TITLES.items():
        if part in kept:
            lines += _part(title, part, kept[part])
    return "\n".join(lines)


def _part(title: str, part: str, found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"## {title}\n",
        f"`recordings.py {part}`; {found['machine']}, Python {found['python']}, commit "
        f"{found['commit']}.\n",
    ]
    if "rows" in found:
        lines.append("| " + " | ".join(head for head, _ in HEADS) + " |")
        lines.append("|---" * len(HEADS) + "|")
        for name, row in found["rows"].items():
            numbers = [_shown(row[key], key) for _, key in HEADS[1:]]
            lines.append(f"| {name} | " + " | ".join(numbers) + " |")
        lines.append("")
    else:
        for seed, run in enumerate(found["seeds"]):
            lines.append(
                f"- seed {seed}: {run['questions']} questions about {run['cases']} "
                f"windows, {round(run['automated'] * run['cases'])} decided alone, "
                f"{run['wrong']} of them wrong. *{run['says']}*"
            )
        lines.append("")
    if "equal" in found:
        lines.append("Automated error of the others at as many questions:\n")
        for ours, others in found["equal"].items():
            told = ", ".join(f"{k} {100 * v:.2f} %" for k, v in others.items())
            error = found["rows"][ours]["error"]["mean"]
            lines.append(f"- {ours}: {100 * error:.2f} %; {told}.")
        lines.append("")
    for kind in ("bars", "aims"):
        for text, met in found.get(kind, {}).items():
            word = "met" if met else "**missed**"
            lines.append(f"- {'aim: ' if kind == 'aims' else ''}{text}: {word}")
    lines.append("")
    return lines


def _shown(value: Any, key: str) -> str:
    if value is None:
        return "none"
    scale, digits = (100.0 if key in SHARES else 1.0), DIGITS.get(key, 3)
    unit = " %" if key in SHARES else ""
    mean, low, high = (scale * value[name] for name in ("mean", "low", "high"))
    if low == high:
        return f"{mean:.{digits}f}{unit}"
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}){unit}"
