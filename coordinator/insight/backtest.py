"""A labelled recording through the live and the learning path, window by window.

Nothing here decides: the checks, the gate, the cell, the requests, the store and the
learning are those of a running coordinator. Replaced are the clock, which is moved by
hand, the node and the people (recorded_cell.py), and the child process of the training,
which runs inline. Each window is scored with the model that served when it came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coordinator.clock import Clock, ManualClock, SystemClock
from coordinator.errors import InputError
from coordinator.insight.dataset import Dataset
from coordinator.insight.policies import AskAtRandom, parse_policy
from coordinator.insight.recorded_cell import advance_to, as_sensor_window
from coordinator.insight.recording import LEAST_UTC_NS, time_text, utc
from coordinator.insight.rig import Rig, RigPlan
from coordinator.insight.scores import Case, Scores, score
from coordinator.insight.simulated_person import SimulatedPerson
from coordinator.insight.windows import LabelledWindows

LEAST_WARMUP = 8

Progress = Callable[[int, int, str], None]
"""Called with windows done, windows in all, and one sentence."""


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """What is tried on a recording.

    Attributes:
        policy: Name of the rule, see policies.
        warmup: Labels before the first training; the windows behind them are no cases.
        retrain_every: Labels from one training to the next.
        seed: Of the training, the audits, the person and random questions.
        error_rate: Share of wrong answers, in [0, 1).
        audit_share: Share of the windows also shown to a person, in [0, 1].
        threshold: Of the gate, in [0.5, 1].
        network: To train, or "auto".
    """

    policy: str = "gate"
    warmup: int = 40
    retrain_every: int = 50
    seed: int = 0
    error_rate: float = 0.0
    audit_share: float = 0.05
    threshold: float = 0.9
    network: str = "auto"

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing could be learned."""
        if not self.warmup >= LEAST_WARMUP:
            raise InputError(
                f"a warm-up of {self.warmup} labels, at least {LEAST_WARMUP}.",
                "BAD_WARMUP",
            )
        if not self.retrain_every >= 1:
            raise InputError("training every 0 labels would never end.", "BAD_RETRAIN")
        if not 0.0 <= self.audit_share <= 1.0:
            raise InputError(
                f"an audit share of {self.audit_share}, allowed 0 to 1.", "BAD_AUDIT"
            )


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it.

    Attributes:
        scores: In numbers.
        cases: One by one, in the order of time.
    """

    scores: Scores
    cases: tuple[Case, ...]


async def backtest(
    dataset: Dataset,
    plan: BacktestPlan,
    *,
    progress: Progress = lambda _done, _all, _text: None,
    watch: Clock | None = None,
) -> Backtest:
    """Stream a dataset through both paths.

    Args:
        dataset: The recording.
        plan: What to try on it.
        progress: Told after every window.
        watch: Measures how long it takes.

    Raises:
        InputError: the plan makes no sense.
        ConfigError: the threshold would open the gate for everything.
    """
    watch = watch or SystemClock()
    began_ns = watch.monotonic_ns()
    family, windows = dataset.family, dataset.windows()
    judge = parse_policy(plan.policy, threshold=plan.threshold, seed=plan.seed)
    person = SimulatedPerson(family.label_names, plan.error_rate, plan.seed)
    clock = _clock(windows)
    cases: list[Case] = []
    labels = 0
    async with Rig(family, _rig_plan(plan), judge, person, clock) as rig:
        for i in range(len(windows)):
            is_case = labels >= plan.warmup
            if isinstance(judge, AskAtRandom):
                judge.begin(len(windows) - i if is_case else 0)
            group = dataset.recording.groups[windows.group_index[i]]
            truth = family.label_names[windows.truth[i]]
            advance_to(clock, int(windows.end_ns[i] - windows.end_ns[0]))
            window = as_sensor_window(windows, i, group, family, clock)
            shown = await rig.cell.show(i + 1, window, truth)
            labels += shown.labelled
            if is_case:
                when = time_text(int(windows.end_ns[i]))
                verdict = shown.verdict
                cases.append(Case(i + 1, group, when, verdict, truth, shown.audited))
            progress(i + 1, len(windows), f"{plan.policy}: {labels} labels")
            if shown.labelled:
                await rig.learn()
        retrains, promotions = await rig.trainings()
    scores = score(
        cases,
        family.default_label,
        retrains=retrains,
        promotions=promotions,
        seconds=(watch.monotonic_ns() - began_ns) / 1e9,
    )
    return Backtest(scores, tuple(cases))


def _rig_plan(plan: BacktestPlan) -> RigPlan:
    return RigPlan(
        first_after=plan.warmup,
        every_answers=plan.retrain_every,
        audit_share=plan.audit_share,
        threshold=plan.threshold,
        network=plan.network,
        seed=plan.seed,
    )


def _clock(windows: LabelledWindows) -> ManualClock:
    """A clock that begins when the first window could be judged."""
    first_ns = int(windows.end_ns[0])
    return ManualClock() if first_ns < LEAST_UTC_NS else ManualClock(utc(first_ns))
