"""Everything a screen needs to draw itself, at one moment, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tui.board import Board
from tui.clip import Shown
from tui.evidence import Sitting
from tui.lessons import Desk
from tui.login import Login
from tui.past import Past
from tui.terms import Actor, Model


@dataclass(frozen=True, slots=True)
class Notice:
    """The last thing that was said to this person.

    Attributes:
        bad: It did not work, or it matters: shown until something else is said.
        at_s: Moment it was said, s.
    """

    text: str = ""
    bad: bool = False
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Undoable:
    """The last answer of this person, while it may be taken back.

    Attributes:
        until_s: Moment at which it is final, s.
        more: How many others of one cause are taken back with it.
    """

    request_id: str
    cell_id: str
    label: str
    until_s: float
    more: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture of one moment.

    Attributes:
        now_s: That moment on this terminal's monotonic clock, s.
        now_at: The same in UTC.
        sitting: The open request, if there is one.
        models: Of the family on the models screen, newest first.
        clip: On the clip screen, if there is one.
        login: Who is logged in; None when nobody is, or nobody has to.
        nobody_here: Somebody would have to log in, and nobody is.
        past: What was looked up: numbers, reports, the journal.
        teaching: This person at the labelling party; None when not there.
        undo: The last answer, while it may be taken back.
    """

    board: Board
    actor: Actor
    server: str
    now_s: float
    now_at: datetime
    notice: Notice = field(default_factory=Notice)
    sitting: Sitting | None = None
    models: tuple[Model, ...] = ()
    clip: Shown | None = None
    past: Past = field(default_factory=Past)
    login: Login | None = None
    nobody_here: bool = False
    teaching: Desk | None = None
    undo: Undoable | None = None
