"""The token of a login, for commands that change something once accounts exist."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import grpc

from coordinator.errors import LoginRequiredError

TOKEN: Final = "ANDON_TOKEN"  # noqa: S105 - the name of a variable, no secret
TOKEN_FILE: Final = "ANDON_TOKEN_FILE"  # noqa: S105 - likewise


def own_token() -> str:
    """Return the token of the environment, or of the file it names; "" without one.

    Raises:
        LoginRequiredError: the file cannot be read.
    """
    token = os.environ.get(TOKEN, "").strip()
    file = os.environ.get(TOKEN_FILE, "").strip()
    if token or not file:
        return token
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LoginRequiredError(
            f"{TOKEN_FILE} names a file that cannot be read. Log in with "
            "`andon user login`."
        ) from error


def keep_token(path: Path, token: str) -> None:
    """Write a token for its owner's eyes alone; raises OSError."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")


class _Details(NamedTuple):
    """What gRPC asks an interceptor to hand on."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class Authorized(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
):
    """Says on every call who calls."""

    def __init__(self, authorization: str) -> None:
        self._header = ("authorization", authorization)

    def _with(self, details: Any) -> Any:
        return _Details(
            details.method,
            details.timeout,
            [*(details.metadata or ()), self._header],
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        """See grpc."""
        return continuation(self._with(client_call_details), request)

    def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        """See grpc."""
        return continuation(self._with(client_call_details), request)
