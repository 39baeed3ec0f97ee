"""What the programs of a demo wrote down is read as it was meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli import demo_evidence as de
from coordinator.cli.demo_records import ConsumedPermit, Move, Truth
from coordinator.errors import DatasetError, UnavailableError
from coordinator.terms import CellId, Digest, PermitId

PRESS = CellId("press-1")


def write(path: Path, *lines: dict[str, Any], torn: str = "") -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(text + torn)
    return path


def line(event: str, mono_ns: int, **facts: Any) -> dict[str, Any]:
    return {"event": event, "mono_ns": mono_ns, **facts}


def decision(*, again: bool) -> dict[str, Any]:
    return {"kind": "decision", "offered_again": again}


def node(folder: Path, *lines: dict[str, Any]) -> None:
    write(folder / "press-1.node.jsonl", *lines)


def robot(folder: Path, *lines: dict[str, Any]) -> None:
    write(folder / "press-1.motions.jsonl", *lines)


def test_a_line_torn_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "t", {"a": 1}, torn='{"a": 2')

    assert list(de.read_lines(path)) == [{"a": 1}]


@pytest.mark.parametrize("text", ["not json\n", "[1]\n", '{"a": 1}\n\n{"a": 2}\n'])
def test_any_other_unreadable_line_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t").write_text(text)

    with pytest.raises(DatasetError, match="line"):
        list(de.read_lines(tmp_path / "t"))


def test_the_truth_is_read_by_cell_and_cycle(tmp_path: Path) -> None:
    fact = {"cell": "press-1", "cycle": 4, "label": "ok", "ambiguous": True}
    write(tmp_path / "truth-press-1.jsonl", fact)

    assert de.read_truth(tmp_path) == {(PRESS, 4): Truth("ok", ambiguous=True)}


def test_cannot_tell_is_not_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "operator.json"
    told = [
        {"request_id": "r-1", "label": "ok", "at_mono_ns": 1},
        {"request_id": "r-2", "label": "", "at_mono_ns": 2},
    ]
    path.write_text(json.dumps({"acknowledged": told}))

    assert de.read_acknowledged(path) == [("r-1", "ok")]
    assert de.read_acknowledged(tmp_path / "none.json") == []


def test_a_node_trace_is_read(tmp_path: Path) -> None:
    node(
        tmp_path,
        line("window_cut", 10, window_id="w-1", digest="d-1", cycle=0),
        line("window_sent", 11, window_id="w-1", digest="d-1", **decision(again=False)),
        line("window_sent", 12, window_id="w-2", digest="d-2", kind="monitor"),
        line("permit_received", 20, permit_id="p-1"),
        line("permit_started", 21, permit_id="p-1", start_by_ns=99),
        line("window_cut", 30, window_id="w-3", digest="d-3", cycle=1),
        line("window_sent", 31, window_id="w-3", digest="d-3", **decision(again=True)),
        line("refusal", 32, window_id="w-3"),
        line("permit_dropped", 40) | {"token": "EXPIRED"},
        line("hold", 50, reason="LINK_LOST", text=""),
    )
    robot(tmp_path)

    trace = de.read_traces(tmp_path, [PRESS], {"superseded": 1})

    assert trace.cut_ns[PRESS, Digest("d-1")] == 10
    assert trace.sent == {(PRESS, "d-1"), (PRESS, "d-3")}
    assert trace.offered_again == {(PRESS, "d-3")}
    assert trace.last_sent == {(PRESS, "d-3")}
    assert trace.refused == {(PRESS, "d-3")}
    assert trace.consumed == (ConsumedPermit(PRESS, PermitId("p-1"), 20, 21, 99),)
    assert trace.holds_ns == {PRESS: (50,)}
    assert trace.dropped == {"superseded": 1, "permit_expired": 1}


def test_a_window_sent_twice_keeps_its_first_cut(tmp_path: Path) -> None:
    node(
        tmp_path,
        line("window_cut", 10, window_id="w-1", digest="d-1", cycle=0),
        line("window_cut", 90, window_id="w-1", digest="d-1", cycle=0),
    )
    robot(tmp_path)

    assert de.read_traces(tmp_path, [PRESS], {}).cut_ns == {(PRESS, "d-1"): 10}


def test_a_robot_that_was_held_uses_its_permit_once(tmp_path: Path) -> None:
    node(
        tmp_path,
        line("resume", 20, permit_id="p-1", start_by_ns=99),
        line("permit_started", 21, permit_id="p-1", start_by_ns=99),
    )
    robot(tmp_path)

    assert len(de.read_traces(tmp_path, [PRESS], {}).consumed) == 1


@pytest.mark.parametrize("event", ["resume", "permit_started"])
def test_the_same_permit_given_twice_is_two_uses(tmp_path: Path, event: str) -> None:
    again = line(event, 20, permit_id="p-1", start_by_ns=99)
    node(tmp_path, again, again)
    robot(tmp_path)

    assert len(de.read_traces(tmp_path, [PRESS], {}).consumed) == 2


def test_a_cell_without_a_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        de.read_traces(tmp_path, [PRESS], {})


def test_a_cycle_moves_under_the_permit_that_the_robot_names() -> None:
    motions = [line("begin", 30, cycle=0, permit_id="p-1"), line("end", 40, cycle=0)]

    assert de.read_moves(PRESS, motions, []) == [Move(PRESS, PermitId("p-1"), 30)]


def test_a_paused_cycle_goes_on_under_the_newest_resume() -> None:
    motions = [
        line("begin", 30, cycle=0, permit_id="p-1"),
        line("pause", 40, cycle=0),
        line("resume", 60, cycle=0),
    ]

    moves = de.read_moves(
        PRESS, motions, [(10, PermitId("p-0")), (50, PermitId("p-2"))]
    )

    assert moves[1] == Move(PRESS, PermitId("p-2"), 60)


def test_a_robot_that_goes_on_by_itself_moves_without_permit() -> None:
    motions = [
        line("begin", 30, cycle=0, permit_id="p-1"),
        line("resume", 60, cycle=0),
        line("resume", 80, cycle=0),
    ]

    moves = de.read_moves(PRESS, motions, [(50, PermitId("p-2"))])

    assert [move.permit_id for move in moves] == ["p-1", "p-2", ""]


def test_a_robot_that_stands_may_be_resumed_without_moving() -> None:
    motions = [line("pause", 5, cycle=-1), line("resume", 10, cycle=-1)]

    assert de.read_moves(PRESS, motions, []) == []


def test_cycles_are_counted_by_their_ends(tmp_path: Path) -> None:
    assert de.cycles_worked(tmp_path, PRESS) == 0

    robot(
        tmp_path,
        line("begin", 1, cycle=0, permit_id="p-1"),
        line("end", 2, cycle=0),
        line("begin", 3, cycle=1, permit_id="p-2"),
    )

    assert de.cycles_worked(tmp_path, PRESS) == 1
