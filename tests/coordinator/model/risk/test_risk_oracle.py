"""Another implementation of learn-then-test agrees: MAPIE's, as an oracle.

MAPIE turns counted errors into a mean and back, so that rounding may count one error
more than there are. Where it does, its p-value lies between ours and that of one error
more; where it does not, they are equal.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from coordinator.model.risk import binomial, bounded
from coordinator.model.risk.evidence import Evidence
from coordinator.model.risk.grid import Group
from coordinator.model.risk.ltt import Limits, certify, chances

mapie = pytest.importorskip("mapie.risk_control", reason="mapie is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]

THRESHOLDS = np.array([0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5])
LABELS = 3


def problem(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities and truths of one calibration set, well or badly calibrated."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(150, 1200))
    truth_of = rng.dirichlet([0.25] * LABELS, count)
    sharper = truth_of ** rng.uniform(0.6, 2.0)
    probabilities = sharper / sharper.sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(LABELS, p=p) for p in truth_of], np.int64)
    return probabilities, truth


def evidence_of(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64]
) -> Evidence:
    said = probabilities.argmax(axis=1)
    wrong = (said != truth).astype(np.float64)
    return Evidence(said, probabilities.max(axis=1), wrong, np.zeros(len(said), bool))


def oracle(probabilities, truth, label: int, alpha: float, delta: float):
    """MAPIE's controller of "right when it says this label", one sequence."""
    from mapie.risk_control.risks import build_precision_ovr

    controller = mapie.MultiClassificationLTTController(
        predict_function=lambda rows: probabilities[np.asarray(rows)[:, 0]],
        risks=build_precision_ovr(np.array([label])),
        target_level=[1.0 - alpha],
        confidence_level=1.0 - delta,
        list_predict_params=THRESHOLDS,
        classes=np.arange(LABELS),
        fwer_method="fixed_sequence",
    )
    controller.calibrate(np.arange(len(truth))[:, None], truth)
    return controller


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_the_oracle_certifies_the_same_thresholds(alpha: float) -> None:
    same = certified = 0
    for seed in range(40):
        probabilities, truth = problem(seed)
        evidence = evidence_of(probabilities, truth)
        for label in range(LABELS):
            found = oracle(probabilities, truth, label, alpha, 0.1)
            inside = evidence.said == label
            of_label = Evidence(
                evidence.said[inside],
                evidence.confidence[inside],
                evidence.loss[inside],
                evidence.missed[inside],
            )
            above = of_label.confidence[None, :] >= THRESHOLDS[:, None]
            cases = above.sum(axis=1)
            errors = above @ of_label.loss
            ours = chances(of_label, THRESHOLDS, Limits(alpha, alpha))
            one_more = binomial.p_values(errors + 1, cases, alpha)
            theirs = np.asarray(found.p_values)[:, 0]
            some = cases > 0
            exactly = np.isclose(theirs, ours, rtol=1e-6)
            rounded = (theirs > ours) & (theirs <= one_more * (1.0 + 1e-6))
            assert (exactly | rounded)[some].all()

            group = Group((label,), THRESHOLDS, (0,))
            tested = certify(evidence, [group], Limits(alpha, alpha), 0.1)[0]
            theirs_down_to = min(found.valid_predict_params, default=None)
            if ((theirs <= 0.1) == (ours <= 0.1)).all():
                same += 1
                assert tested.threshold == theirs_down_to
            certified += tested.threshold is not None
            if theirs_down_to is not None:
                assert tested.threshold is not None
                assert tested.threshold <= theirs_down_to

    assert same > 80
    assert certified > 10


def test_the_oracle_ends_a_sequence_where_we_do() -> None:
    from mapie.risk_control.fwer_control import control_fwer

    rng = np.random.default_rng(0)
    for _ in range(200):
        wrong = (rng.random(400) < rng.uniform(0.0, 0.12)).astype(np.float64)
        confidence = rng.uniform(0.5, 1.0, 400)
        evidence = Evidence(
            np.zeros(400, np.int64), confidence, wrong, np.zeros(400, bool)
        )
        limits = Limits(0.1, 0.1)
        chance = chances(evidence, THRESHOLDS, limits)

        theirs = control_fwer(chance, 0.05, "fixed_sequence")
        ours = certify(evidence, [Group((0,), THRESHOLDS, (0,))], limits, 0.05)[0]

        last = None if not len(theirs) else THRESHOLDS[theirs[-1]]
        assert ours.threshold == last


def test_the_oracle_bounds_graded_losses_as_we_do() -> None:
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    rng = np.random.default_rng(1)
    for _ in range(200):
        cases, alpha = int(rng.integers(20, 800)), float(rng.uniform(0.01, 0.3))
        total = float(rng.uniform(0.0, 2.0 * alpha * cases))
        theirs = compute_hoeffding_bentkus_p_value(
            np.array([total / cases]), cases, alpha
        )
        ours = bounded.p_values(total, cases, alpha)

        assert float(ours) == pytest.approx(min(1.0, float(theirs[0, 0])), rel=1e-6)
