"""The table that says how people log in, and how honestly they are asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from coordinator.config.section import Section, Share


class PeopleSection(Section):
    """Sessions of people, and what keeps answers honest."""

    session_hours: Annotated[float, Field(gt=0.0, le=12.0)] = 12.0
    """A session ends after so long at the latest, h."""
    idle_lock_s: Annotated[float, Field(ge=10.0, le=3600.0)] = 120.0
    """A device that nobody touches is locked after so long, s."""
    pin_digits: Annotated[int, Field(ge=4, le=12)] = 6
    """Least digits of a PIN."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Wrong PINs before the next one has to wait."""
    longest_wait_s: Annotated[float, Field(ge=1.0, le=3600.0)] = 300.0
    """The wait doubles with each wrong PIN, up to this, s."""
    show_names: bool = True
    """Whether the login screen offers names before somebody has logged in."""
    blind_share: Share = 0.1
    """Questions that are shown without the model's guess until somebody has chosen."""
    known_share: Annotated[float, Field(ge=0.0, le=0.02)] = 0.0
    """Requests that are audits whose answer is known, at most 2 %; 0 for none."""
    team_board: bool = False
    """Whether terminals show what the team caught this shift; never one person's."""
    refuse_rash: bool = False
    """Whether an answer sooner than least_view_s is refused, not only counted."""
    least_view_s: Annotated[float, Field(ge=0.0, le=30.0)] = 1.0
    """An answer in less time than one can look is rash, s."""
