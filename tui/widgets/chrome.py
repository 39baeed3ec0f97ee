"""What every screen has: the top line, the banner, the notice, the keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from textual.content import Content

from tui import look
from tui.board import look_at
from tui.scene import Scene
from tui.widgets.picture import Picture
from tui.words import labelled, plant, say

NOTICE_S: Final = 6.0
"""How long good news stays, s; bad news stays until there is other news."""

LEAST: Final = (70, 20)
"""Columns and rows below which something needed is out of sight."""

MOST_LABEL: Final = 20
"""Columns of a label in the line about undo: beside it stands what was said."""

MISSED_S: Final = 8.0
"""How long it is said that changes were missed, s."""


class TopLine(Picture):
    """Who sits here, which coordinator, how many people answer, what time it is."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        board = scene.board
        if board.connected:
            link = Content.assemble(("● ", look.GOOD), (scene.server, look.DIM))
        else:
            link = Content.assemble((f"x {say('top.not_connected')}", look.BAD))
        people = board.presence.answering
        answering = say("top.answering", count=people) if people else say("top.nobody")
        left = Content.assemble(
            (" andon ", "bold $background on $primary"),
            "  ",
            link,
            ("   ", look.DIM),
            (answering if board.connected else "", look.DIM),
        )
        clock = f"{scene.now_at.astimezone():%H:%M:%S}"
        right = Content.assemble(*_person(scene), (f"  {clock} ", look.DIM))
        return [look.cut(left, width - right.cell_length) + right]


def _person(scene: Scene) -> Sequence[tuple[str, str]]:
    """Who acts here: loud when logged in, so that nobody acts as somebody else."""
    login = scene.login
    if scene.nobody_here:
        return [(say("login.nobody"), look.ASKS)]
    if login is None:
        return [(scene.actor.person, look.STRONG)]
    role = say(f"role.{login.role}")
    return [
        (f" {login.shown} ", "bold $background on $accent"),
        (f" {role}", look.STRONG),
    ]


class Banner(Picture):
    """A line or two that cannot be overlooked, or nothing at all."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        return [*self._robots(scene, width), *self._terminal(scene, width)]

    @staticmethod
    def _robots(scene: Scene, width: int) -> Sequence[Content]:
        """Robots that may move although they are held: before anything else."""
        cells = scene.board.unconfirmed
        if not cells:
            return []
        text = f" ‼ {say('banner.unconfirmed', what=look_at(*cells))}"
        return [look.cut(text, width).stylize("bold $background on $error")]

    def _terminal(self, scene: Scene, width: int) -> Sequence[Content]:
        board = scene.board
        columns, rows = self.screen.size
        if columns < LEAST[0] or rows < LEAST[1]:
            text = " " + say(
                "banner.too_small",
                columns=columns,
                rows=rows,
                least_columns=LEAST[0],
                least_rows=LEAST[1],
            )
            return [look.cut(text, width).stylize("bold $background on $warning")]
        if not board.connected:
            since = ""
            if board.lost_s is not None and board.cells:
                old = look.ago(scene.now_s - board.lost_s)
                since = f" {say('banner.picture_old', time=old)}"
            text = f" {say('banner.not_connected')}{since}"
            return [look.cut(text, width).stylize("bold $background on $error")]
        if board.presence.advice and not board.presence.flood:
            text = f" {say('banner.load', text=board.presence.advice)}"
            return [look.cut(text, width).stylize("bold $background on $warning")]
        if board.presence.nobody:
            text = f" {say('banner.nobody')}"
            return [look.cut(text, width).stylize("bold $background on $warning")]
        if board.presence.flood:
            text = f" {say('banner.flood', count=board.presence.asked_10_min)}"
            return [look.cut(text, width).stylize("bold $background on $warning")]
        if board.missed and scene.now_s - board.missed_s < MISSED_S:
            text = f" {say('banner.missed', count=board.missed)}"
            return [look.cut(text, width).stylize("$background on $accent")]
        return []


class NoticeLine(Picture):
    """The last thing that was said to this person."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        undo = _undo(scene)
        notice = scene.notice
        fresh = scene.now_s - notice.at_s < NOTICE_S
        if not notice.text or not (notice.bad or fresh):
            return [look.cut(undo, width)]
        style = look.BAD if notice.bad else look.GOOD
        said = look.cut(f" {notice.text}", width - undo.cell_length).stylize(style)
        return [said + undo]


def _undo(scene: Scene) -> Content:
    """What can be taken back, and for how long."""
    undo = scene.undo
    if undo is None or not scene.now_s < undo.until_s:
        return Content("")
    left = math.ceil(undo.until_s - scene.now_s)
    cell = plant(undo.cell_id)
    if undo.more:
        cell = say("cause.more", cells=cell, count=undo.more)
    label = Content(labelled(undo.label)).truncate(MOST_LABEL, ellipsis=True)
    text = say("undo.left", label=label.plain, cell=cell, seconds=left)
    return Content.styled(f" {text}", look.ASKS)


class KeyLine(Picture):
    """The keys that do something here and now."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[tuple[str, str], ...] = ()

    def offer(self, keys: Sequence[tuple[str, str]]) -> None:
        """Name the keys, the most useful first; what does not fit is left out."""
        self._keys = tuple(keys)

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        del scene
        # Who sees no key for help is lost: it is the last that is left out.
        last = [_key(*key) for key in self._keys if key[0] == "?"]
        room = width - sum(part.cell_length for part in last)
        line = Content("")
        for key, text in self._keys:
            part = _key(key, text)
            if key == "?":
                continue
            if line.cell_length + part.cell_length > room:
                break
            line += part
        return [look.cut(Content("").join([line, *last]), width)]


def _key(key: str, text: str) -> Content:
    return Content.assemble((f" {key} ", "bold $accent"), (f"{text} ", "$foreground"))
