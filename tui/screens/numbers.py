"""The key numbers of an hour, a shift or a day: of all, of families, of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.messages import LookAtNumbers
from tui.past import Gate, Row
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.screens.sheet import SheetScreen
from tui.widgets.picture import Picture
from tui.widgets.rows import Rows
from tui.widgets.teams import team_lines
from tui.widgets.trend import trend
from tui.words import plant, say

AGAIN_S: Final = 10.0
"""Time between two looks at the numbers, s."""

Show = Callable[[float], str]


def _count(value: float) -> str:
    return f"{value:.0f}"


def _rate(value: float) -> str:
    return f"{value:.1f}"


def _time(value: float) -> str:
    return f"{value:.1f} s" if value < 10.0 else look.ago(value)


COLUMNS: Final[Sequence[tuple[str, Show]]] = (
    ("questions_per_hour", _rate),
    ("time_to_answer_p50_s", _time),
    ("automation_share", look.percent),
    ("waiting_for_human_share", look.percent),
    ("first_pass_share", look.percent),
    ("time_to_answer_p95_s", _time),
    ("between_interventions_s", _time),
    ("waiting_for_model_share", look.percent),
    ("answers_per_hour", _rate),
    ("decided_per_human_minute", _rate),
)
"""The columns of the table, the most telling first."""

FACTS: Final[Sequence[tuple[str, Show]]] = (
    *COLUMNS,
    ("questions_count", _count),
    ("audits_count", _count),
    ("timed_out_count", _count),
    ("corrections_share", look.percent),
    ("interventions_count", _count),
    ("working_share", look.percent),
    ("asking_share", look.percent),
    ("held_share", look.percent),
    ("windows_count", _count),
    ("parts_count", _count),
)
"""Everything that is said about one row."""

ABOUT: Final = 18
COLUMN: Final = 11


class NumberRows(Rows):
    """One row for all, for each family, for each cell."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return say("numbers.coming")

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Content]]:
        """See Rows."""
        return [(row_id(row), _line(row, width)) for row in scene.past.numbers.rows]


class NumberHead(Picture):
    """What the columns are."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        del scene
        shown = COLUMNS[: _fit(width - 2)]
        parts = [
            (f"{say(f'numbers.{name}.short'):>{COLUMN}}", COLUMN) for name, _ in shown
        ]
        return [look.columns(("", ABOUT + 2), *parts).stylize(look.DIM)]


class NumberFacts(Picture):
    """Every number of the chosen row, how some went, and the live risk."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        numbers = scene.past.numbers
        row = next((r for r in numbers.rows if row_id(r) == self.chosen), None)
        if row is None:
            return []
        gates = [g for g in numbers.gates if row.family in ("", g.family)]
        lines = team_lines(numbers, width) if not row.family else []
        lines += [line for gate in gates for line in _risk(gate, width)]
        lines += _trends(row, width)
        across = max(1, width // 52)
        facts = [
            _fact(name, show, row.numbers, width // across)
            for name, show in FACTS
            if name in row.numbers
        ]
        for first in range(0, len(facts), across):
            lines.append(Content("").join(facts[first : first + across]))
        return [look.cut(line, width) for line in lines]


def row_id(row: Row) -> str:
    """Which row it is."""
    return f"{row.family}/{row.cell_id}" if row.family else "/"


def _fit(width: int) -> int:
    return max(1, (width - ABOUT) // COLUMN)


def _line(row: Row, width: int) -> Content:
    if row.cell_id:
        about = Content(f"  {plant(row.cell_id)}")
    else:
        about = Content.styled(row.family or say("numbers.all"), look.STRONG)
    parts = [
        (Content(f"{_said(name, show, row.numbers):>{COLUMN}}"), COLUMN)
        for name, show in COLUMNS[: _fit(width)]
    ]
    return look.columns((about, ABOUT), *parts)


def _said(name: str, show: Show, numbers: Mapping[str, float]) -> str:
    return show(numbers[name]) if name in numbers else "-"


def _fact(name: str, show: Show, numbers: Mapping[str, float], width: int) -> Content:
    text = say(f"numbers.{name}.long")
    return look.columns(
        (Content.styled(f" {text}", look.DIM), width - 11),
        (f"{_said(name, show, numbers):>9}", 11),
    )


def _trends(row: Row, width: int) -> list[Content]:
    lines = []
    for name, values in row.trends.items():
        share = name.endswith("_share")
        last = next((v for v in reversed(values) if v == v), None)
        show = next((s for n, s in FACTS if n == name), _rate)
        now = show(last) if last is not None else "-"
        drawn = trend(values, top=1.0 if share else None)
        about = Content.styled(f" {say(f'numbers.{name}.long')}", look.DIM)
        lines.append(
            look.columns(
                (about, min(42, width - 38)),
                (Content.styled(drawn, "$primary"), len(values) + 1),
                (f"{now:>8}", 10),
            )
        )
    return lines


def _risk(gate: Gate, width: int) -> list[Content]:
    """The live risk of what was not asked, with its interval, and the gate's state."""
    words, style = look.gate(gate.state)
    state = Content.assemble(
        (f" {gate.family} ", look.STRONG),
        (f"{say('numbers.gate')} {gate.state or '-'} ", style),
        (gate.text or words, look.DIM),
    )
    if gate.wrong_audited:
        text = say(
            "numbers.live_risk",
            wrong=f"{gate.wrong:.1%}",
            low=f"{gate.wrong_low:.1%}",
            high=f"{gate.wrong_high:.1%}",
            audited=gate.wrong_audited,
            decided=gate.wrong_decided,
        )
    else:
        text = say("numbers.live_risk_unknown")
    return [look.cut(state, width), look.cut(f"   {text}", width)]


class NumbersScreen(Frame):
    """A table of rows, and everything about the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "span('hour')", "keys.hour"),
        Binding("2", "span('shift')", "keys.shift"),
        Binding("3", "span('day')", "keys.day"),
        Binding("o", "sheet", "keys.sheet"),
        Binding("escape,N", "leave", "keys.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._span = "shift"
        self._asked_s = float("-inf")
        self._rows = NumberRows(id="numbers")
        self._table = Container()
        self._facts = NumberFacts(id="number-facts")

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        self._table = Container(NumberHead(), self._rows, id="table")
        yield self._table
        yield self._facts

    def on_mount(self) -> None:
        """Begin with the table."""
        self._rows.focus()

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("1", say("keys.hour")),
            ("2", say("keys.shift")),
            ("3", say("keys.day")),
            ("↑↓", say("keys.row")),
            ("o", say("keys.sheet")),
            ("Esc", say("keys.board")),
            ("?", say("keys.help")),
        ]

    def show(self, scene: Scene) -> None:
        """See Frame."""
        if scene.board.connected and scene.now_s - self._asked_s >= AGAIN_S:
            self._asked_s = scene.now_s
            self.post_message(LookAtNumbers(self._span))
        shown = scene.past.numbers.span or self._span
        self._table.border_title = say(
            "numbers.title", span=say(f"numbers.span.{shown}")
        )
        self._facts.border_title = say("numbers.facts")
        self._facts.chosen = self._rows.chosen
        super().show(scene)

    def action_span(self, span: str) -> None:
        """Look at an hour, a shift or a day."""
        self._span, self._asked_s = span, float("-inf")

    def action_sheet(self) -> None:
        """Show the hand-over sheet."""
        self.app.push_screen(SheetScreen())

    def action_leave(self) -> None:
        """Go back to the board."""
        self.dismiss()
