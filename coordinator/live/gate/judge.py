"""Prediction -> Verdict: may the cell act alone?

Selective prediction (El-Yaniv & Wiener, JMLR 2010) written as a positive proof: ACT is
reached only when every check passed, every number is finite, the window is familiar and
the calibrated probability of the first guess reaches the threshold. Everything else
asks, or holds. On what its thresholds rest, a certificate, an engineer's word or
nothing, it is told as a value; standing.py keeps it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from coordinator.errors import ConfigError
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Decision,
    Digest,
    Family,
    Finding,
    HoldReason,
    Prediction,
    Verdict,
)

NEAR_THRESHOLD: Final = 1e-5
"""A model replays within this; confidences nearer to the threshold are flagged."""
NOTHING_SERVES: Final = "no model serves yet: a person answers everything."
ALONE: Final = frozenset({"ACT", "STOP_LABEL"})
"""Codes of what was decided alone: a label that stops the cell is acted on as well."""
CONTRADICTS: Final = "CONTRADICTS"
"""Code of what the last answer about the same cycle speaks against: see last_word."""
ONLY_CONFIDENCE: Final = ALONE | {
    "LOW_CONFIDENCE",
    "ASK_ALL",
    "NOT_CERTIFIED",
    CONTRADICTS,
}
"""Codes of windows that a gate with another threshold, or certified, decides alone."""


class Judge(Protocol):
    """The gate, as the path sees it."""

    @property
    def digest(self) -> Digest:
        """SHA-256 over the rule and its numbers."""

    def __call__(
        self,
        prediction: Prediction | None,
        findings: Sequence[Finding],
        family: Family,
    ) -> Verdict:
        """Decide; never raises for any number."""


ASKS: Final = "the gate is set to ask about everything."


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate with its numbers.

    Attributes:
        threshold: Least calibrated probability to act, in [0.5, 1].
        novelty_limit: Novelty above which a window is unlike anything in training.
        ask_all: Ask about everything, whatever the model says.
        asks_because: The sentence for that.
        certified: Labels that may be decided alone, each with its own threshold; None
            when no certificate is in force, and `threshold` goes for all of them.
        model_digest: The only model that the certificate is about.
    """

    threshold: float
    novelty_limit: float = 1.0
    ask_all: bool = False
    asks_because: str = ASKS
    certified: tuple[tuple[str, float], ...] | None = None
    model_digest: Digest = NO_DIGEST

    def __post_init__(self) -> None:
        """Refuse numbers that would open the gate for everything."""
        for threshold in (self.threshold, *(t for _, t in self.certified or ())):
            if not 0.5 <= threshold <= 1.0:
                raise ConfigError(
                    f"threshold {threshold}, allowed 0.5 to 1.", "BAD_THRESHOLD"
                )
        if not 0.0 < self.novelty_limit < math.inf:
            raise ConfigError(
                f"novelty limit {self.novelty_limit} must be positive.", "BAD_THRESHOLD"
            )

    @property
    def digest(self) -> Digest:
        """SHA-256 over the rule and its numbers."""
        text = (
            f"gate/3 {self.threshold!r} {self.novelty_limit!r} {self.ask_all!r} "
            f"{self.certified!r} {self.model_digest}"
        )
        return Digest(hashlib.sha256(text.encode()).hexdigest())

    def __call__(
        self,
        prediction: Prediction | None,
        findings: Sequence[Finding],
        family: Family,
    ) -> Verdict:
        """Decide about one window.

        Args:
            prediction: What the model makes of it; None when nothing serves.
            findings: What the checks have against it, the worst first.
            family: Its labels say what acting would mean.
        """
        refused = refusal(prediction, findings)
        if refused is not None:
            return refused
        if prediction is None:
            return Verdict(Decision.ASK, "ASK_ALL", NOTHING_SERVES)
        code, reason = self._doubt(prediction, findings)
        if code:
            measured, limit = self._unkept(code, prediction)
            return Verdict(
                Decision.ASK,
                code,
                reason,
                prediction,
                measured=measured,
                limit=limit,
            )
        return allow(prediction, family, self._certain(prediction))

    def _doubt(
        self, prediction: Prediction, findings: Sequence[Finding]
    ) -> tuple[str, str]:
        """Why to ask: a token and a sentence; two empty ones when nothing speaks."""
        said = [finding for finding in findings if finding.code == CONTRADICTS]
        findings = [finding for finding in findings if finding.code != CONTRADICTS]
        if findings:
            return findings[0].code, findings[0].text
        if not prediction.novelty <= self.novelty_limit:
            return "NOVEL", (
                f"unlike anything seen: novelty {prediction.novelty:.2f}, "
                f"limit {self.novelty_limit:.2f}."
            )
        if self.ask_all:
            return "ASK_ALL", self.asks_because
        threshold = self._threshold(prediction)
        if threshold is None:
            return "NOT_CERTIFIED", f"{prediction.label} is not certified yet."
        if not prediction.confidence >= threshold:
            return "LOW_CONFIDENCE", (
                f"not sure it is {prediction.label}: "
                f"{prediction.confidence:.2f}, threshold {threshold:.2f}."
            )
        # The last to be asked, and on a word alone: what a certificate is about must
        # not depend on which windows before were asked.
        if said and self.certified is None:
            return said[0].code, said[0].text
        return "", ""

    def _unkept(
        self, code: str, prediction: Prediction
    ) -> tuple[float | None, float | None]:
        """The number that decided and its limit; None where no number did."""
        if code == "NOVEL":
            return prediction.novelty, self.novelty_limit
        if code == "LOW_CONFIDENCE":
            return prediction.confidence, self._threshold(prediction)
        return None, None

    def _threshold(self, prediction: Prediction) -> float | None:
        """The threshold of a label of this model; None when none is in force."""
        if self.certified is None:
            return self.threshold
        if prediction.model_digest != self.model_digest:
            return None
        return dict(self.certified).get(prediction.label)

    def _certain(self, prediction: Prediction) -> str:
        threshold = self._threshold(prediction)
        near = threshold is not None and (
            prediction.confidence - threshold < NEAR_THRESHOLD
        )
        flag = " NEAR_THRESHOLD." if near else ""
        return f"{prediction.label}, {prediction.confidence:.3f} sure.{flag}"


def refusal(
    prediction: Prediction | None, findings: Sequence[Finding]
) -> Verdict | None:
    """HOLD for what no gate may let through; None when there is nothing of the kind.

    Every policy starts here, so that none can act on a bad window or a broken model.
    """
    for finding in findings:
        if finding.decision is Decision.HOLD:
            return Verdict(
                Decision.HOLD, finding.code, finding.text, None, finding.hold_reason
            )
    if prediction is not None and not is_sound(prediction):
        return Verdict(
            Decision.HOLD,
            "MODEL_FAULT",
            "the model's answer is not a set of probabilities.",
            prediction,
            HoldReason.MODEL_FAULT,
        )
    return None


def allow(prediction: Prediction, family: Family, reason: str) -> Verdict:
    """ACT on the first guess, unless its label stops the cell or is not known."""
    label = family.label(prediction.label)
    if label is None:
        return Verdict(
            Decision.HOLD,
            "UNKNOWN_LABEL",
            f"the model says '{prediction.label}', which the family does not have.",
            prediction,
            HoldReason.MODEL_FAULT,
        )
    if label.action is Action.STOP:
        return Verdict(
            Decision.HOLD,
            "STOP_LABEL",
            f"{reason} This label stops the cell: a person must look.",
            prediction,
            HoldReason.STOP_LABEL,
        )
    return Verdict(Decision.ACT, "ACT", reason, prediction)


def is_case(verdict: Verdict, family: Family) -> bool:
    """Whether a certificate is about this window.

    No check objects, nothing is new about it, and the label is one of the family's. It
    depends neither on the thresholds nor on what people said of other windows.
    """
    return (
        verdict.code in ONLY_CONFIDENCE
        and verdict.prediction is not None
        and family.label(verdict.prediction.label) is not None
    )


def is_sound(prediction: Prediction) -> bool:
    """Whether a prediction is a finite set of probabilities with a finite novelty."""
    numbers = (*prediction.probabilities, *prediction.logits, prediction.novelty)
    return (
        len(prediction.labels)
        == len(prediction.probabilities)
        == len(prediction.logits)
        > 0
        and all(math.isfinite(number) for number in numbers)
        and all(0.0 <= p <= 1.0 for p in prediction.probabilities)
        and abs(sum(prediction.probabilities) - 1.0) <= 1e-6
        and prediction.novelty >= 0.0
    )
