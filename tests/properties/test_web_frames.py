"""Whatever bytes a browser sends, a frame is whole or it is refused."""

import pytest
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from coordinator.errors import InputError
from coordinator.service import web_frames


@given(st.binary(max_size=300))
def test_what_is_framed_is_found_again(content: bytes) -> None:
    assert web_frames.message_in(web_frames.frame(content)) == content


@given(st.binary(max_size=64))
def test_any_bytes_are_one_whole_frame_or_refused(body: bytes) -> None:
    try:
        message = web_frames.message_in(body)
    except InputError:
        return

    assert web_frames.frame(message) == body


@given(st.text(max_size=12))
def test_any_timeout_is_a_time_or_refused(header: str) -> None:
    try:
        seconds = web_frames.timeout_s(header)
    except InputError:
        return

    assert seconds is None or 0.0 <= seconds < 1e12


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("10S", 10.0), ("2M", 120.0), ("1H", 3600.0), ("500m", 0.5), ("7u", 7e-6)],
)
def test_a_timeout_means_what_grpc_says(header: str, seconds: float) -> None:
    assert web_frames.timeout_s(header) == pytest.approx(seconds)


@given(st.integers(0, 16), st.text(max_size=200), st.binary(max_size=200).filter(len))
def test_trailers_are_lines_of_ascii_whatever_is_said(
    code: int, text: str, details: bytes
) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = ""  # no text of gRPC holds half a letter
    frame = web_frames.trailers(code, text, details)

    lines = frame[5:].decode("ascii").split("\r\n")
    assert frame[0] == web_frames.TRAILERS
    assert int.from_bytes(frame[1:5], "big") == len(frame) - 5
    assert lines[0] == f"grpc-status: {code}"
    assert len(lines) == 3 + bool(text)
    assert all(line.isprintable() for line in lines)


def test_a_refusal_reads_like_one_of_the_servers() -> None:
    frame = web_frames.refusal(3, "BAD_FRAME", "a request is one frame.")

    assert b"grpc-message: BAD_FRAME: a request is one frame." in frame
    assert b"grpc-status-details-bin: " in frame
    assert status_pb2.Status is not None
