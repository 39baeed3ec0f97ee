"""Habits that keep a cell safe, checked on the syntax tree of every module."""

import ast
from collections import Counter
from pathlib import Path

from tests.house.sources import ROOT, dotted, imports, modules, name, nodes, uses

CLOCKS = {"coordinator/clock.py", "ros_nodes/clock.py", "tui/clock.py"}
"""The only modules that look at a clock; everything else is handed one."""

CLOCK_READINGS = {
    "time.time",
    "time.time_ns",
    "time.sleep",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}

CODE_FROM_FILES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal"}
"""Modules whose readers run what the file says."""

CODE_FROM_TEXT = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.jit.load",
    "torch.hub.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "shelve.open",
}


def test_nobody_but_a_clock_looks_at_the_time() -> None:
    readings = [
        f"{name(path)}:{line} {used}"
        for path in modules()
        if name(path) not in CLOCKS
        for line, used in uses(path)
        if used in CLOCK_READINGS
    ]

    assert readings == []


def _catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_catches_everything(one) for one in caught.elts)
    return dotted(caught) in {"Exception", "BaseException"}


def _blind_places(path: Path) -> int:
    handlers = sum(
        isinstance(node, ast.ExceptHandler) and _catches_everything(node.type)
        for node in nodes(path)
    )
    suppressions = sum(
        isinstance(node, ast.Call)
        and dotted(node.func) in {"suppress", "contextlib.suppress"}
        and any(_catches_everything(argument) for argument in node.args)
        for node in nodes(path)
    )
    return handlers + suppressions


def test_two_places_catch_everything_and_both_are_known() -> None:
    # The supervisor of the cells' loops, and the edge that must answer every call.
    blind = Counter(
        "coordinator/service" if "service" in path.parts else name(path)
        for path in modules()
        for _ in range(_blind_places(path))
    )

    assert set(blind) <= {"coordinator/app.py", "coordinator/service"}
    assert all(count == 1 for count in blind.values()), blind


def test_no_file_can_bring_code_with_it() -> None:
    offenders = [
        f"{name(path)}:{line} {imported}"
        for path in modules()
        for line, imported in imports(path)
        if imported.partition(".")[0] in CODE_FROM_FILES
    ]

    assert offenders == []


def test_no_text_becomes_code() -> None:
    offenders = [
        f"{name(path)}:{line} {used}"
        for path in modules()
        for line, used in uses(path)
        if used in CODE_FROM_TEXT
    ]

    assert offenders == []


def test_no_shell_and_no_pickled_arrays() -> None:
    offenders = [
        f"{name(path)}:{node.value.lineno} {node.arg}"
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.keyword)
        and node.arg in {"shell", "allow_pickle"}
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]

    assert offenders == []


def test_the_programs_are_where_these_tests_look() -> None:
    # Without this a moved folder would make every test above pass on nothing.
    assert {path.relative_to(ROOT).parts[0] for path in modules()} == {
        "coordinator",
        "ros_nodes",
        "tui",
    }
