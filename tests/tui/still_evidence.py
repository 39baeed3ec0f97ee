"""The evidence of one question for the stills: traces, a clip, a lesson, a cause."""

from __future__ import annotations

from dataclasses import replace

from tests.tui.fake_clips import make_clip
from tests.tui.fake_state import FakeState
from tui import convert
from tui.clip import Shown
from tui.clip_reader import read_clip
from tui.evidence import Evidence, Mate, Phase, Sitting, Why
from tui.lessons import Alike, Desk, Lesson, Party, Stage
from tui.terms import Presence, Request

DIGEST = "ab" * 32
"""What the plays compute differs by machine; the stills do not show it."""


def evidence(request: Request, now_s: float) -> Evidence:
    """What the coordinator shows of a question."""
    state = FakeState()
    asked = state.requests[
        state.ask(
            request.cell_id,
            request.cycle,
            {"misaligned": 0.55, "grip_slip": 0.3, "ok": 0.15},
        )
    ]
    shown = convert.evidence(asked.response, now_s)
    return replace(shown, request=request, view_digest=DIGEST)


def sitting(request: Request, now_s: float) -> Sitting:
    """Ana at the question."""
    return Sitting(
        request.request_id,
        phase=Phase.MINE,
        evidence=evidence(request, now_s),
        holder="ana",
        shown_s=now_s - 5.0,
    )


def cause(alone: Sitting) -> Sitting:
    """The same where eight cells ask for one cause."""
    cells = [f"press-{number}" for number in (2, 1, 3, 4, 5, 6, 7, 8)]
    mates = tuple(
        Mate(alone.request_id if cell == cells[0] else f"r-{cell}", cell, DIGEST)
        for cell in cells
    )
    return replace(alone, group=mates)


FLOOD = Presence(2, ("ana", "ben"), flood=True, asked_10_min=14)


def clip() -> Shown:
    """The full-rate clip of the question."""
    content = make_clip()
    return Shown(
        "clip", bytes=len(content), of_bytes=len(content), clip=read_clip(content)
    )


def desk(request: Request, now_s: float, stage: Stage = Stage.LOOKING) -> Desk:
    """Ana at the labelling party, or at the edge of what is alike."""
    shown = evidence(request, now_s)
    bare = tuple(
        replace(trace, weight=0.0, last_row=-1, rows=(), alike=())
        for trace in shown.traces
    )
    shown = replace(shown, traces=bare, choices=(), nearest=(), why=Why())
    lesson = Lesson("w-9", DIGEST, "press-1", "A-1009", 9, shown)
    edge = replace(lesson, window_id="w-31", part_id="A-1031", cycle=31)
    return Desk(
        "peg",
        stage,
        lesson,
        shown.labels,
        Party(212, 3, 1, 7.5, ("ana", "ben"), 0.94, 0.88),
        alike=Alike(17, DIGEST, edge) if stage is Stage.EDGE else None,
        given=41,
        last="ok",
    )
