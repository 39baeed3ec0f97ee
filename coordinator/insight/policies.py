"""Rules to compare the gate with, injected into the same path in its place.

Every one refuses what no gate may let through, and asks while no model serves: what
differs is only when it trusts the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from coordinator.errors import InputError
from coordinator.live.gate.judge import CONTRADICTS, Gate, Judge, allow, refusal
from coordinator.live.gate.lately import CODE as UNFAMILIAR
from coordinator.terms import Decision, Digest, Family, Finding, Prediction, Verdict

POLICIES = (
    "gate, certified, always, never, fixed:T (0 < T <= 1) or random:N (N questions)"
)
OF_OTHER_WINDOWS = frozenset({UNFAMILIAR, CONTRADICTS})
"""Codes of what the gate knows from the windows before; a fixed threshold does not."""


@dataclass(frozen=True, slots=True)
class NeverAsk:
    """Acts on the first guess of whatever model serves: how good is it alone?"""

    @property
    def digest(self) -> Digest:
        """SHA-256 over the rule."""
        return _digest("never/1")

    def __call__(
        self,
        prediction: Prediction | None,
        findings: Sequence[Finding],
        family: Family,
    ) -> Verdict:
        """See Judge."""
        return refusal(prediction, findings) or (
            _nobody_serves()
            if prediction is None
            else allow(prediction, family, f"{_said(prediction)}; the rule never asks.")
        )


@dataclass(frozen=True, slots=True)
class FixedThreshold:
    """Acts from a confidence on, however unlike the training the window is.

    Attributes:
        threshold: Least calibrated probability to act, in (0, 1].
    """

    threshold: float

    @property
    def digest(self) -> Digest:
        """SHA-256 over the rule and its number."""
        return _digest(f"fixed/1 {self.threshold!r}")

    def __call__(
        self,
        prediction: Prediction | None,
        findings: Sequence[Finding],
        family: Family,
    ) -> Verdict:
        """See Judge."""
        refused = refusal(prediction, findings)
        if refused is not None:
            return refused
        if prediction is None:
            return _nobody_serves()
        of_window = [f for f in findings if f.code not in OF_OTHER_WINDOWS]
        if of_window:
            first = of_window[0]
            return Verdict(Decision.ASK, first.code, first.text, prediction)
        if not prediction.confidence >= self.threshold:
            reason = f"{_said(prediction)}, fixed threshold {self.threshold:.2f}."
            return Verdict(Decision.ASK, "LOW_CONFIDENCE", reason, prediction)
        return allow(prediction, family, f"{_said(prediction)}.")


@dataclass(slots=True)
class AskAtRandom:
    """Asks a given number of questions, spread evenly by chance.

    Attributes:
        questions: Still to be asked.
        seed: Of the draws.
    """

    questions: int
    seed: int
    _cases_left: int = 0
    _draws: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Start the draws."""
        self._draws = np.random.default_rng([self.seed, self.questions])

    @property
    def digest(self) -> Digest:
        """SHA-256 over the rule and its seed."""
        return _digest(f"random/1 {self.seed}")

    def begin(self, cases_left: int) -> None:
        """Tell how many cases are left, the next one included; 0 in the warm-up."""
        self._cases_left = cases_left

    def __call__(
        self,
        prediction: Prediction | None,
        findings: Sequence[Finding],
        family: Family,
    ) -> Verdict:
        """See Judge."""
        refused = refusal(prediction, findings)
        if refused is not None:
            return refused
        # Selection sampling: each case with the share that is still to be asked.
        drawn = self._draws.random() * max(self._cases_left, 1) < self.questions
        if self._cases_left and (drawn or prediction is None):
            self.questions = max(0, self.questions - 1)
        if prediction is None:
            return _nobody_serves()
        if drawn:
            return Verdict(
                Decision.ASK, "DRAWN", "drawn by chance to be asked.", prediction
            )
        return allow(prediction, family, f"{_said(prediction)}; not drawn.")


def parse_policy(text: str, *, threshold: float, seed: int) -> Judge:
    """Return the rule that a policy's name stands for.

    Args:
        text: As given with --policy.
        threshold: Of the gate.
        seed: Of random questions.

    Raises:
        InputError: there is no such policy, or its number makes no sense.
    """
    name, _, number = text.partition(":")
    match name, bool(number):
        case "gate", False:
            return Gate(threshold)
        case "always", False:
            return Gate(threshold, ask_all=True)
        case "never", False:
            return NeverAsk()
        case "fixed", True:
            return FixedThreshold(_threshold(number, text))
        case "random", True:
            return AskAtRandom(_questions(number, text), seed)
        case _:
            raise _unknown(text)


def _questions(number: str, text: str) -> int:
    if not (number.isdecimal() and len(number) < 10):
        raise _unknown(text)
    return int(number)


def _threshold(number: str, text: str) -> float:
    try:
        threshold = float(number)
    except ValueError as error:
        raise _unknown(text) from error
    if not 0.0 < threshold <= 1.0:
        raise _unknown(text)
    return threshold


def _unknown(text: str) -> InputError:
    return InputError(
        f"there is no policy {text[:40]!a}; there are {POLICIES}.", "BAD_POLICY"
    )


def _nobody_serves() -> Verdict:
    return Verdict(
        Decision.ASK, "ASK_ALL", "no model serves yet: a person answers everything."
    )


def _said(prediction: Prediction) -> str:
    return f"{prediction.label}, {prediction.confidence:.3f} sure"


def _digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())
