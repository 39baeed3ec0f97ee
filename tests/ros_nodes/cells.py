"""Whole simulated cells in processes of their own, as `up` starts them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.ros_nodes.node_builders import TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
TIME_FACTOR = 8

Line = dict[str, Any]


def free_domain(number: int) -> int:
    """A ROS domain of a test's own; each pytest worker has ten."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return 50 + 10 * (int(worker) % 5) + number


def write_config(folder: Path, *, port: int, domain: int) -> Path:
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:50551", f"127.0.0.1:{port}")
    text = text.replace("domain_id = 42", f"domain_id = {domain}")
    path = folder / "andon.toml"
    path.write_text(text, encoding="utf-8")
    return path


class Cell:
    """One cell with its traces."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._folder = folder

    def _lines(self, name: str) -> list[Line]:
        path = self._folder / f"{name}.jsonl"
        if not path.exists():
            return []
        text = path.read_text(encoding="utf-8")
        return [
            json.loads(line)
            for line in text.splitlines(keepends=True)
            if line.endswith("\n")
        ]

    def motions(self, *kinds: str) -> list[Line]:
        """What the robot did, by its own account."""
        return [
            m
            for m in self._lines("press-1.motions")
            if not kinds or m["event"] in kinds
        ]

    def trace(self, *kinds: str) -> list[Line]:
        """What the node did."""
        return [
            t for t in self._lines("press-1.node") if not kinds or t["event"] in kinds
        ]

    def truth(self) -> list[Line]:
        return self._lines("truth-press-1")

    async def until(self, fact: Callable[[], object], *, within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not fact():  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.02)

    def processes(self) -> list[int]:
        """Process ids of all nodes of this test, living."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self._folder).encode() in words and b"--ros-args" in words:
                found.append(int(entry.name))
        return found


@asynccontextmanager
async def cell_up(
    folder: Path,
    *,
    port: int = 0,
    domain: int = 0,
    config: Path | None = None,
    options: tuple[str, ...] = (),
) -> AsyncIterator[Cell]:
    """Start a simulated cell against a coordinator on a port; end it afterwards."""
    config = config or write_config(folder, port=port, domain=domain)
    log = (folder / "nodes.log").open("wb")
    path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ros_nodes", "up", "--config", str(config), "--cell", "press-1"),
        *("--simulate", "--seed", "3", "--time-factor", str(TIME_FACTOR)),
        *("--trace", str(folder), "--truth", str(folder), *options),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=log,
    )
    try:
        yield Cell(folder, process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        log.close()
