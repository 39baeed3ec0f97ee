"""What colcon needs to build andon as an ament_python package; pip never reads it.

pyproject.toml stays the place that says what andon is. It is written for hatchling,
and newer than what the setuptools of a cell controller understands: so this keeps
setuptools from reading it, and passes on the little that colcon installs.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from setuptools import Distribution, find_namespace_packages, find_packages, setup

ROOT = Path(__file__).resolve().parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
PROGRAMS = ("coordinator", "ros_nodes", "tui")
NODES = ("cell_node", "simulated_cell_node", "replay_node")
COMMANDS = ("check", "record", "replay", "up")
PAGE = ("html", "js", "css", "webmanifest", "svg", "png", "woff2", "txt")
DATA = (
    *("*.pyi", "*.tcss", "*.toml", "*.xml", "*.proto", "py.typed"),
    *(f"*.{suffix}" for suffix in PAGE),
)


class Ament(Distribution):
    """A package that this file and setup.cfg describe alone."""

    def parse_config_files(
        self,
        filenames: Iterable[str] | None = None,
        ignore_option_errors: bool = False,  # noqa: FBT001, FBT002 - setuptools' own
    ) -> None:
        """Read what setuptools reads unasked, but for pyproject.toml."""
        super().parse_config_files(
            filenames or self.find_config_files(), ignore_option_errors
        )


def files(pattern: str) -> list[str]:
    """Files below the root, relative to it: setuptools wants them so."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


setup(
    distclass=Ament,
    name=PROJECT["name"],
    version=PROJECT["version"],
    description=PROJECT["description"],
    license=PROJECT["license"],
    packages=[
        *find_packages(str(ROOT), include=[f"{program}*" for program in PROGRAMS]),
        *find_namespace_packages(str(ROOT / "proto"), include=["andon*"]),
    ],
    package_dir={"andon": "proto/andon"},
    package_data={"": [word for data in DATA for word in (data, f"**/{data}")]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/andon"]),
        ("share/andon", ["package.xml"]),
        ("share/andon/launch", files("launch/*_launch.py")),
        ("share/andon/config", files("coordinator/profiles/*.toml")),
    ],
    entry_points={
        "console_scripts": [
            *(f"{name} = {target}" for name, target in PROJECT["scripts"].items()),
            *(f"{one} = ros_nodes.__main__:as_named" for one in (*NODES, *COMMANDS)),
        ]
    },
    zip_safe=False,
)
