"""A process ends with its starter, however that one ended."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ros_nodes.starter import STARTER, end_with_starter

NODE = (
    "import os, time; from ros_nodes.starter import end_with_starter;"
    "end_with_starter(os.environ); print(os.getpid(), flush=True); time.sleep(60)"
)
STARTS_ONE = (
    "import os, subprocess, sys;"
    f"env = {{**os.environ, {STARTER!r}: str(os.getpid())}};"
    f"subprocess.run([sys.executable, '-c', {NODE!r}], env=env)"
)


def ended(descriptor: int) -> bool:
    """Wait at most 10 s until a process that is not our child has ended."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    try:
        return bool(waiting.poll(10_000))
    finally:
        os.close(descriptor)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_node_ends_with_a_starter_that_is_killed(number) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        node = os.pidfd_open(int(starter.stdout.readline()))

        starter.send_signal(number)

        assert ended(node)


@pytest.mark.parametrize("said", ["", "nobody", str(os.getpid())])
def test_a_process_whose_starter_is_another_is_left_alone(said) -> None:
    # Our own process is alive and not our parent: something stands between.
    end_with_starter({STARTER: said})
