"""A foreign client in a process of its own: JavaScript that obeys line by line."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
PROTOS = HERE.parents[1] / "proto"
NODE = shutil.which("node")
SOON_S = 20.0
"""Longest wait for something that comes at once on a machine that is not busy."""

needs_node = pytest.mark.skipif(
    NODE is None or not (HERE / "node_modules").is_dir(),
    reason=(
        "node is not installed"
        if NODE is None
        else "the foreign client is not installed: make npm"
    ),
)


class RefusedError(Exception):
    """The coordinator said no to the foreign client."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__(said["text"])
        self.status: str = said["name"]
        self.token: str = said["token"]
        self.domain: str = said["domain"]


class Tablet:
    """What a person holds in the hand."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.picture: dict[str, Any] = {}
        """The newest picture of the plant that it would show."""
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def on(
        cls, address: str, person: str, device: str = "tablet-1"
    ) -> AsyncIterator[Tablet]:
        """One that watches until the block ends."""
        assert NODE is not None
        process = await asyncio.create_subprocess_exec(
            *(NODE, str(HERE / "tablet.js"), address, str(PROTOS), person, device),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        tablet = cls(process)
        reading = asyncio.create_task(tablet._read())
        try:
            yield tablet
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(SOON_S):
                    await reading
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def do(self, order: str, *given: Any) -> Any:
        """Do what a tap would do, and return the reply.

        Raises:
            RefusedError: the coordinator said no.
        """
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "do": order, "with": given})
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(SOON_S):
            return await self._waiting[number]

    async def until(self, shown: Callable[[dict[str, Any]], Any]) -> Any:
        """Wait for a picture of which this is true, and return what it says."""
        async with asyncio.timeout(SOON_S), self._changed:
            await self._changed.wait_for(lambda: self.picture and shown(self.picture))
            return shown(self.picture)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "picture" in said:
                async with self._changed:
                    self.picture = said["picture"]
                    self._changed.notify_all()
                continue
            waiting = self._waiting.pop(said["id"])
            if "refused" in said:
                waiting.set_exception(RefusedError(said["refused"]))
            else:
                waiting.set_result(said["reply"])
        for waiting in self._waiting.values():  # it died: nobody waits in vain
            if not waiting.done():
                waiting.set_exception(RuntimeError("the foreign client ended."))
