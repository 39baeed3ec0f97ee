"""What a tablet may call, and the contract it speaks.

The page reads the contract when it starts: it is always the one that is served here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2, status_pb2

from andon.v1 import access_pb2, learning_pb2, operator_pb2
from coordinator.service.web_places import Manner

_FILES: Final = (operator_pb2, learning_pb2, access_pb2, status_pb2, error_details_pb2)

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "andon.v1.OperatorService": frozenset(
        {
            "Watch",
            "GetRequest",
            "GetClip",
            "ListRequests",
            "Claim",
            "RenewClaim",
            "ReleaseClaim",
            "Answer",
            "UndoAnswer",
            "Arrive",
            "HandOver",
            "Skip",
            "GetGroup",
            "AnswerGroup",
            "Hold",
            "ReleaseHold",
        }
    ),
    # Models are looked at: a tablet neither trains, nor promotes, nor opens a gate.
    "andon.v1.LearningService": frozenset(
        {
            "ListModels",
            "GetModel",
            "GetGate",
            "ListTeachable",
            "GetTeachable",
            "GetAlike",
            "Teach",
            "UndoTeach",
            "ReturnTeachable",
            "GetAgreement",
        }
    ),
    "andon.v1.AccessService": frozenset(
        {"WhoAmI", "ListPeople", "Login", "Logout", "StillHere"}
    ),
}
"""Service -> methods. Nodes' sessions and administration are not among them."""


URGENT: Final = frozenset({"Hold", "Logout"})
"""What makes the plant safer and is done in a moment."""


def methods() -> dict[str, Manner]:
    """Return the path of every allowed method, and how it is carried."""
    return {
        f"/{service.full_name}/{method.name}": _manner(method)
        for module in _FILES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.name in ALLOWED.get(service.full_name, ())
    }


def _manner(method: Any) -> Manner:
    if method.server_streaming:
        return Manner.STREAM
    return Manner.URGENT if method.name in URGENT else Manner.ONCE


def contract() -> bytes:
    """Return a FileDescriptorSet of all that a tablet says and hears."""
    found: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for module in _FILES:
        _add(found, module.DESCRIPTOR)
    return descriptor_pb2.FileDescriptorSet(file=found.values()).SerializeToString()


def _add(found: dict[str, descriptor_pb2.FileDescriptorProto], file: Any) -> None:
    """Add a file after those it needs."""
    needed: Iterable[Any] = file.dependencies
    for other in needed:
        _add(found, other)
    if file.name not in found:
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)
        found[file.name] = proto
