"""The part of OperatorService that speaks about a cell: hold, release, maintenance."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.errors import InputError, RoleError
from coordinator.live.cell import control
from coordinator.live.linked import unrecorded
from coordinator.service import convert
from coordinator.service.plant import Plant
from coordinator.service.words import actor_of, clean_note, known, once_of
from coordinator.terms import Action, Actor, CellStatus, HoldReason, PersonId

RECORD_S: Final = 0.5
"""Whoever holds a cell waits no longer to hear whether that is on record."""

Context = grpc.aio.ServicerContext[Any, Any]


class HoldCalls(operator_pb2_grpc.OperatorServiceServicer):
    """What people do with a cell."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    async def Hold(
        self, request: operator_pb2.HoldRequest, context: Context
    ) -> operator_pb2.HoldResponse:
        """See operator.proto. Nothing about the call but an unknown cell refuses it."""
        del context
        plant = self._plant
        chosen = (
            [plant.cell(request.cell_id)]
            if request.cell_id
            else list(plant.cells.values())
        )
        actor, note = _whoever(request)
        for path in chosen:
            path.hold(HoldReason.OPERATOR_HOLD, f"held by {actor.person}{note}.", actor)
        return operator_pb2.HoldResponse(
            cells=[path.cell.cell_id for path in chosen],
            recorded=not await unrecorded(chosen, RECORD_S),
        )

    async def ReleaseHold(
        self, request: operator_pb2.ReleaseHoldRequest, context: Context
    ) -> operator_pb2.ReleaseHoldResponse:
        """See operator.proto."""
        del context
        path = self._plant.cell(request.cell_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        release = control.Release(
            actor=actor_of(request.actor),
            seen=known(HoldReason, "expected_reason", request.expected_reason),
            disposition=known(Action, "disposition", request.disposition),
            note=clean_note(request.note),
            once=once_of(request),
            done=done,
        )
        path.inbox.post(release)
        await done
        return operator_pb2.ReleaseHoldResponse(cell=self._status(path.cell.status()))

    async def SetMaintenance(
        self, request: operator_pb2.SetMaintenanceRequest, context: Context
    ) -> operator_pb2.SetMaintenanceResponse:
        """See operator.proto."""
        del context
        path = self._plant.cell(request.cell_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        change = control.Maintenance(
            actor=actor_of(request.actor),
            on=request.maintenance,
            note=clean_note(request.note),
            once=once_of(request),
            done=done,
        )
        path.inbox.post(change)
        await done
        status = self._status(path.cell.status())
        return operator_pb2.SetMaintenanceResponse(cell=status)

    def _status(self, status: CellStatus) -> operator_pb2.CellStatus:
        return convert.cell_status(status, self._plant.clock.monotonic_ns())


def _whoever(request: operator_pb2.HoldRequest) -> tuple[Actor, str]:
    """A hold is taken from anybody, with whatever name and note can be kept."""
    try:
        actor = actor_of(request.actor)
        note = clean_note(request.note)
    except (InputError, RoleError):
        return Actor(PersonId("somebody")), ""
    return actor, f": {note}" if note else ""
