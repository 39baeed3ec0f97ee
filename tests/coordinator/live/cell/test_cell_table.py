"""The table of states, the rules its docstring gives, and the machine that runs it."""

import pytest

from coordinator.errors import IllegalTransitionError
from coordinator.live.cell.machine import CellMachine
from coordinator.live.cell.table import TRANSITIONS, diagram
from coordinator.terms import CellEvent, CellState
from tests.builders import CELL

_E, _S = CellEvent, CellState
ROWS = [
    (source, event, dest)
    for source, row in TRANSITIONS.items()
    for event, dest in row.items()
]
MOVING = {_S.IDLE, _S.WORKING, _S.DECIDING, _S.ASKING}


def test_every_state_has_a_row():
    assert set(TRANSITIONS) == set(CellState)


def test_every_event_means_something_somewhere():
    assert {event for _, event, _ in ROWS} == set(CellEvent)


@pytest.mark.parametrize("state", CellState)
def test_a_lost_link_leads_to_offline_from_everywhere(state):
    assert TRANSITIONS[state][_E.LINK_LOST] is _S.OFFLINE


@pytest.mark.parametrize("state", CellState)
def test_a_hold_stops_whatever_could_move(state):
    after = TRANSITIONS[state][_E.HOLD]

    assert after is (_S.HELD if state in MOVING else state)


def test_only_a_release_leaves_held_towards_work():
    assert [(s, e) for s, e, d in ROWS if s is _S.HELD and d in MOVING] == [
        (_S.HELD, _E.RELEASED)
    ]


def test_no_state_at_rest_but_held_leads_to_work():
    assert not [
        (s, e) for s, e, d in ROWS if s in {_S.OFFLINE, _S.MAINTENANCE} and d in MOVING
    ]


def test_work_is_entered_only_with_a_permit():
    assert {(s, e) for s, e, d in ROWS if d is _S.WORKING} == {
        (_S.IDLE, _E.STARTED),
        (_S.DECIDING, _E.ACT),
        (_S.ASKING, _E.ANSWERED),
    }


def test_a_session_begins_and_maintenance_ends_in_held():
    assert {d for _, e, d in ROWS if e in {_E.CONNECTED, _E.MAINTENANCE_OFF}} == {
        _S.HELD
    }


@pytest.mark.parametrize("state", CellState)
@pytest.mark.parametrize("event", CellEvent)
def test_the_machine_does_what_the_table_says(state, event):
    machine = CellMachine(CELL)
    machine.state = state
    row = TRANSITIONS[state]
    if event in row:
        assert machine.apply(event) is row[event]
        assert machine.state is row[event]
        return
    with pytest.raises(IllegalTransitionError, match=event.value):
        machine.apply(event)
    assert machine.state is state


def test_the_diagram_draws_every_row():
    drawn = diagram().splitlines()

    assert len(drawn) == 2 + len(ROWS)
    assert "    held --> idle: released" in drawn
