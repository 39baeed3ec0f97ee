"""What comes over the wire is shown as what it is, or as the least promising thing."""

from __future__ import annotations

import math
import struct

import pytest

from andon.v1 import learning_pb2, operator_pb2, terms_pb2
from tests.tui import fake_windows
from tui import convert, terms
from tui.errors import RefusedError


@pytest.mark.parametrize(
    ("kind", "enum", "prefix", "first"),
    [
        (terms.CellState, terms_pb2.CellState, "CELL_STATE_", 1),
        (terms.HoldReason, terms_pb2.HoldReason, "HOLD_REASON_", 0),
        (terms.Action, terms_pb2.Action, "ACTION_", 0),
        (terms.Outcome, terms_pb2.Outcome, "OUTCOME_", 0),
        (terms.ModelState, learning_pb2.ModelState, "MODEL_STATE_", 0),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_the_words_stand_in_the_order_of_the_contract(
    kind, enum, prefix, first
) -> None:
    spoken = {
        number: name.removeprefix(prefix).lower()
        for name, number in enum.items()
        if number >= first
    }

    assert {n: convert.word(kind, n, None, first=first).value for n in spoken} == spoken


def test_a_state_from_the_future_is_shown_as_offline() -> None:
    status = operator_pb2.CellStatus(cell_id="press-1")
    status.state = 99  # type: ignore[assignment]
    status.reason = 99  # type: ignore[assignment]

    cell = convert.cell(status, 10.0)

    assert cell.state is terms.CellState.OFFLINE
    assert cell.reason is terms.HoldReason.INTEGRITY


def test_durations_become_moments_of_this_clock() -> None:
    summary = operator_pb2.RequestSummary(request_id="r-1")
    summary.time_left.FromMilliseconds(2500)
    status = operator_pb2.CellStatus(cell_id="press-1")
    status.in_state.FromMilliseconds(1500)

    assert convert.request(summary, 10.0).deadline_s == 12.5
    assert convert.cell(status, 10.0).since_s == 8.5


def make_response(**facts) -> operator_pb2.GetRequestResponse:
    return operator_pb2.GetRequestResponse(
        window=fake_windows.window("grip_slip", 4),
        channels=fake_windows.channels(),
        labels=fake_windows.labels(),
        **facts,
    )


def test_the_most_telling_channel_is_first() -> None:
    response = make_response()
    response.weights.add(channel="force_z", weight=0.2, first_row=8, last_row=9)
    response.weights.add(channel="gripper_effort", weight=0.7, first_row=3, last_row=5)

    evidence = convert.evidence(response, 0.0)

    first, second = evidence.traces[:2]
    assert (first.channel.name, first.first_row, first.last_row) == (
        "gripper_effort",
        3,
        5,
    )
    assert second.channel.name == "force_z"
    assert len(evidence.traces) == 24


def test_samples_come_row_by_row() -> None:
    window = terms_pb2.Window(rows=2, channels=2, period_ns=10**9)
    window.samples = struct.pack("<4f", 1, 10, 2, 20)
    response = operator_pb2.GetRequestResponse(window=window)
    response.channels.add(name="a", unit="N")
    response.channels.add(name="b", unit="m")

    evidence = convert.evidence(response, 0.0)

    assert [trace.values for trace in evidence.traces] == [(1.0, 2.0), (10.0, 20.0)]
    assert evidence.duration_s == 1.0


def test_an_absent_channel_is_marked() -> None:
    response = make_response()
    response.window.present = bytes([0] + [1] * 23)

    traces = convert.evidence(response, 0.0).traces

    assert [trace.channel.name for trace in traces if not trace.present] == [
        "shoulder_pan_pos"
    ]


def test_without_a_model_novelty_is_no_number() -> None:
    assert math.isnan(convert.evidence(make_response(), 0.0).novelty)


@pytest.mark.parametrize("cut", [0, 4, 100])
def test_samples_that_do_not_fill_their_grid_are_refused(cut) -> None:
    response = make_response()
    response.window.samples = response.window.samples[:cut]

    with pytest.raises(RefusedError, match="bytes for 128 rows of 24 channels"):
        convert.evidence(response, 0.0)
