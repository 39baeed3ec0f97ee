"""A labelled recording through the live and the learning path, window by window.

Nothing here decides: the checks, the gate, the cell, the requests, the store and the
learning are those of a running coordinator. Replaced are the clock, which is moved by
hand, the node and the people (recorded_cell.py), and the child process of the training,
which runs inline. Each window is scored with the model that served when it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
from coordinator.live.gate.audit import AuditPlan
from coordinator.live.gate.judge import Judge
from coordinator.live.gate.plan import GatePlan
from coordinator.model.registry import AUTO, objection
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise
from coordinator.terms import Family, GateState, GateStatus

CERTIFIED = "certified"
"""The policy of a gate that has to prove its promise before it decides alone."""
LEAST_WARMUP = 8

Progress = Callable[[int, int, str], None]
"""Called with windows done, windows in all, and one sentence."""


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """What is tried on a recording.

    Attributes:
        policy: Name of the rule, see policies; or "certified", the gate as it is by
            default, with its own audits.
        warmup: Labels before the first training; the windows behind them are no cases.
        retrain_every: Labels from one training to the next, at least.
        retrain_share: The same as a share of the labels; whichever is more counts.
        seed: Of the training, the audits, the person and random questions.
        error_rate: Share of wrong answers, in [0, 1).
        audit_share: Share of the windows also shown to a person, in [0, 1].
        threshold: Of the gate, in [0.5, 1].
        network: To train, or "auto".
        alpha: Largest share of wrong decisions to be certified; "certified" alone.
        delta: Probability that the certificate is not true; "certified" alone.
        audits_per_hour: Once certified.
        model: Folder of one model that serves throughout: nothing is trained, and every
            window is a case; "" begins without a model and learns.
    """

    policy: str = "gate"
    warmup: int = 40
    retrain_every: int = 50
    retrain_share: float = 0.0
    seed: int = 0
    error_rate: float = 0.0
    audit_share: float = 0.05
    threshold: float = 0.9
    network: str = AUTO
    alpha: float = 0.05
    delta: float = 0.05
    audits_per_hour: float = 6.0
    model: str = ""

    def __post_init__(self) -> None:
        """Refuse what nothing could be learned with.

        Raises:
            InputError: a number is out of its range, or there is no such network.
        """
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
        if text := objection(self.network):
            raise InputError(text, "UNKNOWN_NETWORK")


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """Labelled windows, wherever they come from.

    Attributes:
        family: Channels and labels.
        windows: In the order of time.
        groups: Names of the runs or cycles that windows.group_index points to.
    """

    family: Family
    windows: LabelledWindows
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class GateMove:
    """The gate came to rest on something else.

    Attributes:
        window: Number of the window after which it did, from 1.
        state: On what it rests from there on.
        text: One sentence.
        audited: Settled cases of the evidence before the move.
    """

    window: int
    state: GateState
    text: str
    audited: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it.

    Attributes:
        scores: In numbers.
        cases: One by one, in the order of time.
        moves: Of the gate, in the order of time; none for one fixed rule.
        gate: The gate at the end; None for one fixed rule.
    """

    scores: Scores
    cases: tuple[Case, ...]
    moves: tuple[GateMove, ...] = ()
    gate: GateStatus | None = None


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
    streamed = Streamed(dataset.family, dataset.windows(), dataset.recording.groups)
    return await replay(streamed, plan, progress=progress, watch=watch)


async def replay(
    streamed: Streamed,
    plan: BacktestPlan,
    *,
    progress: Progress = lambda _done, _all, _text: None,
    watch: Clock | None = None,
) -> Backtest:
    """Stream labelled windows through both paths; see backtest()."""
    watch = watch or SystemClock()
    began_ns = watch.monotonic_ns()
    family, windows = streamed.family, streamed.windows
    gate = _gate(plan, family)
    person = SimulatedPerson(family.label_names, plan.error_rate, plan.seed)
    clock = _clock(windows)
    cases: list[Case] = []
    moves: list[GateMove] = []
    labels = 0
    async with Rig(family, _rig_plan(plan), gate, person, clock) as rig:
        standing = await rig.prove()
        for i in range(len(windows)):
            is_case = bool(plan.model) or labels >= plan.warmup
            if isinstance(gate, AskAtRandom):
                gate.begin(len(windows) - i if is_case else 0)
            group = streamed.groups[windows.group_index[i]]
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
            before, standing = standing, await rig.prove()
            moves += _moved(i + 1, before, standing)
        retrains, promotions = await rig.trainings()
    scores = score(
        cases,
        family.default_label,
        retrains=retrains,
        promotions=promotions,
        seconds=(watch.monotonic_ns() - began_ns) / 1e9,
    )
    return Backtest(scores, tuple(cases), tuple(moves), standing)


def _gate(plan: BacktestPlan, family: Family) -> Judge | GatePlan:
    if plan.policy != CERTIFIED:
        return parse_policy(plan.policy, threshold=plan.threshold, seed=plan.seed)
    never = frozenset(label.name for label in family.labels if label.must_never_miss)
    return GatePlan(
        promise=Promise(plan.alpha, plan.delta, plan.alpha),
        costs=Costs({}, never),
        audits=AuditPlan(per_hour=plan.audits_per_hour),
    )


def _moved(
    window: int, before: GateStatus | None, now: GateStatus | None
) -> Iterator[GateMove]:
    """What a window has changed of the gate, if anything."""
    if before is not None and now is not None and now.state is not before.state:
        yield GateMove(window, now.state, now.text, before.audited)


def _rig_plan(plan: BacktestPlan) -> RigPlan:
    return RigPlan(
        first_after=plan.warmup,
        every_answers=plan.retrain_every,
        every_share=plan.retrain_share,
        audit_share=plan.audit_share,
        threshold=plan.threshold,
        network=plan.network,
        seed=plan.seed,
        model=Path(plan.model) if plan.model else None,
    )


def _clock(windows: LabelledWindows) -> ManualClock:
    """A clock that begins when the first window could be judged."""
    first_ns = int(windows.end_ns[0])
    return ManualClock() if first_ns < LEAST_UTC_NS else ManualClock(utc(first_ns))
