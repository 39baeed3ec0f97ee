"""The machine follows the table, whatever happens in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.clock import ManualClock
from coordinator.errors import IllegalTransitionError
from coordinator.live.cell.record import CellRecord
from coordinator.live.cell.table import TRANSITIONS
from coordinator.seams import CellRow
from coordinator.terms import CellEvent, CellState, HoldReason, events
from tests.builders import CELL, PEG

happenings = st.lists(
    st.one_of(st.sampled_from(CellEvent), st.sampled_from(HoldReason)), max_size=40
)


@given(happenings)
def test_any_sequence_follows_the_table_and_its_journal_folds_to_the_present(happened):
    cell = CellRecord(
        CELL, PEG, clock=ManualClock(), remembered=CellRow(), publish=lambda _: None
    )
    for what in happened:
        before, written = cell.state, len(cell.unrecorded)
        if isinstance(what, HoldReason):
            cell.hold(what, "held.")
            assert cell.state is TRANSITIONS[before][CellEvent.HOLD]
            assert what in cell.holds.reasons
            continue
        expected = TRANSITIONS[before].get(what)
        try:
            cell.move(what)
        except IllegalTransitionError:
            assert expected is None
            assert cell.state is before
            assert len(cell.unrecorded) == written
        else:
            assert cell.state is expected

    reasons: set[HoldReason] = set()
    state = CellState.OFFLINE
    for event in cell.unrecorded:
        if isinstance(event, events.HoldPlaced):
            reasons.add(event.reason)
        if isinstance(event, events.CellMoved):
            assert event.before is state
            state, reasons = event.after, set(event.reasons)
    assert state is cell.state
    assert reasons == cell.holds.reasons
