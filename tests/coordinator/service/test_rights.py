"""Every call has somebody who may make it, and the table holds nothing else."""

from typing import get_type_hints

import pytest
from google.protobuf.descriptor import FileDescriptor

from andon.v1 import access_pb2, cell_pb2, insight_pb2, learning_pb2, operator_pb2
from coordinator.service.rights import BY_ITSELF, CALLS, Open, is_a_deed, needed
from coordinator.store.fold.people import NEEDED
from coordinator.terms import Role, events

EVENTS = frozenset(events.Event.__args__)
FILES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (access_pb2, cell_pb2, insight_pb2, learning_pb2, operator_pb2)
)


def fields_of(kind: object) -> dict[str, object]:
    return getattr(kind, "__dataclass_fields__", {})


def inside(kind: type) -> list[object]:
    """The events that an event carries: an answer that waits, a first opinion."""
    hints = get_type_hints(kind)
    return [hints[name] for name in fields_of(kind) if hints[name] in EVENTS]


SERVED = {
    f"{service.name}/{method.name}"
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
WITH_ACTOR = {
    kind
    for kind in EVENTS
    if any("actor" in one for one in (fields_of(kind), *map(fields_of, inside(kind))))
}


def test_every_call_of_every_service_stands_in_the_table():
    assert sorted(SERVED - CALLS.keys()) == []


def test_the_table_holds_no_call_that_is_not_served():
    assert sorted(CALLS.keys() - SERVED) == []
    assert sorted(BY_ITSELF - SERVED) == []


def test_only_the_cord_the_boards_and_the_login_are_open():
    opened = {call for call, who in CALLS.items() if who is Open.ANYBODY}

    assert opened == {
        "OperatorService/Hold",
        "OperatorService/Watch",
        "LearningService/WatchLearning",
        "InsightService/GetNumbers",
        "AccessService/WhoAmI",
        "AccessService/ListPeople",
        "AccessService/Login",
        "AccessService/Logout",
        "AccessService/Enrol",
    }


@pytest.mark.parametrize(
    ("call", "who"),
    [
        ("/andon.v1.OperatorService/Answer", Role.OPERATOR),
        ("/andon.v1.LearningService/Promote", Role.ENGINEER),
        ("/andon.v1.CellService/Session", Open.NODE),
        ("/grpc.health.v1.Health/Check", Open.ANYBODY),
        ("/andon.v1.OperatorService/SomethingNew", Role.ADMIN),
        ("/somebody.Else/Call", Role.ADMIN),
    ],
)
def test_who_may(call, who):
    assert needed(call) is who


def test_what_a_client_does_by_itself_is_no_deed():
    assert not is_a_deed("/andon.v1.OperatorService/RenewClaim")
    assert is_a_deed("/andon.v1.OperatorService/Answer")


def test_every_event_with_an_actor_says_which_role_it_needs():
    # An event that is left out would be written by whoever has a role no more.
    missing = {kind.__name__ for kind in WITH_ACTOR - NEEDED.keys()}

    assert missing == set()


def test_whatever_needs_a_role_has_an_actor():
    needs = {kind for kind, least in NEEDED.items() if least is not None}

    assert needs <= WITH_ACTOR
