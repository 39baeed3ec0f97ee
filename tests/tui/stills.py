"""One moment of each screen, frozen: no link, no clock, the same to the last cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from textual.app import App
from textual.screen import Screen

from tests.tui import still_evidence
from tui import theme
from tui.board import Board, Pictured, RequestChanged, fold
from tui.lessons import Stage
from tui.login import Door, Name
from tui.past import (
    Case,
    Cases,
    CasesAsked,
    Gate,
    Journal,
    JournalLine,
    Numbers,
    Past,
    Report,
    Reports,
    Row,
    Sheet,
    SheetLine,
)
from tui.scene import Notice, Scene
from tui.screens.board import BoardScreen
from tui.screens.cases import CasesScreen
from tui.screens.clip import ClipScreen
from tui.screens.frame import Frame
from tui.screens.journal import JournalScreen
from tui.screens.login import LoginScreen
from tui.screens.models import ModelsScreen
from tui.screens.numbers import NumbersScreen
from tui.screens.request import RequestScreen
from tui.screens.sheet import SheetScreen
from tui.screens.teach import TeachScreen
from tui.screens.wall import WallScreen
from tui.terms import (
    Actor,
    Cell,
    CellState,
    Family,
    HoldReason,
    Learning,
    Model,
    ModelState,
    Presence,
    Request,
)
from tui.words import speak

NOW_S = 1000.0
NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
LABELS = ("collision", "misaligned", "grip_slip", "missing_part", "ok")
DIGEST = "5e" * 32


class Still(App[None]):
    """A screen that is shown one scene, and nothing else."""

    CSS_PATH = "../../tui/andon.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        screen: Callable[[], Frame],
        scene: Scene,
        language: str,
        look: str,
        over: Callable[[], Screen[Any]] | None = None,
    ) -> None:
        super().__init__()
        self._over = over
        self._make, self._scene = screen, scene
        self._language, self._theme = language, look

    def get_default_screen(self) -> Screen[Any]:
        speak(self._language)
        return self._make()

    def on_mount(self) -> None:
        for one in theme.ALL:
            self.register_theme(one)
        self.theme = self._theme
        if self._over is not None:
            self.push_screen(self._over())

    def draw(self) -> None:
        """Show the scene, twice: the first time the widgets learn their size."""
        for screen in self.screen_stack:
            if isinstance(screen, Frame):
                screen.show(self._scene)


def _board() -> Board:
    cells = (
        Cell("press-1", "peg", CellState.WORKING, since_s=996.0, part_id="A-1041"),
        Cell(
            "press-2",
            "peg",
            CellState.ASKING,
            text="misaligned at 0.55 is less sure than 0.90",
            since_s=942.0,
            request_id="r-17",
            acted=31,
            asked=9,
        ),
        Cell(
            "press-3",
            "peg",
            CellState.HELD,
            HoldReason.BAD_DATA,
            text="force_z has not moved for 64 rows",
            since_s=775.0,
            held=2,
        ),
        Cell("press-4", "peg", CellState.OFFLINE, since_s=100.0),
    )
    request = Request(
        "r-17",
        "press-2",
        "peg",
        deadline_s=1062.0,
        allowed_s=120.0,
        guess="misaligned",
        reason="misaligned at 0.55 is less sure than 0.90",
        code="LOW_CONFIDENCE",
        part_id="A-1017",
        cycle=17,
    )
    learning = Learning(
        "peg",
        phase="training",
        version=2,
        examples=84,
        progress=0.4,
        ends_s=NOW_S + 9.0,
        text="learning from 84 examples",
        gate="PROVISIONAL",
        gate_text="provisional by eva until 18:00: acts from 0.90 on.",
    )
    picture = Pictured(
        cells, (request,), Presence(2, ("ana", "ben")), (learning,),
        (Family("peg"),), "0.1.0", NOW_S,
    )  # fmt: skip
    board = fold(Board(), picture)
    audit = replace(
        request, request_id="r-9", cell_id="press-1", outcome=request.outcome
    )
    return fold(board, RequestChanged(audit, NOW_S))


def _report() -> Report:
    matrix = {
        ("collision", "collision"): 4,
        ("misaligned", "misaligned"): 11,
        ("misaligned", "ok"): 2,
        ("grip_slip", "grip_slip"): 9,
        ("missing_part", "missing_part"): 7,
        ("ok", "ok"): 62,
        ("ok", "misaligned"): 2,
    }
    steps = [(n + 1) / 20 for n in range(20)]
    return Report(
        labels=LABELS,
        cases=97,
        confusion=matrix,
        curve=tuple((s, max(0.0, (s - 0.5) * 0.08), 1.0 - s / 2) for s in steps),
        reliability=tuple((0.55 + n * 0.05, 0.5 + n * 0.055, 10) for n in range(9)),
        passed=True,
        reasons=("It is better on 97 held-out examples; no label is worse.",),
    )


def _models() -> tuple[Model, ...]:
    live = Model(
        DIGEST, "peg", 2, ModelState.LIVE, NOON, 7.0, 84, "4d" * 32, "features-forest",
        {"accuracy": 0.959, "coverage_at_threshold": 0.81, "ece": 0.03},
        "version 2 serves.", "eva",
    )  # fmt: skip
    before = replace(live, digest="4d" * 32, version=1, state=ModelState.RETIRED)
    return live, before


def _numbers() -> Numbers:
    numbers = {
        "questions_per_hour": 4.5,
        "answers_per_hour": 4.1,
        "time_to_answer_p50_s": 21.0,
        "time_to_answer_p95_s": 95.0,
        "automation_share": 0.83,
        "first_pass_share": 0.91,
        "waiting_for_human_share": 0.07,
        "waiting_for_model_share": 0.01,
        "between_interventions_s": 780.0,
        "decided_per_human_minute": 24.0,
    }
    trends = {"automation_share": tuple(0.5 + n / 50 for n in range(24))}
    rows = tuple(
        Row(family, cell, numbers, trends)
        for family, cell in (("", ""), ("peg", ""), ("peg", "press-1"))
    )
    return Numbers("shift", rows, (_gate(),), NOON - timedelta(hours=8), NOON)


def _gate() -> Gate:
    return Gate(
        "peg", "PROVISIONAL", "no risk is certified.", 0.05, 0.05, 23, 144,
        0.011, 0.002, 0.034, 91, 812,
    )  # fmt: skip


def _journal() -> Journal:
    lines = tuple(
        JournalLine(
            seq=seq,
            at=NOON - timedelta(seconds=40 - seq),
            kind="RequestAnswered" if seq % 3 == 0 else "WindowDecided",
            text="r-17 was answered misaligned by ana, a correction.",
            cell_id="press-2",
            person="ana" if seq % 3 == 0 else "",
            payload_json='{"actor":{"person":"ana"},"request_id":"r-17"}',
            hash="cd" * 32,
        )
        for seq in range(30, 0, -1)
    )
    check = "the newest 30 entries fit the chain."
    return Journal(lines=lines, head_seq=30, check=check)


def _cases() -> Cases:
    asked = CasesAsked("peg", DIGEST, 2, held_out=True, truth="misaligned", said="ok")
    cases = tuple(
        Case(
            window_id=f"w-{n}",
            request_id=f"r-{n}",
            cell_id="press-2",
            part_id=f"A-{1000 + n}",
            cycle=n,
            clip_id="clip" if n == 17 else "",
            truth="misaligned",
            said="ok",
            confidence=0.87,
            novelty=0.4,
            alone=n == 21,
            at=NOON - timedelta(minutes=n),
        )
        for n in (17, 21)
    )
    return Cases(asked, cases, 2)


def _sheet() -> Sheet:
    waits = SheetLine("press-2", "question: misaligned at 0.55", NOON, "r-17")
    held = SheetLine("press-3", "held: force_z has not moved for 64 rows")
    return Sheet(
        (
            ("waiting", (waits,)),
            ("cells", (held,)),
            ("models", ()),
            ("numbers", (SheetLine("", "36 questions, 33 answers."),)),
        ),
        NOON - timedelta(hours=8),
        NOON,
    )


SCENE = Scene(
    board=_board(),
    actor=Actor("ana", "desk-1"),
    server="127.0.0.1:50551",
    now_s=NOW_S,
    now_at=NOON,
    notice=Notice(
        "press-3: good. The model had said: misaligned insertion.", at_s=NOW_S
    ),
    models=_models(),
    past=Past(
        numbers=_numbers(),
        reports=Reports(DIGEST, _report(), None),
        gates={"peg": _gate()},
        cases=_cases(),
        journal=_journal(),
        sheet=_sheet(),
    ),
)
"""Everything at once; each screen draws what it is about."""

LOST = replace(SCENE, board=replace(SCENE.board, connected=False, lost_s=958.0))

SCREENS: dict[str, Callable[[], Frame]] = {
    "board": BoardScreen,
    "models": lambda: ModelsScreen(["peg"]),
    "cases": lambda: CasesScreen(_cases().asked),
    "numbers": NumbersScreen,
    "journal": JournalScreen,
    "sheet": SheetScreen,
    "wall": WallScreen,
}

_ASKED = SCENE.board.requests[0]
AT_QUESTION = replace(
    SCENE, notice=Notice(), sitting=still_evidence.sitting(_ASKED, NOW_S)
)
AT_CLIP = replace(AT_QUESTION, clip=still_evidence.clip())
IN_FLOOD = replace(
    AT_QUESTION,
    board=replace(SCENE.board, presence=still_evidence.FLOOD),
    sitting=still_evidence.cause(still_evidence.sitting(_ASKED, NOW_S)),
)
TEACHING = replace(SCENE, notice=Notice(), teaching=still_evidence.desk(_ASKED, NOW_S))
AT_EDGE = replace(TEACHING, teaching=still_evidence.desk(_ASKED, NOW_S, Stage.EDGE))

AT_WORK: dict[str, tuple[Callable[[], Frame], Scene]] = {
    "request": (RequestScreen, AT_QUESTION),
    "flood": (RequestScreen, IN_FLOOD),
    "clip": (ClipScreen, AT_CLIP),
    "teach": (TeachScreen, TEACHING),
    "teach-alike": (TeachScreen, AT_EDGE),
}
"""The screens at which a person decides, each with what they see."""

NAMES = (Name("ana", "Ana Berg"), Name("ben", "Ben Holt"), Name("eva", "Eva Lang"))


def at_the_door(language: str = "en") -> Still:
    """Nobody is logged in: the names over the board."""
    door = Door(accounts=True, names=NAMES)
    scene = replace(SCENE, nobody_here=True, notice=Notice())
    over = lambda: LoginScreen(lambda: door)  # noqa: E731 - made in the app
    return Still(BoardScreen, scene, language, theme.CALM.name, over)
