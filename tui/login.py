"""Who is logged in at this terminal, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody to choose on the login screen.

    Attributes:
        person: Id.
        shown: The name on screens.
    """

    person: str
    shown: str


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody is logged in.

    Attributes:
        person: Id; the name in the journal.
        shown: The name on screens.
        role: The highest: auditor, operator, supervisor, engineer or admin.
        idle_s: The terminal locks when nobody touches it for so long, s.
        token: For the link alone; never shown, never logged.
    """

    person: str
    shown: str
    role: str
    idle_s: float
    token: str


@dataclass(frozen=True, slots=True)
class Door:
    """What the login screen shows.

    Attributes:
        accounts: There are accounts: who wants to answer has to log in.
        login: Who is logged in, if anybody is.
        names: Who can log in; empty when names are typed.
        said: What became of the last try, or why the terminal locked.
    """

    accounts: bool = False
    login: Login | None = None
    names: tuple[Name, ...] = ()
    said: str = ""
