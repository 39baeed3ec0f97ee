"""Why the gate asked, for one request on the wire: asked for, noted, converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from andon.v1 import operator_pb2
from coordinator.errors import NotFoundError
from coordinator.insight.why import Question
from coordinator.service import convert
from coordinator.service.plant import Plant
from coordinator.terms import OperatorRequest
from coordinator.terms.why import ChannelWeight, NearExample, Why

BESIDE: Final = 2
"""Most alike examples whose samples travel, to be looked at beside the window."""


async def explained(plant: Plant, asked: OperatorRequest, question: Question) -> Why:
    """Return why the gate asked, noted as shown with an open request."""
    why = await plant.explainer.why(question)
    if asked.is_open:
        await plant.requests.views.show(asked, why)
    return why


async def alike(
    plant: Plant, nearest: Sequence[NearExample]
) -> list[operator_pb2.NearExample]:
    """Convert the most alike examples, the first ones with their samples."""
    return [
        await _near(plant, near, with_window=place < BESIDE)
        for place, near in enumerate(nearest)
    ]


async def _near(
    plant: Plant, near: NearExample, *, with_window: bool
) -> operator_pb2.NearExample:
    message = operator_pb2.NearExample(
        example_id=near.example_id,
        window_id=near.window_id,
        label=near.label,
        distance=near.distance,
    )
    if with_window:
        try:
            window = await plant.store.window(near.window_id)
        except NotFoundError:
            return message
        message.window.CopyFrom(convert.window(window))
    return message


def channel_weight(term: ChannelWeight) -> operator_pb2.ChannelWeight:
    """Convert a channel's weight."""
    return operator_pb2.ChannelWeight(
        channel=term.channel,
        weight=term.weight,
        first_row=term.first_row,
        last_row=term.last_row,
        rows=term.rows,
        against=term.against,
    )


def why_on_wire(term: Why) -> operator_pb2.Why:
    """Convert what the weights and choices are about."""
    return operator_pb2.Why(
        about=term.about,
        method=term.method,
        coverage=term.coverage if term.plausible else 0.0,
        held_out=term.held_out,
        needed=term.needed,
        plausible=term.whole,
        lacks=term.lacks,
    )
