"""A terminal that is closed ends the program in it, also where no signal says so."""

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from pathlib import Path

import pytest

from tests.link.world import environment

pytestmark = pytest.mark.slow
SOON_S = 30.0


@pytest.mark.parametrize("more", [(), ("--wall",)], ids=["seat", "wall"])
async def test_a_terminal_that_is_closed_leaves_nobody_behind(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    log = ("--log", str(tmp_path / "tui.log"))
    # In a session of its own the terminal does not rule it: no SIGHUP comes.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui", "--server", "127.0.0.1:1", *log, *more),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment() | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        drawn = b""
        async with asyncio.timeout(SOON_S):
            while b"andon" not in drawn:
                drawn += await asyncio.to_thread(os.read, master, 1 << 16)
        os.close(master)
        async with asyncio.timeout(SOON_S):
            assert await process.wait() == 129
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
