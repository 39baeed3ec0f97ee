"""The command line's way to a running coordinator, and its refusals as errors.

The server sends a status code, one sentence and a google.rpc.ErrorInfo with a stable
token. Here they become the same errors that the coordinator raised, so that an exit
code means the same whether a command works on files or over the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Final, Protocol, TypeVar, cast

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from andon.v1 import operator_pb2
from coordinator import errors
from coordinator.cli.options import this_device, this_person
from coordinator.cli.token import TOKEN_FILE, Authorized, own_token
from coordinator.errors import AndonError
from coordinator.terms import new_id

HOW_TO_LOG_IN: Final = (
    "Log in with `andon user login NAME --token-file FILE`, and name the file in "
    f"{TOKEN_FILE}."
)
DEADLINE_S: Final = 10.0
"""Time for one call, s; a call that changes something may then still have happened."""

_OF_THE_STORE: Final = (errors.AlreadyDoneError, errors.StoreLateError)
"""Kinds that know more than a sentence: made where the store is, never of one."""

# A silent partition is noticed within seconds; gRPC's own default is never.
_CHANNEL_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),  # nothing leaves the building by an environment
)

_KIND_OF_CODE: Final[dict[grpc.StatusCode, type[AndonError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InputError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InputError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.ConflictError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.ConflictError,
    grpc.StatusCode.ABORTED: errors.ConflictError,
    grpc.StatusCode.PERMISSION_DENIED: errors.RoleError,
    grpc.StatusCode.UNAUTHENTICATED: errors.RoleError,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotServedError,
    grpc.StatusCode.UNAVAILABLE: errors.UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.UnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.OverloadedError,
    grpc.StatusCode.DATA_LOSS: errors.StoreIntegrityError,
}

Request = TypeVar("Request", contravariant=True)
Reply = TypeVar("Reply", covariant=True)


class UnaryCall(Protocol[Request, Reply]):
    """A method of a stub that answers once."""

    def __call__(self, request: Request, timeout: float | None = None) -> Reply:
        """Call it and wait, at most timeout seconds."""


def ask(
    method: UnaryCall[Request, Reply],
    request: Request,
    *,
    timeout_s: float = DEADLINE_S,
) -> Reply:
    """Call a method with a deadline; no call of the command line waits for ever."""
    return method(request, timeout=timeout_s)


class Changes(Protocol[Reply]):
    """What a method of a stub that answers many times returns."""

    def __iter__(self) -> Iterator[Reply]:
        """Every answer, as it comes."""

    def cancel(self) -> object:
        """Ask for no more."""


def watch(changes: Changes[Reply], *, first_within_s: float) -> Iterator[Reply]:
    """Every change, without waiting for ever for one that never comes.

    Args:
        changes: Of the stub.
        first_within_s: Longest wait for the first, s.

    Raises:
        UnavailableError: the first did not come in time.
    """
    patience = Timer(first_within_s, changes.cancel)
    patience.start()
    try:
        for change in changes:
            patience.cancel()
            yield change
    except grpc.RpcError as error:
        if cast(grpc.Call, error).code() is not grpc.StatusCode.CANCELLED:
            raise
        raise errors.UnavailableError(
            f"nothing happened within {first_within_s:g} s.", "NOTHING_HAPPENED"
        ) from error
    finally:
        patience.cancel()


@contextmanager
def connect(server: str, *, authorization: str = "") -> Iterator[grpc.Channel]:
    """A channel to a coordinator; whatever fails inside comes out as AndonError.

    Args:
        server: host:port. Without TLS, so loopback or a tunnel.
        authorization: Who calls; "" for the token of the environment, if there is one.

    Raises:
        UnavailableError: nobody answers there.
        AndonError: what the coordinator refused, as the error it raised.
    """
    token = own_token()
    said = authorization or (f"Bearer {token}" if token else "")
    with grpc.insecure_channel(server, options=_CHANNEL_OPTIONS) as channel:
        try:
            yield grpc.intercept_channel(channel, Authorized(said)) if said else channel
        except grpc.RpcError as error:
            raise refusal_of(error, server) from error


def refusal_of(error: grpc.RpcError, server: str) -> AndonError:
    """The error that the coordinator raised, or why it could not be asked.

    Args:
        error: What a call of a stub raised.
        server: host:port, for the sentence when nobody answers.
    """
    call = cast(grpc.Call, error)
    code, details = call.code(), call.details() or ""
    token = _token(call)
    text = details.removeprefix(f"{token}: ") if token else details
    if token:
        if token == errors.LoginRequiredError.refusal:
            text = f"{text} {HOW_TO_LOG_IN}"
        kind = _leaf_of_token().get(token) or _KIND_OF_CODE.get(code, AndonError)
        return kind(text, token)
    if code is grpc.StatusCode.UNAVAILABLE:
        return errors.UnavailableError(
            f"no coordinator answers at {server}. Start one with `andon serve`, or "
            "name another with --server."
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.UnavailableError(
            f"the coordinator at {server} did not answer in time; what was asked may "
            "still have been done.",
            "DEADLINE_EXCEEDED",
        )
    kind = _KIND_OF_CODE.get(code, AndonError)
    return kind(text or "the call failed.", code.name)


def _token(call: grpc.Call) -> str:
    """The reason in the trailers' ErrorInfo; "" when there is none."""
    try:
        status = rpc_status.from_call(call)
    except ValueError:  # trailers that contradict the status: not ours
        return ""
    if status is None:
        return ""
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info):
            return str(info.reason)
    return ""


def _leaf_of_token() -> dict[str, Callable[[str, str], AndonError]]:
    """The kinds of error that have no kinds below them, by their token."""
    leaves: dict[str, Callable[[str, str], AndonError]] = {}
    waiting: list[type[AndonError]] = [AndonError]
    while waiting:
        kind = waiting.pop()
        below = [one for one in kind.__subclasses__() if one not in _OF_THE_STORE]
        waiting += below
        if not below:
            leaves[kind.refusal] = kind
    leaves[errors.StoreLateError.refusal] = errors.StoreDegradedError
    return leaves


def actor() -> operator_pb2.Actor:
    """Who calls: whoever is logged in, else the user of the operating system."""
    if own_token():
        return operator_pb2.Actor()
    return operator_pb2.Actor(person=this_person(), device=this_device())


def new_key() -> str:
    """An idempotency key for one try."""
    return new_id("cli")


def is_serving(server: str, *, timeout_s: float = 1.0) -> bool:
    """Whether a coordinator there says of itself that it serves."""
    request = health_pb2.HealthCheckRequest()
    with grpc.insecure_channel(server, options=_CHANNEL_OPTIONS) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(
                request, timeout=timeout_s
            )
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
