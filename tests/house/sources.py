"""What the house tests read: andon's own sources, parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"__pycache__", "node_modules"}
"""Folders that are made here, and hold what others wrote."""
PROGRAMS = ("coordinator", "ros_nodes", "tui")


def name(path: Path) -> str:
    """The path as a reader of the repository would write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the three programs."""
    return tuple(
        path for program in PROGRAMS for path in sorted((ROOT / program).rglob("*.py"))
    )


@cache
def scripts() -> tuple[Path, ...]:
    """Every module of the page for tablets."""
    return tuple(sorted((ROOT / "tablet/src").rglob("*.js")))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Everything in the module, in no promised order."""
    return ast.walk(tree(path))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute chain, or "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything the module imports."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def uses(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything the module refers to.

    `from time import sleep as nap; nap(1)` is told as `time.sleep`, and
    `import datetime as dt; dt.datetime.now()` as `datetime.datetime.now`.
    """
    meaning = {}
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                meaning[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                meaning[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in nodes(path):
        if isinstance(node, ast.Name | ast.Attribute):
            written = dotted(node)
            first, dot, rest = written.partition(".")
            yield node.lineno, meaning.get(first, first) + dot + rest


def committed_text() -> Iterator[tuple[Path, str]]:
    """Every text file a reader of the repository sees, generated stubs left out."""
    folders = (
        *PROGRAMS, "proto", "launch", "tests", "docs", "benchmarks", "deploy", "tablet",
        ".ci",
    )  # fmt: skip
    files = [
        path
        for path in ROOT.iterdir()
        if path.suffix in {".md", ".toml", ".txt", ".cfg", ".xml", ".py"}
        or path.name in {"Makefile", "LICENSE", ".gitignore"}
    ]
    for folder in folders:
        files += (ROOT / folder).rglob("*")
    for path in sorted(files):
        if NOT_OURS & set(path.parts) or not path.is_file() or "_pb2" in path.name:
            continue
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a recording
