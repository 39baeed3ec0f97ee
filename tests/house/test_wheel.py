"""A built wheel is whole: it runs where nothing of the repository is."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.sources import PROGRAMS, ROOT, name

pytestmark = pytest.mark.slow

TYPES_AND_DATA = {
    *(".py", ".pyi", ".tcss", ".xml", ".toml", ".proto", ".typed"),
    *(".html", ".js", ".css", ".webmanifest", ".svg", ".png", ".woff2", ".txt"),
}

ASK_WHERE = """
import andon.v1.cell_pb2, coordinator, ros_nodes, tui
for module in (andon.v1.cell_pb2, coordinator, ros_nodes, tui):
    print(module.__file__)
"""


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    # Without PYTHONPATH: the wheel is what is tested, not the folder beside it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by the backend that is installed here."""
    out = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out,
        ROOT,
    )  # fmt: skip
    (built,) = out.glob("andon-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel, which borrows only what andon depends on.

    The borrowed folder is added by a .pth file, and .pth files inside it are not read:
    so an editable install of andon there does not count.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin/python"
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
        "--no-deps", "--no-index", "--disable-pip-version-check", wheel,
    )  # fmt: skip
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    borrowed = sysconfig.get_paths()["purelib"]
    own = home / "lib" / version / "site-packages"
    (own / "borrowed.pth").write_text(borrowed + "\n", encoding="utf-8")
    return home


def test_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    expected = {
        name(path).removeprefix("proto/")
        for folder in (*PROGRAMS, "proto/andon")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in TYPES_AND_DATA or path.name == "py.typed"
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert sorted(expected - packed) == []


def test_wheel_brings_its_programs_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {entry.partition("/")[0] for entry in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "andon",
        *PROGRAMS,
    }


def test_programs_are_imported_from_the_wheel(environment: Path) -> None:
    places = _run(environment / "bin/python", "-c", ASK_WHERE, cwd=environment)

    assert [p for p in places.split() if not p.startswith(str(environment))] == []


def test_andon_answers_in_an_empty_environment(environment: Path) -> None:
    says = _run(environment / "bin/andon", "--help", cwd=environment)

    assert "Usage" in says
