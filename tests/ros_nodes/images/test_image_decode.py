"""Images become pixels, or are refused; nothing is guessed."""

import importlib.util
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.config import ConfigRefusedError
from ros_nodes.images import decode
from ros_nodes.images.decode import ImageError, decoder
from tests.ros_nodes.images.image_messages import write_compressed, write_image

RAW, PACKED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


@pytest.mark.parametrize(
    ("encoding", "kind", "shape"),
    [
        ("mono8", "u1", (2, 3)),
        ("bayer_rggb8", "u1", (2, 3)),
        ("rgb8", "u1", (2, 3, 3)),
        ("bgra8", "u1", (2, 3, 4)),
        ("mono16", "<u2", (2, 3)),
        ("16SC1", "<i2", (2, 3)),
        ("32FC1", "<f4", (2, 3)),
    ],
)
@pytest.mark.parametrize("padding", [0, 5])
def test_pixels_are_seen_where_they_lie(encoding, kind, shape, padding) -> None:
    pixels = np.arange(np.prod(shape)).astype(kind).reshape(shape)
    rows = [row.tobytes() + b"\xee" * padding for row in pixels]
    message = write_image(5, shape[:2], encoding, b"".join(rows), step=len(rows[0]))

    stamp_ns, found = decoder(RAW)(message)

    np.testing.assert_array_equal(found, pixels)
    assert stamp_ns == 5
    assert not found.flags.writeable


def test_big_endian_values_are_read_as_such() -> None:
    message = write_image(
        5, (1, 2), "mono16", b"\x01\x00\x00\x02", step=4, big_endian=True
    )

    assert decoder(RAW)(message)[1].tolist() == [[256, 2]]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(write_image(1, (2, 2), "yuv422", bytes(8), step=4), id="encoding"),
        pytest.param(write_image(1, (2, 4), "rgb8", bytes(24), step=11), id="step"),
        pytest.param(write_image(1, (3, 4), "mono8", bytes(8), step=4), id="rows"),
        pytest.param(write_image(1, (0, 0), "mono8", b"", step=0), id="empty"),
        pytest.param(write_image(1, (2, 2), "mono8", bytes(4), step=2)[:-1], id="cut"),
        pytest.param(b"\x00\x00nonsense", id="noise"),
    ],
)
def test_what_is_no_image_is_refused(message) -> None:
    with pytest.raises(ImageError):
        decoder(RAW)(message)


def packed(pixels: np.ndarray, form: str) -> bytes:
    image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
def test_compressed_images_are_unpacked(shape) -> None:
    pixels = np.full(shape, 80, dtype=np.uint8)
    pixels[:4] = 160

    for form, tolerance in (("PNG", 0), ("JPEG", 8)):
        stamp_ns, found = decoder(PACKED)(write_compressed(7, packed(pixels, form)))

        assert stamp_ns == 7
        assert found.shape == shape
        assert np.abs(found.astype(int) - pixels).max() <= tolerance
        assert not found.flags.writeable


@given(st.integers(1, 200), st.binary(max_size=40))
def test_a_broken_file_is_refused(size, noise) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 20)).astype(np.uint8)
    file = packed(pixels, "PNG")
    for data in (file[:size], noise, file[:8] + noise):
        with pytest.raises(ImageError):
            decoder(PACKED)(write_compressed(7, data))


def test_other_files_than_jpeg_and_png_are_refused() -> None:
    file = packed(np.zeros((4, 4), dtype=np.uint8), "BMP")

    with pytest.raises(ImageError):
        decoder(PACKED)(write_compressed(7, file))


def test_an_image_that_claims_to_be_huge_is_not_unpacked(monkeypatch) -> None:
    monkeypatch.setattr(decode, "MOST_PIXELS", 15)
    file = packed(np.zeros((4, 4), dtype=np.uint8), "PNG")

    with pytest.raises(ImageError, match="4 x 4"):
        decoder(PACKED)(write_compressed(7, file))


def test_without_pillow_compressed_images_are_refused_before_they_come(
    monkeypatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert callable(decoder(RAW))
    with pytest.raises(ConfigRefusedError, match="Pillow"):
        decoder(PACKED)
