"""`andon tui` in a terminal of its own, as a person has it: keys in, a picture out."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.link.world import environment

SOON_S = 30.0
COLUMNS, LINES = 160, 48
STYLES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
KEPT_BYTES = 1 << 16


class Terminal:
    """The program in its terminal.

    Attributes:
        pid: Of the terminal program.
    """

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.pid = process.pid
        self.drawn_bytes = 0
        self._master = master
        self._drawn = b""
        self._wanted: tuple[Sequence[bytes], asyncio.Future[int]] | None = None

    @classmethod
    @asynccontextmanager
    async def on(cls, address: str, folder: Path) -> AsyncIterator[Terminal]:
        """Ana's terminal, until the block ends."""
        master, slave = pty.openpty()
        fcntl.ioctl(
            slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        )
        words = ("--server", address, "--person", "ana", "--stay", "--language", "en")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui", *words, "--log", str(folder / "tui.log")),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        terminal = cls(process, master)
        loop = asyncio.get_running_loop()
        loop.add_reader(master, terminal._read)
        try:
            yield terminal
        finally:
            process.terminate()
            await process.wait()
            loop.remove_reader(master)
            os.close(master)

    def press(self, key: str) -> int:
        """Press a key; return when, monotonic ns."""
        now_ns = time.monotonic_ns()
        os.write(self._master, key.encode())
        return now_ns

    def look_for(self, *words: str) -> asyncio.Future[int]:
        """When all these words have been drawn from now on, monotonic ns."""
        self._drawn = b""
        found = asyncio.get_running_loop().create_future()
        self._wanted = ([word.encode() for word in words], found)
        return found

    async def sees(self, *words: str) -> int:
        """Wait until these words are drawn; return when, monotonic ns."""
        async with asyncio.timeout(SOON_S):
            return await self.look_for(*words)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._master)
            return
        now_ns = time.monotonic_ns()
        self.drawn_bytes += len(data)
        self._drawn = (self._drawn + data)[-KEPT_BYTES:]
        if self._wanted is None or self._wanted[1].done():
            return
        words, found = self._wanted
        text = STYLES.sub(b"", self._drawn)
        if all(word in text for word in words):
            found.set_result(now_ns)
