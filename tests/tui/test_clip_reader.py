"""Clips become lines: every number under its channel's name, at its own time."""

import io
import random

import numpy as np
import pytest
from mcap.writer import Writer

from tests.tui.fake_clips import (
    CHANNELS,
    GRIP,
    JOINTS,
    NOTE,
    PICTURE,
    STRING,
    ClipMaker,
    make_clip,
)
from tui.clip import Clip, ClipTrace, View, make_trace
from tui.clip_reader import read_clip
from tui.errors import RefusedError


def trace(clip: Clip, name: str) -> ClipTrace:
    return next(one for one in clip.traces if one.name == name)


def test_channels_come_first_under_their_names_and_units() -> None:
    clip = read_clip(make_clip())

    channels = [(t.name, t.unit) for t in clip.traces if t.channel]
    others = [t.name for t in clip.traces if not t.channel]
    assert channels == [
        ("elbow_pos", "rad"),
        ("elbow_effort", "N*m"),
        ("force_z", "N"),
        ("temp", "K"),
    ]
    assert "joint_states velocity.elbow" in others
    assert "wrench wrench.torque.x" in others
    assert "joint_states position.elbow" not in others


def test_times_count_from_the_end_of_the_window() -> None:
    clip = read_clip(make_clip(hz=50))
    temp = trace(clip, "temp")

    assert (clip.window_s, clip.first_s, clip.last_s) == (-6.0, -10.0, 2.0)
    np.testing.assert_allclose(temp.times_s, np.arange(-10.0, 3.0), atol=1e-9)
    np.testing.assert_allclose(temp.values, 300.0 + np.arange(-10.0, 3.0))
    assert len(trace(clip, "force_z").values) == 11 * 50
    assert clip.cell_id == "press-2"
    assert clip.messages == 2 * 11 * 50 + 13 + 2 + 3


def test_what_was_said_is_marked_and_pictures_are_named() -> None:
    clip = read_clip(make_clip())

    assert [(m.at_s, m.text) for m in clip.marks] == [(-6.0, "begin"), (0.0, "end")]
    assert clip.undrawn == (("/press_2/cam", 3),)


def test_a_recording_of_somebody_else_is_read_as_it_is() -> None:
    maker = ClipMaker()
    for n in range(5):
        maker.add("/grip", GRIP, n * 0.1, closed=n > 2, fingers=[0.5, n, -n], tool=7)

    clip = read_clip(maker.bytes())

    assert [t.name for t in clip.traces] == [
        "grip closed",
        "grip fingers.0",
        "grip fingers.1",
        "grip fingers.2",
        "grip tool",
    ]
    assert not any(t.channel for t in clip.traces)
    assert trace(clip, "grip closed").values.tolist() == [0, 0, 0, 1, 1]
    assert clip.first_s == 0.0
    assert clip.last_s == pytest.approx(0.4)
    assert clip.window_s == 0.0


def test_joints_that_change_leave_the_others_as_they_were() -> None:
    maker = ClipMaker()
    arm: dict[str, list[float]] = {"velocity": [], "effort": []}
    maker.add("/js", JOINTS, 0.0, name=["a", "b"], position=[1.0, 2.0], **arm)
    maker.add("/js", JOINTS, 0.1, name=["b", "c"], position=[3.0, 4.0], **arm)
    maker.add("/js", JOINTS, 0.2, name=["a", "b"], position=[5.0], **arm)

    clip = read_clip(maker.bytes())

    def values(name: str) -> object:
        return trace(clip, f"js position.{name}").values.tolist()

    np.testing.assert_equal(values("a"), [1.0, np.nan, np.nan])
    np.testing.assert_equal(values("b"), [2.0, 3.0, np.nan])
    np.testing.assert_equal(values("c"), [np.nan, 4.0, np.nan])


def test_text_cannot_move_the_cursor() -> None:
    maker = ClipMaker()
    maker.add("/said", STRING, 0.0, data="\x1b[2Jlook at all of this, please")

    clip = read_clip(maker.bytes())

    assert clip.marks[0].text == "[2Jlook at all o"


def test_an_empty_clip_is_a_clip() -> None:
    clip = read_clip(ClipMaker().bytes(NOTE, CHANNELS))

    assert clip.traces == ()
    assert (clip.first_s, clip.last_s, clip.messages) == (-10.0, 2.0, 0)


def _foreign() -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    writer.start()
    schema = writer.register_schema(name="x", encoding="jsonschema", data=b"{}")
    channel = writer.register_channel(
        topic="/x", message_encoding="json", schema_id=schema
    )
    writer.add_message(channel, log_time=0, data=b"{}", publish_time=0)
    writer.finish()
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"not MCAP at all, but long enough to look at", id="no-mcap"),
        pytest.param(make_clip()[:4000], id="cut"),
        pytest.param(_foreign(), id="no-ros"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(content: bytes) -> None:
    with pytest.raises(RefusedError, match="cannot be read") as refused:
        read_clip(content)

    assert refused.value.token == "BAD_CLIP"  # noqa: S105


def test_a_clip_damaged_anywhere_is_read_as_it_was_or_refused() -> None:
    whole = make_clip(hz=20)
    chance = random.Random(1)  # noqa: S311 - places to damage, no secret
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        try:
            read_clip(bytes(content))
        except RefusedError:
            refused += 1

    assert refused > 20


def test_a_spike_of_one_sample_is_seen_from_afar() -> None:
    force = trace(read_clip(make_clip(hz=500)), "force_z")

    envelopes = force.envelopes(-10.0, 2.0, 40)

    assert max(pair[1] for pair in envelopes if pair) == 60.0


def test_a_gap_stays_empty_and_slow_topics_do_not() -> None:
    clip = read_clip(make_clip())
    fast = trace(clip, "force_z").envelopes(-5.5, -3.5, 20)
    slow = trace(clip, "temp").envelopes(-5.5, -3.5, 20)

    assert [place for place, pair in enumerate(fast) if pair is None] == [*range(5, 15)]
    assert None not in slow
    assert slow[10] == pytest.approx((295.55, 295.55), abs=0.01)


def test_before_the_first_and_after_the_last_sample_there_is_nothing() -> None:
    line = make_trace("x", "", [0.0, 1.0], [5.0, 6.0], channel=True)

    assert line.envelopes(-1.0, 0.0, 2) == [None, None]
    assert line.envelopes(1.5, 2.0, 2) == [None, None]
    assert line.envelopes(0.4, 0.6, 1) == [pytest.approx((5.5, 5.5))]


def test_a_view_stays_inside_the_clip() -> None:
    view = View(-10.0, 2.0, -10.0, 2.0)

    assert view.zoomed(2.0) == view
    assert view.moved(1.0) == view
    closer = view.zoomed(0.25)
    assert (closer.first_s, closer.last_s) == (-5.5, -2.5)
    assert closer.moved(-0.5).first_s == -7.0
    assert closer.moved(-9.0).first_s == -10.0
    assert closer.moved(9.0).last_s == 2.0
    assert closer.all() == view
    deepest = view
    for _ in range(60):
        deepest = deepest.zoomed(0.5)
    assert deepest.span_s == pytest.approx(0.02)


def test_a_camera_alone_is_a_clip_without_lines() -> None:
    maker = ClipMaker()
    maker.add("/cam", PICTURE, 0.0, format="jpeg", data=bytes(9))

    clip = read_clip(maker.bytes())

    assert clip.traces == ()
    assert clip.undrawn == (("/cam", 1),)
