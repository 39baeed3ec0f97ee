"""colcon builds andon beside pyproject.toml, and ros2 finds what it installs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.house.sources import PROGRAMS, ROOT

NEEDED = (*PROGRAMS, "proto", "launch", "resource")
NEEDED_FILES = ("package.xml", "setup.py", "setup.cfg", "pyproject.toml")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NODES = ("cell_node", "simulated_cell_node", "replay_node")
COMMANDS = ("check", "record", "replay", "up")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a clean copy of what colcon needs, built."""
    if find_spec("colcon_core") is None or find_spec("colcon_ros") is None:
        pytest.skip("colcon is not installed")
    home = tmp_path_factory.mktemp("workspace")
    source = home / "src/andon"
    source.mkdir(parents=True)
    for folder in NEEDED:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, source / folder, ignore=ignore)
    for file in NEEDED_FILES:
        shutil.copy(ROOT / file, source)
    done = run(sys.executable, "-m", "colcon", "build", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    # What is found but cannot be used is a warning, and the package something else.
    assert "WARNING" not in done.stderr, done.stderr
    return home


@pytest.fixture(scope="module")
def prefix(workspace: Path) -> Path:
    return workspace / "install/andon"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Without PYTHONPATH: what is installed is tested, not the folder beside it. With
    # this Python in front: the programs take the one on PATH.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def sourced(workspace: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as after `. install/local_setup.sh`."""
    return run("sh", "-c", f". ./local_setup.sh; {command}", cwd=workspace / "install")


def manifest() -> ElementTree.Element:
    return ElementTree.parse(ROOT / "package.xml").getroot()  # noqa: S314 - our own


@pytest.mark.parametrize("key", ["name", "version", "description", "license"])
def test_package_xml_says_what_pyproject_says(key: str) -> None:
    assert manifest().findtext(key) == PROJECT["project"][key]


def test_package_xml_names_every_message_package_that_a_node_imports() -> None:
    said = {depend.text for depend in manifest().iter("exec_depend")}
    pattern = re.compile(r"^from (\w+_(?:msgs|srvs|interfaces))\b", re.MULTILINE)
    imported = {
        package
        for path in (ROOT / "ros_nodes").rglob("*.py")
        for package in pattern.findall(path.read_text(encoding="utf-8"))
    }

    assert sorted(imported - said) == []
    assert {"rclpy", "launch", "launch_ros", "ros2launch"} <= said


@pytest.mark.slow
def test_colcon_installs_what_ros2_looks_for(prefix: Path) -> None:
    marker = prefix / "share/ament_index/resource_index/packages/andon"
    share = prefix / "share/andon"

    assert marker.is_file()
    assert (share / "package.xml").read_bytes() == (ROOT / "package.xml").read_bytes()
    assert (share / "hook/ament_prefix_path.sh").is_file()
    installed = {path.name for path in (share / "launch").iterdir()}
    assert installed == {path.name for path in ROOT.glob("launch/*_launch.py")}
    profiles = {path.name for path in ROOT.glob("coordinator/profiles/*.toml")}
    assert {path.name for path in share.glob("config/*")} == profiles
    assert "twin.toml" in profiles


@pytest.mark.slow
def test_colcon_installs_the_programs_for_the_python_on_path(prefix: Path) -> None:
    programs = prefix / "lib/andon"

    assert {path.name for path in programs.iterdir()} == {"andon", *NODES, *COMMANDS}
    for program in programs.iterdir():
        assert os.access(program, os.X_OK)
        first = program.read_text(encoding="utf-8").splitlines()[0]
        assert first == "#!/usr/bin/env python3"


@pytest.mark.slow
def test_colcon_installs_every_module_and_data_file(prefix: Path) -> None:
    (packages,) = prefix.glob("lib/python3*/*-packages")
    expected = {
        str(path.relative_to(folder))
        for folder, tops in ((ROOT, PROGRAMS), (ROOT / "proto", ("andon",)))
        for top in tops
        for path in (folder / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert sorted(p for p in expected if not (packages / p).is_file()) == []
    tops = {path.name for path in packages.iterdir() if path.suffix != ".egg-info"}
    assert tops == {"andon", *PROGRAMS}


@pytest.mark.slow
def test_the_installed_command_answers(workspace: Path) -> None:
    done = sourced(workspace, "andon/lib/andon/andon --version")

    assert done.stdout.strip() == f"andon {PROJECT['project']['version']}"
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.ros
@pytest.mark.parametrize("program", COMMANDS)
def test_the_installed_commands_answer(workspace: Path, program: str) -> None:
    done = sourced(workspace, f"andon/lib/andon/{program} --help")

    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout


@pytest.mark.slow
@pytest.mark.ros
def test_the_installed_node_refuses_a_cell_that_is_not_configured(
    workspace: Path,
) -> None:
    config = workspace / "install/andon/share/andon/config/twin.toml"
    done = sourced(
        workspace,
        f"andon/lib/andon/cell_node --ros-args -p config:={config} -p cell:=press-9",
    )

    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("andon: error: CONFIG: ")
    assert "press-1" in done.stderr
