"""What is imported is declared: nothing works only where somebody once installed it."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.sources import PROGRAMS, ROOT, dotted, imports, modules, name, nodes

OURS = {"andon", "tests", "benchmarks", *PROGRAMS}
NPM_ROOMS = [
    room
    for room in ("tests/interop", "tablet")
    if (ROOT / room / "package.json").exists()
]


def files(*folders: str) -> list[Path]:
    """Every module below these folders that belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", *(f"{folder}/*.py" for folder in folders)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a checkout: nobody knows what belongs to it")
    return [
        ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()
    ]


def foreign(paths: Iterable[Path]) -> Mapping[str, list[str]]:
    """Who imports what is neither ours nor Python's, by its top-level name.

    What a module asks for with importorskip may be missing there.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        may_miss = {
            str(node.args[0].value).partition(".")[0]
            for node in nodes(path)
            if isinstance(node, ast.Call)
            and dotted(node.func).endswith("importorskip")
            and isinstance(node.args[0], ast.Constant)
        }
        beside = {other.stem for other in path.parent.glob("*.py")}
        for line, imported in imports(path):
            top = imported.partition(".")[0]
            if top not in sys.stdlib_module_names | OURS | may_miss | beside:
                found[top].append(f"{name(path)}:{line}")
    return found


def installed(extras: Iterable[str]) -> set[str]:
    """Names of the distributions that installing andon with these extras brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for extra in extras:
        wanted += project["project"]["optional-dependencies"][extra]
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        one = waiting.pop()
        for extra in {"", *one.extras}:
            if (key := (canonicalize_name(one.name), extra)) in seen:
                continue
            seen.add(key)
            waiting += needed(one.name, extra)
    return {distribution for distribution, _ in seen}


def needed(distribution: str, extra: str) -> list[Requirement]:
    """What a distribution with this extra requires here."""
    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:
        return []
    found = [Requirement(line) for line in lines]
    return [x for x in found if not x.marker or x.marker.evaluate({"extra": extra})]


def undeclared(paths: Iterable[Path], extras: Iterable[str]) -> list[str]:
    """What these modules import and these extras do not bring."""
    brought, known = installed(extras), packages_distributions()
    return sorted(
        f"{top}: {places[0]}"
        for top, places in foreign(paths).items()
        if not brought & {canonicalize_name(x) for x in known.get(top, [])}
    )


def test_tests_and_benchmarks_import_only_what_make_env_installs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = re.search(r"^EXTRAS \?= (\S+)$", makefile, re.MULTILINE)

    assert extras is not None
    assert undeclared(files("tests", "benchmarks"), extras[1].split(",")) == []


def test_what_no_extra_brings_is_named_with_its_place() -> None:
    [found] = [x for x in undeclared(files("tests"), ()) if x.startswith("pytest:")]

    assert re.fullmatch(r"pytest: tests/[\w/]+\.py:\d+", found)


def test_a_program_imports_only_what_an_extra_brings() -> None:
    assert undeclared(modules(), ("ros", "sim", "bags", "images")) == []


@pytest.mark.parametrize("room", NPM_ROOMS)
def test_what_comes_from_npm_is_one_version_from_any_registry(room: str) -> None:
    package = json.loads((ROOT / room / "package.json").read_text(encoding="utf-8"))
    lock = (ROOT / room / "package-lock.json").read_text(encoding="utf-8")
    wanted = package.get("dependencies", {}) | package.get("devDependencies", {})

    assert [v for v in wanted.values() if not re.fullmatch(r"\d+\.\d+\.\d+", v)] == []
    assert "resolved" not in lock
    assert json.loads(lock)["packages"][""].get("dependencies", {}) == package.get(
        "dependencies", {}
    )
