"""On what the gate rests, in the line of a family's learning."""

import pytest

from tui.terms import Learning
from tui.widgets import learning
from tui.words import speak

SENTENCE = "not yet certified: 23 of about 144 audited cases."
STANDS = Learning(
    "peg", gate="ASK_ALL", gate_text=SENTENCE, gate_audited=23, gate_needed=144
)


@pytest.fixture(autouse=True)
def english():
    speak("en")
    yield
    speak("en")


def line(stands: Learning) -> str:
    return learning._family(stands, 0.0, 160)[0].plain.rstrip()


def test_in_english_the_coordinator_speaks_for_itself():
    assert line(STANDS).endswith(f"gate ASK_ALL {SENTENCE}")


def test_in_german_the_state_is_told_with_how_far_the_evidence_is():
    speak("de")

    assert line(STANDS).endswith(
        "Gatter fragt alles (23 von etwa 144 geprüften Fällen)"
    )
    assert "ASK_ALL" not in line(STANDS)


def test_in_german_a_gate_without_a_number_is_told_by_its_state_alone():
    speak("de")
    stands = Learning("peg", gate="CERTIFIED", gate_text="certified: at most 5 %.")

    assert "im Rahmen des bestätigten Risikos" in line(stands)
    assert "certified" not in line(stands)
    assert line(Learning("peg")).endswith("Gatter -")
