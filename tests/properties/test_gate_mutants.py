"""Each rule of the gate is guarded: with one line of it changed, a promise breaks.

The changes are those of the list in the failsafe notes that concern the gate, and more
of the same kind. Each is made to a copy of the module's source, and a promise has to
notice; which one is named here, so that it cannot be lost by chance.
"""

import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from coordinator.live.gate import cases, judge, last_word, standing
from coordinator.live.window import check
from coordinator.model.risk import betting, costs, drift, ltt, spending
from coordinator.model.risk.evidence import Evidence
from coordinator.model.risk.grid import Group
from coordinator.terms import Closing, DecisionId, GateState, events
from tests.builders import FAMILY, PEG
from tests.coordinator.live.gate.standing_world import OTHER_MODEL, StandingWorld
from tests.coordinator.live.gate.test_gate_notes import make_case
from tests.properties import gate_promises as promises

pytestmark = pytest.mark.slow
Promise = Callable[[ModuleType], None]


# -- promises of what the judge's thresholds rest on ---------------------------------


def what_ended_acts_no_more(module: ModuleType) -> None:
    """A certificate and a word are worthless from the moment of their end."""
    for open_up in (StandingWorld.certify, StandingWorld.grant):
        world = StandingWorld(machine=module.Standing)
        open_up(world)
        world.carried = False
        world.now += world.plan.life
        assert world.state() is GateState.CLOSED
        assert world.standing.gate(world.now).ask_all


def what_closes_counts_at_once(module: ModuleType) -> None:
    """The window after an alarm is asked, though the alarm is not on record yet."""
    world = StandingWorld(machine=module.Standing)
    world.certify()
    world.carried = False
    for _ in range(60):
        world.window(truth="misaligned", drawn=True)
    assert world.standing.gate(world.now).ask_all


def what_opens_is_durable_first(module: ModuleType) -> None:
    """Evidence that passed opens nothing before its event was applied."""
    world = StandingWorld(machine=module.Standing, carried=False)
    world.run(260)
    assert world.standing.due(world.now)
    assert world.standing.gate(world.now).ask_all


def another_model_proves_itself_anew(module: ModuleType) -> None:
    """After a swap the gate asks, and counts no case of the model before."""
    world = StandingWorld(machine=module.Standing)
    world.certify()
    world.standing.serve(OTHER_MODEL)
    assert world.standing.gate(world.now).ask_all
    assert world.standing.audited == 0


def what_erred_is_not_usual(module: ModuleType) -> None:
    """Windows with which a model erred are not taken for usual when they come back."""
    world, usual = StandingWorld(machine=module.Standing), np.random.default_rng(0)
    for _ in range(260):
        world.window(signals=usual.normal(size=6))
    world.standing.close(events.GateClosed(PEG, Closing.ALARM, "it erred."))
    for count, at in ((260, 4.0), (200, 0.0)):
        for _ in range(count):
            world.window(signals=usual.normal(size=6) + at)
    assert world.kinds().count("GateClosed") == 2


def what_wanders_excuses_no_other(module: ModuleType) -> None:
    """A steady signal that moves is seen although another has always wandered."""
    rng, turns = np.random.default_rng(0), 2 * np.pi * np.arange(2000) / 800
    windows = rng.normal(size=(2000, 2))
    windows[:, 1] += 4.0 * np.sin(turns)
    windows[1600:, 0] += 1.5
    watch = module.DriftWatch.begin(module.Reference.of(windows[:1600]))
    for values in windows[1600:]:
        watch = watch.see(values)
    assert watch.alarmed(0.05)


def old_evidence_renews_nothing(module: ModuleType) -> None:
    """A certificate that ended is not given again for the same cases."""
    world = StandingWorld(machine=module.Standing)
    world.certify()
    world.carried = False
    world.now += timedelta(days=30)
    world.carry()
    world.carry()
    assert world.state() is GateState.CLOSED


def an_alarm_takes_back_a_word(module: ModuleType) -> None:
    """Errors among audits shut a gate that acts on somebody's word."""
    world = StandingWorld(machine=module.Standing)
    world.grant()
    for _ in range(100):
        world.window(truth="misaligned", drawn=True)
    assert world.state() is GateState.CLOSED


def a_look_waits_and_silence_is_no_proof(module: ModuleType) -> None:
    """Open cases end what a look may use, and silent ones cost the dearest."""
    book = module.CaseBook(FAMILY.label_names, costs.Costs())
    for number in range(6):
        book.add(make_case(number), drawn=True)
        if number != 3:
            truth = module.SILENT if number == 1 else "ok"
            book.settle(DecisionId(f"d-{number}"), truth)
    assert book.ready == 3
    assert book.evidence(3).loss.tolist() == [0.0, 1.0, 0.0]


def only_drawn_windows_are_evidence(module: ModuleType) -> None:
    """What the coin passed over is no case, whoever answered it."""
    book = module.CaseBook(FAMILY.label_names, costs.Costs())
    book.add(make_case(1), drawn=False)
    assert book.settle(DecisionId("d-1"), "ok") is None
    assert book.ready == 0


# -- promises of the mathematics -----------------------------------------------------


def silence_and_confusion_cost(module: ModuleType) -> None:
    """What nobody answered is wrong, and what was confused costs its price."""
    priced = module.Costs({("ok", "a"): 4.0}, frozenset({"a"}))
    assert priced.loss("ok", "") == 1.0
    assert priced.loss("ok", "b") == 0.25
    assert priced.missed("ok", "")


def a_sequence_ends_at_its_first_failure(module: ModuleType) -> None:
    """Right windows below a bad threshold do not make it good."""
    confidence = np.repeat([0.95, 0.8, 0.6], [300, 60, 5000]).astype(np.float64)
    wrong = (confidence == 0.8).astype(np.float64)
    zeros = np.zeros(len(wrong), np.int64)
    evidence = Evidence(zeros, confidence, wrong, zeros.astype(bool))
    group = Group((0,), np.array([0.9, 0.7, 0.55]), (0,))
    (tested,) = module.certify(evidence, [group], module.Limits(0.05, 0.05), 0.05)
    assert tested.threshold == 0.9


def groups_and_starts_share_the_level(module: ModuleType) -> None:
    """Two groups, or two starts, are each tested more strictly than one."""
    count = 75  # enough at the whole level, too few at half of it
    zeros = np.zeros(count, np.int64)
    evidence = Evidence(
        zeros, np.full(count, 0.95), np.zeros(count), zeros.astype(bool)
    )
    one = Group((0,), np.array([0.9, 0.8]), (0,))
    two = Group((0,), np.array([0.9, 0.8]), (0, 1))
    other = Group((1,), np.array([0.9]), (0,))
    limits = module.Limits(0.05, 0.05)
    alone = module.certify(evidence, [one], limits, 0.025)[0]
    shared = module.certify(evidence, [one, other], limits, 0.025)[0]
    started = module.certify(evidence, [two], limits, 0.025)[0]
    assert alone.threshold is not None
    assert shared.threshold is None
    assert started.threshold is None


def all_looks_together_risk_delta(module: ModuleType) -> None:
    """However often evidence is looked at, delta is what it may cost."""
    spent = math.fsum(module.look_level(look, 0.05) for look in range(1, 500))
    assert spent <= 0.05


def a_fair_bet_wins_nothing(module: ModuleType) -> None:
    """At the limit a bettor's mean capital stays what it was."""
    bettor = module.Bettor.against(0.05)
    for value in (0.0, 1.0, 0.0, 0.0):
        now = math.exp(bettor.log_capital)
        won, lost = (
            math.exp(bettor.see(outcome).log_capital) for outcome in (1.0, 0.0)
        )
        assert 0.05 * won + 0.95 * lost == pytest.approx(now)
        bettor = bettor.see(value)


# -- the mutants ---------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change, and the promise that has to notice it."""

    name: str
    module: ModuleType
    line: str
    instead: str
    promise: Promise


MUTANTS = [
    Mutant(
        "confidence-below-threshold-asks",
        judge,
        "if not prediction.confidence >= threshold:",
        "if prediction.confidence < threshold:",
        promises.each_comparison_is_a_proof_by_itself,
    ),
    Mutant(
        "above-instead-of-at-the-threshold",
        judge,
        "if not prediction.confidence >= threshold:",
        "if not prediction.confidence > threshold:",
        promises.the_limits_themselves_are_inside,
    ),
    Mutant(
        "no-look-at-the-confidence",
        judge,
        "if not prediction.confidence >= threshold:",
        "if False:",
        promises.the_limits_themselves_are_inside,
    ),
    Mutant(
        "novelty-above-limit-asks",
        judge,
        "if not prediction.novelty <= self.novelty_limit:",
        "if prediction.novelty > self.novelty_limit:",
        promises.each_comparison_is_a_proof_by_itself,
    ),
    Mutant(
        "below-instead-of-at-the-novelty-limit",
        judge,
        "if not prediction.novelty <= self.novelty_limit:",
        "if not prediction.novelty < self.novelty_limit:",
        promises.the_limits_themselves_are_inside,
    ),
    Mutant(
        "no-look-at-the-novelty",
        judge,
        "if not prediction.novelty <= self.novelty_limit:",
        "if False:",
        promises.the_limits_themselves_are_inside,
    ),
    Mutant(
        "outputs-not-checked",
        judge,
        "if prediction is not None and not is_sound(prediction):",
        "if False:",
        promises.one_bad_number_holds,
    ),
    Mutant(
        "outputs-need-not-be-finite",
        judge,
        "and all(math.isfinite(number) for number in numbers)",
        "",
        promises.one_bad_number_holds,
    ),
    Mutant(
        "probabilities-need-no-range",
        judge,
        "and all(0.0 <= p <= 1.0 for p in prediction.probabilities)",
        "",
        promises.what_is_no_set_of_probabilities_holds,
    ),
    Mutant(
        "probabilities-need-no-sum",
        judge,
        "and abs(sum(prediction.probabilities) - 1.0) <= 1e-6",
        "",
        promises.what_is_no_set_of_probabilities_holds,
    ),
    Mutant(
        "novelty-may-be-negative",
        judge,
        "and prediction.novelty >= 0.0",
        "",
        promises.what_is_no_set_of_probabilities_holds,
    ),
    Mutant(
        "findings-that-hold-are-skipped",
        judge,
        "if finding.decision is Decision.HOLD:",
        "if False:",
        promises.what_a_check_holds_is_held,
    ),
    Mutant(
        "only-the-first-finding-counts",
        judge,
        "for finding in findings:",
        "for finding in findings[:1]:",
        promises.what_a_check_holds_is_held,
    ),
    Mutant(
        "findings-that-ask-are-skipped",
        judge,
        "        if findings:\n",
        "        if False:\n",
        promises.what_a_check_holds_is_held,
    ),
    Mutant(
        "stop-labels-act",
        judge,
        "if label.action is Action.STOP:",
        "if False:",
        promises.a_stop_label_never_acts,
    ),
    Mutant(
        "a-gate-set-to-ask-acts",
        judge,
        "if self.ask_all:",
        "if False:",
        promises.a_gate_that_asks_acts_on_nothing,
    ),
    Mutant(
        "any-model-is-certified",
        judge,
        "if prediction.model_digest != self.model_digest:",
        "if False:",
        promises.a_certificate_is_about_one_model_and_its_labels,
    ),
    Mutant(
        "any-label-is-certified",
        judge,
        "return dict(self.certified).get(prediction.label)",
        "return dict(self.certified).get(prediction.label, 0.5)",
        promises.a_certificate_is_about_one_model_and_its_labels,
    ),
    Mutant(
        "no-certificate-means-no-threshold-of-its-own",
        judge,
        "        if self.certified is None:\n",
        "        if True:\n",
        promises.a_certificate_is_about_one_model_and_its_labels,
    ),
    Mutant(
        "thresholds-are-not-checked",
        judge,
        "if not 0.5 <= threshold <= 1.0:",
        "if threshold < 0.0:",
        promises.a_threshold_that_opens_for_everything_is_refused,
    ),
    Mutant(
        "a-word-contradicts-people",
        judge,
        "if said and self.certified is None:",
        "if False:",
        promises.only_a_word_hears_the_last_answer,
    ),
    Mutant(
        "a-certificate-depends-on-what-was-asked",
        judge,
        "if said and self.certified is None:",
        "if said:",
        promises.only_a_word_hears_the_last_answer,
    ),
    Mutant(
        "a-contradiction-is-no-case",
        judge,
        '    "NOT_CERTIFIED",\n    CONTRADICTS,\n',
        '    "NOT_CERTIFIED",\n',
        promises.only_a_word_hears_the_last_answer,
    ),
    Mutant(
        "an-answer-is-not-heard",
        last_word,
        "= request.cycle, request.label",
        "= request.cycle, ''",
        promises.an_answer_stands_in_its_cycle,
    ),
    Mutant(
        "an-answer-is-forgotten-at-once",
        last_word,
        "or says == self._label:",
        "or says != self._label:",
        promises.an_answer_stands_in_its_cycle,
    ),
    Mutant(
        "an-answer-outlives-agreement",
        last_word,
        " or says == self._label:",
        ":",
        promises.an_answer_stands_in_its_cycle,
    ),
    Mutant(
        "an-answer-outlives-its-cycle",
        last_word,
        "if cycle != self._cycle or says",
        "if says",
        promises.an_answer_stands_in_its_cycle,
    ),
    Mutant(
        "inputs-need-not-be-finite",
        check,
        "finite = np.isfinite(samples)",
        "finite = np.ones_like(samples, dtype=bool)",
        promises.what_is_not_finite_holds_where_no_range_would,
    ),
    Mutant(
        "inputs-need-not-be-in-range",
        check,
        "within = (samples >= lows) & (samples <= highs)",
        "within = np.ones_like(samples, dtype=bool)",
        promises.one_bad_value_anywhere_holds,
    ),
    Mutant(
        "the-upper-end-of-a-range-is-outside",
        check,
        "(samples <= highs)",
        "(samples < np.inf)",
        promises.one_bad_value_anywhere_holds,
    ),
    Mutant(
        "age-is-not-checked",
        check,
        "if not 0 <= age_ns <= limit_ns:",
        "if age_ns > limit_ns:",
        promises.what_is_old_or_has_gaps_holds,
    ),
    Mutant(
        "gaps-are-not-checked",
        check,
        "if window.gap_rows != 0:",
        "if False:",
        promises.what_is_old_or_has_gaps_holds,
    ),
    Mutant(
        "stuck-channels-are-not-checked",
        check,
        "if length >= min(channel.stuck_rows, len(window.samples)):",
        "if False:",
        promises.what_is_old_or_has_gaps_holds,
    ),
    Mutant(
        "what-ended-goes-on",
        standing,
        "        if not now < opened.until:\n            return GateState.CLOSED\n",
        "",
        what_ended_acts_no_more,
    ),
    Mutant(
        "an-alarm-waits-for-the-disk",
        standing,
        "        if self._closing is not None:\n            return GateState.CLOSED\n",
        "",
        what_closes_counts_at_once,
    ),
    Mutant(
        "a-certificate-opens-before-it-is-durable",
        standing,
        "            return (events.GateCertified(certificate),)\n",
        "            self._take(certificate)\n"
        "            return (events.GateCertified(certificate),)\n",
        what_opens_is_durable_first,
    ),
    Mutant(
        "a-certificate-outlives-a-swap",
        standing,
        "            self._certificate = None\n        self._looks",
        "            pass\n        self._looks",
        another_model_proves_itself_anew,
    ),
    Mutant(
        "evidence-outlives-a-swap",
        standing,
        "        self._looks, self._in_sight = None, self.least\n",
        "",
        another_model_proves_itself_anew,
    ),
    Mutant(
        "old-evidence-renews",
        standing,
        "        return closed, self._restarted(closed.text)\n",
        "        return (closed,)\n",
        old_evidence_renews_nothing,
    ),
    Mutant(
        "a-past-that-erred-stays-usual",
        standing,
        "forget=event.why not in UNDISPROVED",
        "forget=False",
        what_erred_is_not_usual,
    ),
    Mutant(
        "one-wandering-signal-excuses-all",
        drift,
        "stretches.max(axis=1)",
        "stretches.max()",
        what_wanders_excuses_no_other,
    ),
    Mutant(
        "no-alarm",
        standing,
        "            self._check_alarm(looks.book)\n",
        "",
        an_alarm_takes_back_a_word,
    ),
    Mutant(
        "a-look-does-not-wait",
        cases,
        "            if self._cases[self._ready].truth is None:\n"
        "                break\n",
        "",
        a_look_waits_and_silence_is_no_proof,
    ),
    Mutant(
        "every-window-is-a-case",
        cases,
        "        if drawn:\n",
        "        if True:\n",
        only_drawn_windows_are_evidence,
    ),
    Mutant(
        "silence-is-agreement",
        costs,
        "            return 1.0\n        if said == truth:",
        "            return 0.0\n        if said == truth:",
        silence_and_confusion_cost,
    ),
    Mutant(
        "silence-misses-nothing",
        costs,
        "return bool(self.must_never_miss)",
        "return False",
        silence_and_confusion_cost,
    ),
    Mutant(
        "all-that-pass-are-certified",
        ltt,
        "int(np.argmin(passed)) - 1",
        "int(np.flatnonzero(passed)[-1])",
        a_sequence_ends_at_its_first_failure,
    ),
    Mutant(
        "each-group-has-the-whole-level",
        ltt,
        "level / len(groups)",
        "level",
        groups_and_starts_share_the_level,
    ),
    Mutant(
        "each-look-has-the-whole-delta",
        spending,
        "return delta / (look * (look + 1))",
        "return delta",
        all_looks_together_risk_delta,
    ),
    Mutant(
        "waiting-capital-is-counted-twice",
        betting,
        "math.log(waiting(self.cases) - waiting(self.cases + 1))",
        "math.log(waiting(self.cases))",
        a_fair_bet_wins_nothing,
    ),
]


@contextmanager
def changed(
    module: ModuleType, line: str, instead: str, folder: Path
) -> Iterator[ModuleType]:
    """The module with one place of its source changed, beside the real one."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert source.count(line) >= 1, "the line to change is not there any more"
    copy = folder / "mutant.py"
    copy.write_text(source.replace(line, instead), encoding="utf-8")
    name = f"mutant_of_{module.__name__.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, copy)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found  # dataclasses look their module up
    try:
        spec.loader.exec_module(found)
        yield found
    finally:
        del sys.modules[name]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_promise_notices_when_one_line_is_wrong(mutant: Mutant, tmp_path: Path):
    mutant.promise(mutant.module)

    with (
        changed(mutant.module, mutant.line, mutant.instead, tmp_path) as wrong,
        pytest.raises(AssertionError),
    ):
        mutant.promise(wrong)
