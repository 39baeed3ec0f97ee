"""Who may make which call: one line each, and a test that none is missing.

The roles from the least: auditor (looks), operator, supervisor, engineer, admin; each
may do what those before it may. Roles count from the first account on. Pulling the cord
is for everybody, always. What is written is checked again inside the commit, see
store/fold/people.py, where also a release after a safety stop asks for a supervisor.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from coordinator.terms import Role


class Open(Enum):
    """Who may call without being logged in."""

    ANYBODY = "anybody"
    """A board, a login screen, a hand on the cord."""
    NODE = "node"
    """A cell's node: its session is its own, see service/session.py."""


ANYBODY, NODE = Open.ANYBODY, Open.NODE
AUDITOR, OPERATOR = Role.AUDITOR, Role.OPERATOR
ENGINEER, ADMIN = Role.ENGINEER, Role.ADMIN

CALLS: Final[Mapping[str, Open | Role]] = {
    "CellService/Session": NODE,
    "CellService/UploadClip": NODE,
    "OperatorService/Watch": ANYBODY,
    "OperatorService/Hold": ANYBODY,
    "OperatorService/GetRequest": AUDITOR,
    "OperatorService/ListRequests": AUDITOR,
    "OperatorService/ListClips": AUDITOR,
    "OperatorService/GetClip": AUDITOR,
    "OperatorService/GetGroup": AUDITOR,
    "OperatorService/Claim": OPERATOR,
    "OperatorService/RenewClaim": OPERATOR,
    "OperatorService/ReleaseClaim": OPERATOR,
    "OperatorService/Answer": OPERATOR,
    "OperatorService/AnswerGroup": OPERATOR,
    "OperatorService/UndoAnswer": OPERATOR,
    "OperatorService/Skip": OPERATOR,
    "OperatorService/HandOver": OPERATOR,
    "OperatorService/Arrive": OPERATOR,
    "OperatorService/ReleaseHold": OPERATOR,
    "OperatorService/SetMaintenance": OPERATOR,
    "LearningService/WatchLearning": ANYBODY,
    "LearningService/ListExamples": AUDITOR,
    "LearningService/ListModels": AUDITOR,
    "LearningService/GetModel": AUDITOR,
    "LearningService/GetGate": AUDITOR,
    "LearningService/ListTeachable": AUDITOR,
    "LearningService/GetAgreement": AUDITOR,
    "LearningService/GetTeachable": OPERATOR,
    "LearningService/GetAlike": OPERATOR,
    "LearningService/Teach": OPERATOR,
    "LearningService/UndoTeach": OPERATOR,
    "LearningService/ReturnTeachable": OPERATOR,
    "LearningService/DecideLabel": ENGINEER,
    "LearningService/RetractExample": ENGINEER,
    "LearningService/AddLabel": ENGINEER,
    "LearningService/StartTraining": ENGINEER,
    "LearningService/Promote": ENGINEER,
    "LearningService/Rollback": ENGINEER,
    "LearningService/GrantProvisional": ENGINEER,
    "LearningService/CloseGate": ENGINEER,
    "InsightService/Explain": AUDITOR,
    "InsightService/GetNumbers": ANYBODY,  # for the wall: no person is in them
    "InsightService/GetJournalHead": AUDITOR,
    "InsightService/GetHandover": AUDITOR,
    "InsightService/ListCases": AUDITOR,
    "InsightService/ListJournal": AUDITOR,
    "AccessService/WhoAmI": ANYBODY,
    "AccessService/ListPeople": ANYBODY,
    "AccessService/Login": ANYBODY,
    "AccessService/Logout": ANYBODY,
    "AccessService/StillHere": AUDITOR,
    # Accounts: administrators, and who shows the machine's own key.
    "AccessService/ListAccounts": ADMIN,
    "AccessService/AddPerson": ADMIN,
    "AccessService/ChangePerson": ADMIN,
    "AccessService/Enrol": ANYBODY,
    "AccessService/RevokeDevice": ADMIN,
}
"""Service and method to the least role, or to who may call without one."""

BY_ITSELF: Final = frozenset(
    {
        "OperatorService/Watch",
        "OperatorService/ListRequests",
        "OperatorService/GetRequest",
        "OperatorService/GetGroup",
        "OperatorService/GetClip",
        "OperatorService/ListClips",
        "OperatorService/RenewClaim",
        "LearningService/WatchLearning",
        "LearningService/ListModels",
        "LearningService/ListTeachable",
        "LearningService/GetAgreement",
        "LearningService/GetGate",
        "InsightService/GetNumbers",
        "InsightService/GetJournalHead",
        "AccessService/WhoAmI",
        "AccessService/ListPeople",
    }
)
"""What clients call while nobody touches them: it does not keep a device open."""

HEALTH: Final = "grpc.health.v1.Health/"
"""The standard health service: machines ask it, and it says nothing about people."""


def needed(call: str) -> Open | Role:
    """Return who may make a call, named as gRPC names it: /package.Service/Method.

    What nobody has decided about is for administrators.
    """
    named = call.removeprefix("/")
    if named.startswith(HEALTH):
        return ANYBODY
    return CALLS.get(named.removeprefix("andon.v1."), ADMIN)


def is_a_deed(call: str) -> bool:
    """Whether a person must have touched something to make this call."""
    return call.removeprefix("/andon.v1.") not in BY_ITSELF
