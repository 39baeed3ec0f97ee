"""The simulated person knows the truth, and errs on the same windows every time."""

import pytest

from coordinator.errors import InputError
from coordinator.insight.simulated_person import SimulatedPerson

LABELS = ("stop", "slip", "ok")


def test_an_oracle_says_what_was_recorded() -> None:
    person = SimulatedPerson(LABELS)

    assert all(person.say(i, LABELS[i % 3]) == LABELS[i % 3] for i in range(100))


def test_mistakes_come_at_the_rate_that_was_asked_for() -> None:
    person = SimulatedPerson(LABELS, error_rate=0.2, seed=1)
    wrong = [person.say(i, "ok") for i in range(2000) if person.say(i, "ok") != "ok"]

    assert 320 <= len(wrong) <= 480
    assert set(wrong) == {"stop", "slip"}


def test_the_same_window_is_answered_alike_whenever_it_comes() -> None:
    one = SimulatedPerson(LABELS, error_rate=0.5, seed=1)
    two = SimulatedPerson(LABELS, error_rate=0.5, seed=1)
    other = SimulatedPerson(LABELS, error_rate=0.5, seed=2)

    forward = [one.say(i, "ok") for i in range(50)]
    backward = [two.say(i, "ok") for i in reversed(range(50))]

    assert forward == backward[::-1]
    assert forward != [other.say(i, "ok") for i in range(50)]


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="error rate"):
        SimulatedPerson(LABELS, error_rate=rate)
