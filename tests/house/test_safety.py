"""andon is not a safety function: no code path could clear a safety stop."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from coordinator import config
from coordinator.config import forbidden as coordinator_side
from coordinator.errors import ConfigError
from ros_nodes.adapters import forbidden as node_side
from ros_nodes.config import ConfigRefusedError, read_cells
from tests.house.sources import (
    PROGRAMS,
    ROOT,
    committed_text,
    imports,
    modules,
    name,
    nodes,
)

NEVER_CALLED = (
    "unlock_protective_stop",
    "restart_safety",
    "power_on",
    "brake_release",
    "close_safety_popup",
    "error_recovery",
    "resend_robot_program",
)
"""Services of robot controllers that end a stop, or start a program anew behind it."""

REFUSALS = ("coordinator/config/forbidden.py", "ros_nodes/adapters/forbidden.py")
"""Where they are refused, and where alone they are named."""


@pytest.mark.parametrize("service", NEVER_CALLED)
def test_only_the_refusals_name_a_service_that_ends_a_safety_stop(service: str) -> None:
    named: defaultdict[str, int] = defaultdict(int)
    for path, text in committed_text():
        if path.relative_to(ROOT).parts[0] in (*PROGRAMS, "proto", "launch"):
            count = text.count(service)
            if count:
                named[name(path)] += count

    assert named == dict.fromkeys(REFUSALS, 1)


def test_both_sides_refuse_the_same_services() -> None:
    assert node_side._NEVER_CALLED == coordinator_side._NEVER_CALLED == NEVER_CALLED


@pytest.mark.parametrize("key", ["hold", "resume"])
@pytest.mark.parametrize("service", NEVER_CALLED)
def test_both_sides_refuse_a_configuration_that_names_one(
    service: str, key: str, tmp_path: Path
) -> None:
    """`andon check` says it as early as the node would."""
    camel = service.title().replace("_", "")
    for spelt in (f"/dashboard_client/{service}", service.upper(), camel):
        text = config.template().replace(f'{key} = "{key}"', f'{key} = "{spelt}"')
        assert spelt in text
        path = tmp_path / "andon.toml"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(ConfigError, match=f"andon never calls {service}"):
            config.load(path)
        with pytest.raises(ConfigRefusedError, match=f"andon never calls {service}"):
            read_cells(path)


def test_services_are_called_only_by_names_that_passed_the_refusal() -> None:
    made = [
        (name(path), ast.unparse(node.args[-1]))
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("create_client", "ActionClient")
    ]

    assert made
    assert [one for one in made if not one[1].startswith("allowed_service(")] == []
    assert all("rclpy.action" not in full for p in modules() for _, full in imports(p))


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
