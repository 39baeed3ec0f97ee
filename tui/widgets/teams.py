"""What teams caught: one line each, in the order of the alphabet; nobody is ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from tui import look
from tui.past import Numbers, Team
from tui.scene import Scene
from tui.widgets.picture import Picture
from tui.words import say

NAME: Final = 18


def team_lines(numbers: Numbers, width: int) -> list[Content]:
    """The board, under a title; nothing where the plant wants none."""
    if not numbers.teams:
        return []
    span = say(f"numbers.span.{numbers.span}")
    title = Content.styled(f" {say('teams.title', span=span)}", look.STRONG)
    return [look.cut(title, width), *(_line(team, width) for team in numbers.teams)]


def _line(team: Team, width: int) -> Content:
    caught = say("teams.caught", faults=team.faults, errors=team.errors)
    if team.known:
        caught += say("teams.known", right=team.known_right, known=team.known)
    name = Content.styled(f" {team.team or say('teams.all')}", look.DIM)
    return look.columns((name, NAME), (caught, width - NAME))


class TeamBoard(Picture):
    """The board on a screen of its own: empty, and without height, without one."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        return team_lines(scene.past.numbers, width)
