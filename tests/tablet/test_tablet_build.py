"""The page that is shipped is the page whose sources are here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from coordinator.service import web_files
from tests.house.sources import ROOT

TABLET = ROOT / "tablet"
PAGE = ROOT / "coordinator/service/page"
LARGEST = 400 << 10
"""Bytes of everything: it goes over a plant's radio."""


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_the_same_sources_make_the_same_page(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (TABLET / "node_modules/esbuild").is_dir():
        pytest.skip("node or esbuild is not there: `npm ci` in tablet/")
    built = tmp_path / "page"
    subprocess.run([node, str(TABLET / "build.js"), str(built)], check=True)

    made, shipped = files(built), files(PAGE)
    differing = [name for name in made.keys() & shipped if made[name] != shipped[name]]
    assert (made.keys() ^ shipped.keys(), differing) == (set(), [])


def test_every_shipped_file_is_served_and_small() -> None:
    served = web_files.files(b"")

    assert sorted(f"/{name}" for name in files(PAGE) if f"/{name}" not in served) == []
    assert sum(len(content) for content in files(PAGE).values()) < LARGEST


def test_the_lock_file_names_no_host_and_pins_everything() -> None:
    lock = json.loads((TABLET / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((TABLET / "package.json").read_text(encoding="utf-8"))
    pinned = {**wanted["dependencies"], **wanted["devDependencies"]}

    assert [name for name, of in lock["packages"].items() if "resolved" in of] == []
    assert all("integrity" in of for name, of in lock["packages"].items() if name)
    assert all(version[0].isdigit() for version in pinned.values())


def test_whoever_wrote_what_the_page_contains_is_named() -> None:
    named = (PAGE / "licences.txt").read_text(encoding="utf-8")

    for word in (
        "lit-html",
        "protobuf-es",
        "mcap",
        "fzstd",
        "Barlow",
        "BSD",
        "OPEN FONT LICENSE",
    ):
        assert word in named
