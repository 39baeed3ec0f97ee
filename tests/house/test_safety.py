"""andon is not a safety function: no code path could clear a safety stop."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.house.sources import PROGRAMS, ROOT, committed_text, name

NEVER_CALLED = (
    "unlock_protective_stop",
    "restart_safety",
    "power_on",
    "brake_release",
    "close_safety_popup",
)
"""Services of robot controllers that end a stop which andon did not ask for."""


@pytest.mark.parametrize("service", NEVER_CALLED)
def test_only_the_refusal_names_a_service_that_ends_a_safety_stop(service: str) -> None:
    named: defaultdict[str, int] = defaultdict(int)
    for path, text in committed_text():
        if path.relative_to(ROOT).parts[0] in (*PROGRAMS, "proto", "launch"):
            count = text.count(service)
            if count:
                named[name(path)] += count

    assert sum(named.values()) <= 1, dict(named)
    assert all(place.startswith("ros_nodes/adapters") for place in named), dict(named)


@pytest.mark.parametrize("page", ["README.md", "docs/safety.md"])
def test_the_first_words_say_what_andon_is_not(page: str) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()

    assert "not a safety function" in " ".join(words[:12])


def test_safety_page_says_the_sentences_an_integrator_must_read() -> None:
    page = " ".join((ROOT / "docs/safety.md").read_text(encoding="utf-8").split())

    for sentence in (
        "never resets, unlocks or restarts a robot after a protective or emergency",
        "with andon switched off, wrong or compromised",
        "within 2 s by the node's own clock",
        "A model can be confidently wrong",
        "There is no failover",
    ):
        assert sentence in page


def test_readme_is_read_in_a_minute() -> None:
    lines = Path(ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 120
