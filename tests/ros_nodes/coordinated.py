"""A real coordinator in a process of its own, for nodes that are under test."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ros_nodes.cells import ROOT

ASKS_ALL = """
[coordinator]
listen = "127.0.0.1:{port}"
data_dir = "data"
[gate]
mode = "ask_all"
maximum_age_s = 5.0
[policies]
autostart = true
[families.peg]
rows = 8
monitor_rows = 4
default_label = "ok"
labels = [
  {{ name = "ok", action = "continue" }},
  {{ name = "bad", action = "stop" }},
]
channels = [
  {{ name = "elbow_pos", unit = "rad", minimum = -7.0, maximum = 7.0 }},
  {{ name = "elbow_effort", unit = "N*m", minimum = -300.0, maximum = 300.0 }},
  {{ name = "force_z", unit = "N", minimum = -500.0, maximum = 500.0 }},
]
[cells.press-1]
family = "peg"
"""
"""A coordinator that asks about everything, for `.format(port=...)`."""

LONGEST_S = 60.0
"""More than a cold import of torch takes, s."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def coordinating(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real coordinator in a process of its own, which may be killed."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "coordinator", "serve", "-c", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LONGEST_S):
            await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
