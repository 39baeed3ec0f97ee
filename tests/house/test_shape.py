"""The house keeps its shape: what no linter asks for."""

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import PROGRAMS, ROOT, imports, modules, name, scripts

SCREENS = 400
"""Lines; a module that is longer has become two modules."""

TOP_LEVEL = {
    ".ci": "the whole verification as one command",
    ".gitignore": "what tests and programs leave behind",
    "CHANGELOG.md": "for who upgrades",
    "LICENSE": "Apache-2.0",
    "Makefile": "thin: each target is one readable line",
    "README.md": "the first page",
    "SECURITY.md": "whom to tell",
    "benchmarks": "numbers, with the command they came from",
    "constraints.txt": "the versions that were tested together",
    "coordinator": "a program",
    "deploy": "units and examples for plant IT",
    "docs": "for people",
    "launch": "for ros2 launch",
    "package.xml": "colcon knows a ROS 2 package by it",
    "proto": "the contract: a source root",
    "pyproject.toml": "build, lint, types, tests and contracts in one file",
    "resource": "the marker by which ros2 finds the package",
    "ros_nodes": "a program",
    "setup.cfg": "where colcon puts the programs",
    "setup.py": "what colcon runs",
    "tablet": "a page for browsers",
    "tests": "promises",
    "tui": "a program",
}
"""What may lie on the top level, and why."""


def test_whatever_lies_on_the_top_level_has_a_reason() -> None:
    listed = subprocess.run(
        ["git", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a checkout: nobody knows what belongs to it")
    tops = {path.partition("/")[0] for path in listed.stdout.splitlines()}

    assert sorted(tops - TOP_LEVEL.keys()) == []


@pytest.mark.parametrize("path", [*modules(), *scripts()], ids=name)
def test_module_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < SCREENS


def test_every_stage_is_on_the_map() -> None:
    loops = [ROOT / "coordinator" / loop for loop in ("live", "learning")]
    stages = {
        path.parent.name
        for loop in loops
        for path in loop.glob("*/*.py")
        if path.parent.name != "__pycache__"
    }
    written = str(importlib.import_module("coordinator").__doc__)

    assert sorted(stage for stage in stages if stage not in written) == []


@pytest.mark.parametrize("folder", ["proto", "launch"])
def test_folder_does_not_shadow_a_package_of_the_same_name(folder: str) -> None:
    # proto-plus is imported as proto, and ROS 2 has a package called launch.
    assert sorted(map(name, (ROOT / folder).rglob("__init__.py"))) == []


@pytest.mark.parametrize("package", ["proto/andon", *PROGRAMS])
def test_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_only_nodes_and_their_edges_import_rclpy() -> None:
    def may(path: Path) -> bool:
        return (
            path.name.endswith("_node.py")
            or path.name == "qos.py"
            or "adapters" in (path.parent.name, path.stem)
        )

    offenders = [
        f"{name(path)}:{line}"
        for path in modules()
        if not may(path)
        for line, imported in imports(path)
        if imported.partition(".")[0] == "rclpy"
    ]

    assert offenders == []


def test_every_module_stands_on_a_line_of_the_import_contract() -> None:
    # A module that no line names may import anything, and anything may import it.
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = next(
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    rooms = set(re.findall(r"coordinator[\w.]*", " ".join(lines)))

    def stands(path: Path) -> bool:
        parts = path.relative_to(ROOT).with_suffix("").parts
        return any(".".join(parts[:n]) in rooms for n in range(2, len(parts) + 1))

    homeless = [
        name(path)
        for path in (ROOT / "coordinator").rglob("*.py")
        if path.name != "__init__.py" and not stands(path)
    ]

    assert homeless == []
