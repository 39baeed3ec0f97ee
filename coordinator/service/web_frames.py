"""gRPC-Web on the wire: one byte of flags, four of length, then a message or trailers.

Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from coordinator.errors import InputError

HEAD: Final = 5
TRAILERS: Final = 0x80
_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])")
_SECONDS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def frame(content: bytes, flags: int = 0) -> bytes:
    """Return a message, or trailers, as they travel."""
    return bytes([flags]) + len(content).to_bytes(4, "big") + content


def message_in(body: bytes) -> bytes:
    """Return the one message of a request.

    Raises:
        InputError: it is not exactly one whole, uncompressed frame.
    """
    if len(body) < HEAD:
        raise InputError(f"a frame has at least {HEAD} bytes.", "BAD_FRAME")
    length = int.from_bytes(body[1:HEAD], "big")
    if body[0] != 0:
        raise InputError("a request is one frame, not compressed.", "BAD_FRAME")
    if length != len(body) - HEAD:
        raise InputError(
            f"the frame says {length} bytes and brings {len(body) - HEAD}.", "BAD_FRAME"
        )
    return body[HEAD:]


def timeout_s(header: str) -> float | None:
    """Return the seconds of a grpc-timeout header; None when there is none.

    Raises:
        InputError: it is none of gRPC's.
    """
    if not header:
        return None
    match = _TIMEOUT.fullmatch(header)
    if match is None:
        raise InputError("grpc-timeout is digits and a unit.", "BAD_TIMEOUT")
    return int(match[1]) * _SECONDS[match[2]]


def trailers(code: int, text: str = "", details: bytes = b"") -> bytes:
    """Return the last frame of a reply.

    Args:
        code: Number of the gRPC status.
        text: Its sentence.
        details: A google.rpc.Status, serialised; empty for none.
    """
    lines = [f"grpc-status: {code}"]
    if text:
        lines.append(f"grpc-message: {quote(text, safe=' !#$&()*+,/:;=?@[]~')}")
    if details:
        coded = base64.b64encode(details).decode("ascii").rstrip("=")
        lines.append(f"grpc-status-details-bin: {coded}")
    return frame("".join(f"{line}\r\n" for line in lines).encode("ascii"), TRAILERS)


def refusal(code: int, token: str, text: str) -> bytes:
    """Return the trailers of a call that never reached the gRPC server."""
    sentence = f"{token}: {text}"
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=token, domain="andon"))
    status = status_pb2.Status(code=code, message=sentence, details=[detail])
    return trailers(code, sentence, status.SerializeToString())
