"""The clip that a person looks at: fetched, read, saved. It knows no screen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tui.clip import Clip, Shown
from tui.clip_reader import read_clip
from tui.errors import TerminalError
from tui.evidence import Evidence
from tui.link import Link
from tui.words import say

FOLDER: Final = Path.home() / "andon-clips"
"""Where clips are saved when nobody says where."""


class ClipDesk:
    """One clip at a time. Not thread-safe: it lives on the event loop.

    Args:
        link: Where clips come from.
        folder: Where they are saved; made when the first is.
    """

    def __init__(self, link: Link, folder: Path) -> None:
        self.shown: Shown | None = None
        self._link = link
        self._folder = folder
        self._content = b""

    async def open(self, clip_id: str, evidence: Evidence | None) -> None:
        """Fetch and read a clip; `shown` says how far it is, and what went wrong."""
        traces = evidence.traces if evidence else ()
        order = tuple(trace.channel.name for trace in traces)
        before = self.shown
        if before is not None and before.clip_id == clip_id and before.clip is not None:
            self.shown = replace(before, order=order)
            return
        self.shown, self._content = Shown(clip_id, order=order), b""
        try:
            content = await self._link.clip(clip_id, self._coming)
            # Thousands of messages: not on the loop that draws.
            clip = await asyncio.to_thread(read_clip, content)
        except TerminalError as error:
            self._set(clip_id, note=error.text)
            return
        if self._set(clip_id, clip=clip):
            self._content = content

    def _coming(self, some: int, of: int) -> None:
        if self.shown is not None:
            self.shown = replace(self.shown, bytes=some, of_bytes=of)

    def _set(self, clip_id: str, **facts: Clip | str) -> bool:
        """Change what is shown; False when it is another clip by now."""
        shown = self.shown
        if shown is None or shown.clip_id != clip_id:
            return False
        self.shown = replace(shown, **facts)  # type: ignore[arg-type]
        return True

    async def save(self) -> tuple[str, bool]:
        """Write the clip to a file; a sentence, and whether it was saved."""
        shown = self.shown
        if shown is None or shown.clip is None:
            return say("clip.not_yet"), False
        path = self._folder / _file_name(shown.clip_id, shown.clip)
        try:
            await asyncio.to_thread(_write, path, self._content)
        except OSError as error:
            return say("clip.not_saved", why=error.strerror or error), False
        return say("clip.saved", path=path), True


def _file_name(clip_id: str, clip: Clip) -> str:
    ended_at = datetime.fromtimestamp(clip.end_utc_ns // 10**9, tz=UTC)
    named = f"{clip.cell_id or 'clip'}-{ended_at:%Y%m%dT%H%M%SZ}-{clip_id}.mcap"
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in named)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
