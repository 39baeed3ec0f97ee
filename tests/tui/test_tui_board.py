"""The board is a fold: the same events give the same picture, nothing is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.board import (
    HAPPENINGS,
    Board,
    CellChanged,
    ChangesMissed,
    Happening,
    LearningChanged,
    LinkLost,
    Pictured,
    PresenceChanged,
    RequestChanged,
    fold,
    rings,
)
from tui.terms import (
    Cell,
    CellState,
    Learning,
    Outcome,
    Presence,
    Request,
    RequestKind,
)


def make_request(request_id: str = "r-1", **facts) -> Request:
    return Request(request_id, "press-1", **{"deadline_s": 100.0, **facts})


def make_picture(*requests: Request, **facts) -> Pictured:
    facts = {"cells": (Cell("press-1"),), "learning": (), "families": (), **facts}
    return Pictured(
        requests=requests,
        presence=Presence(1, ("ana",)),
        coordinator="0.1.0",
        at_s=1.0,
        **facts,
    )


def make_board(*requests: Request) -> Board:
    return fold(Board(), make_picture(*requests))


def test_a_picture_connects_and_replaces_everything() -> None:
    old = fold(make_board(make_request("r-old")), LinkLost("gone", 2.0))

    board = fold(old, make_picture(make_request("r-new")))

    assert board.connected
    assert board.lost_s is None
    assert [r.request_id for r in board.requests] == ["r-new"]


def test_a_lost_link_keeps_the_picture_and_the_first_moment_it_was_lost() -> None:
    board = make_board(make_request())

    for at_s in (5.0, 6.0):
        board = fold(board, LinkLost("connection refused", at_s))

    assert not board.connected
    assert (board.trouble, board.lost_s) == ("connection refused", 5.0)
    assert board.request("r-1") is not None


def test_an_ended_request_leaves_the_queue() -> None:
    request = make_request()
    ended = replace(request, outcome=Outcome.TIMED_OUT)

    board = fold(make_board(request), RequestChanged(ended, 2.0))

    assert board.requests == ()


def test_an_ended_request_in_a_picture_is_not_open() -> None:
    assert make_board(make_request(outcome=Outcome.ANSWERED)).requests == ()


def test_the_most_urgent_request_is_first() -> None:
    board = make_board(
        make_request("r-audit", kind=RequestKind.AUDIT, priority=0, deadline_s=1.0),
        make_request("r-late", deadline_s=90.0),
        make_request("r-soon", deadline_s=10.0),
        make_request("r-urgent", deadline_s=99.0, priority=0),
    )

    found = [r.request_id for r in board.requests]
    assert found == ["r-urgent", "r-soon", "r-late", "r-audit"]


def test_what_somebody_else_holds_is_not_offered() -> None:
    board = make_board(
        make_request("r-1", claimed_by="ben", deadline_s=1.0),
        make_request("r-2", claimed_by="ana", deadline_s=2.0),
        make_request("r-3", deadline_s=3.0),
    )

    assert board.next_request("ana") == board.request("r-2")
    assert board.next_request("ana", frozenset({"r-2"})) == board.request("r-3")
    assert board.next_request("eve", frozenset({"r-3"})) is None


def test_a_change_of_one_cell_leaves_its_neighbours() -> None:
    picture = make_picture(cells=(Cell("press-1"), Cell("press-2")))
    held = Cell("press-2", state=CellState.HELD, text="a person must look")

    board = fold(fold(Board(), picture), CellChanged(held, 2.0))

    assert list(board.cells) == ["press-1", "press-2"]
    assert board.cells["press-2"] is held
    assert board.happenings == (Happening(2.0, "press-2", "a person must look"),)


def test_working_and_deciding_is_not_worth_remembering() -> None:
    board = make_board()
    for state in (CellState.WORKING, CellState.DECIDING, CellState.WORKING):
        board = fold(board, CellChanged(Cell("press-1", state=state), 2.0))

    assert [h.text for h in board.happenings] == ["working again"]


def test_a_correction_says_what_the_model_had_said() -> None:
    request = make_request(guess="ok", reason="ok at 0.55")
    answered = replace(
        request, outcome=Outcome.ANSWERED, label="grip_slip", answered_by="ana"
    )

    board = fold(Board(), RequestChanged(request, 1.0))
    board = fold(board, RequestChanged(answered, 2.0))

    assert [h.text for h in board.happenings] == [
        "ana says grip_slip, the model said ok"
    ]


def test_the_past_is_bounded() -> None:
    board = Board()
    for number in range(HAPPENINGS + 10):
        board = fold(board, RequestChanged(make_request(), float(number)))
        ended = make_request(outcome=Outcome.TIMED_OUT)
        board = fold(board, RequestChanged(ended, float(number)))

    assert len(board.happenings) == HAPPENINGS
    assert board.happenings[0].at_s == HAPPENINGS + 9.0


def test_learning_says_each_thing_once() -> None:
    board = Board()
    for progress in (0.1, 0.2, 0.3):
        learning = Learning("peg", progress=progress, text="training with 40 examples")
        board = fold(board, LearningChanged(learning, progress))

    assert board.learning["peg"].progress == 0.3
    assert len(board.happenings) == 1


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        pytest.param(ChangesMissed(12, 3.0), "missed", 12, id="missed"),
        pytest.param(
            PresenceChanged(Presence(nobody=True)),
            "presence",
            Presence(nobody=True),
            id="nobody-is-there",
        ),
    ],
)
def test_other_events_change_only_their_own(event, field, value) -> None:
    before = make_board(make_request())

    after = fold(before, event)

    assert getattr(after, field) == value
    assert (after.cells, after.requests) == (before.cells, before.requests)


def test_what_waits_to_be_final_is_nobodys_next_request() -> None:
    waiting = replace(make_request("r-1"), pending_label="ok", pending_by="ben")
    board = replace(Board(), requests=(waiting, make_request("r-2")))

    found = board.next_request("ana")

    assert found is not None
    assert found.request_id == "r-2"


def test_what_somebody_skipped_comes_last_to_them_and_first_to_others() -> None:
    skipped = replace(make_request("r-1"), skipped_by=("ana",))
    board = replace(Board(), requests=(skipped, make_request("r-2")))

    mine, theirs = board.next_request("ana"), board.next_request("ben")

    assert (mine and mine.request_id, theirs and theirs.request_id) == ("r-2", "r-1")


def test_nobody_is_offered_their_own_second_opinion() -> None:
    board = replace(Board(), requests=(replace(make_request("r-1"), first_by="ana"),))

    assert board.next_request("ana") is None
    assert board.next_request("ben") is not None


def test_a_question_that_gets_late_sounds_once() -> None:
    calm = replace(Board(), connected=True, requests=(make_request("r-1"),))
    late = replace(calm, requests=(replace(make_request("r-1"), warned=True),))

    assert rings(calm, late)
    assert not rings(late, late)
