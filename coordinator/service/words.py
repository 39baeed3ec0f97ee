"""Small conversions between the wire and the terms: enums, times, texts, actors."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import operator_pb2, terms_pb2
from coordinator.clock import seconds_to_ns
from coordinator.errors import BadTextError, InputError, MissingFieldError
from coordinator.service.identity import acting, device_of
from coordinator.terms import (
    MACHINE,
    POLICY,
    Action,
    Actor,
    CellState,
    ChannelPolicy,
    Decision,
    Digest,
    HoldReason,
    IdempotencyKey,
    Outcome,
    PermitPurpose,
    PersonId,
    RequestKind,
    TimeoutOutcome,
    WindowKind,
)

LONGEST_TEXT = 2_000
"""Characters of a note."""
LONGEST_NAME = 200
"""Characters of a person's or device's name."""

WIRE: dict[type[Enum], tuple[Any, str]] = {
    Action: (terms_pb2.Action, "ACTION"),
    CellState: (terms_pb2.CellState, "CELL_STATE"),
    ChannelPolicy: (terms_pb2.ChannelPolicy, "CHANNEL_POLICY"),
    Decision: (terms_pb2.Decision, "DECISION"),
    HoldReason: (terms_pb2.HoldReason, "HOLD_REASON"),
    Outcome: (terms_pb2.Outcome, "OUTCOME"),
    PermitPurpose: (terms_pb2.PermitPurpose, "PERMIT_PURPOSE"),
    RequestKind: (operator_pb2.RequestKind, "REQUEST_KIND"),
    TimeoutOutcome: (terms_pb2.TimeoutOutcome, "TIMEOUT_OUTCOME"),
    WindowKind: (terms_pb2.WindowKind, "WINDOW_KIND"),
}
"""Wire enums hold the members of their terms, prefixed; a test fails when one lacks."""

E = TypeVar("E", bound=Enum)


def to_wire(member: Enum | None) -> Any:
    """Return the wire number of a term; 0 for None and for an open outcome."""
    if member is None or member is Outcome.OPEN:
        return 0
    wrapper, prefix = WIRE[type(member)]
    return wrapper.Value(f"{prefix}_{member.name}")


def from_wire(kind: type[E], number: int) -> E | None:
    """Return the term of a wire number; None when unset or unknown."""
    wrapper, prefix = WIRE[kind]
    if number not in wrapper.values() or number == 0:
        return None
    return kind[wrapper.Name(number).removeprefix(f"{prefix}_")]


def known(kind: type[E], name: str, number: int) -> E | None:
    """Return the term of a wire number, None when unset.

    Raises:
        InputError: the number is none of the contract's.
    """
    term = from_wire(kind, number)
    if term is None and number != 0:
        raise InputError(f"{name} {number} is not known.", "UNKNOWN_VALUE")
    return term


def duration(ns: int) -> Duration:
    """Convert nanoseconds."""
    return Duration(seconds=ns // 10**9, nanos=ns % 10**9)


def seconds(length_s: float) -> Duration:
    """Convert seconds."""
    return duration(seconds_to_ns(length_s))


def timestamp(at: datetime | None) -> Timestamp | None:
    """Convert aware UTC; None stays unset."""
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def clean(name: str, text: str, *, longest: int = LONGEST_NAME) -> str:
    """Return one line that may be stored and shown in a terminal.

    Raises:
        BadTextError: it is too long, or carries control or bidi characters.
    """
    return _clean(name, text, longest, allowed="")


def clean_note(text: str) -> str:
    """Return a person's note, which may have lines; raises like clean()."""
    return _clean("note", text, LONGEST_TEXT, allowed="\n\t")


def _clean(name: str, text: str, longest: int, allowed: str) -> str:
    if len(text) > longest:
        raise BadTextError(f"{name} has {len(text)} characters, limit {longest}.")
    for character in text:
        if _is_control(character) and character not in allowed:
            raise BadTextError(f"{name}: control character U+{ord(character):04X}.")
    return unicodedata.normalize("NFC", text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def legible(text: str, longest: int = LONGEST_NAME) -> str:
    """Return what can be shown of a machine's text; it is never a reason to refuse.

    What a node says about a stopped robot must hold the cell, however it is spelt.
    """
    shown = "".join("?" if _is_control(c) else c for c in text[:longest])
    return unicodedata.normalize("NFC", shown)


def actor_of(message: operator_pb2.Actor) -> Actor:
    """Return who calls: the person who is logged in, else who it says, unverified.

    Raises:
        RoleError: somebody else is logged in, or at another device.
        MissingFieldError: no person was named.
        BadTextError: a name is too long or carries control characters.
    """
    person = clean("actor.person", message.person).strip()
    known = acting(person, message.device)
    if known is not None:
        return known
    if not person:
        raise MissingFieldError("actor.person is required.")
    if person.startswith((POLICY, MACHINE)):
        raise BadTextError("actor.person: policies do not call.")
    return Actor(PersonId(person), clean("actor.device", device_of(message.device)))


def once_of(request: Any) -> IdempotencyKey:
    """Return the call's idempotency key with a digest over everything else in it.

    Raises:
        MissingFieldError: the key is missing.
    """
    if not request.idempotency_key:
        raise MissingFieldError("idempotency_key is required.")
    key = clean("idempotency_key", request.idempotency_key)
    copy = type(request)()
    copy.CopyFrom(request)
    copy.ClearField("idempotency_key")
    return IdempotencyKey(actor_of(request.actor).person, key, content_digest(copy))


def content_digest(message: Message) -> Digest:
    """SHA-256 over the type and the deterministic bytes of a message."""
    content = message.DESCRIPTOR.full_name.encode() + message.SerializeToString(
        deterministic=True
    )
    return Digest(hashlib.sha256(content).hexdigest())
