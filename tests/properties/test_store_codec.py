"""Every event is read back as it was written, and has one text."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.errors import StoreIntegrityError
from coordinator.store.codec import (
    KINDS,
    Recorded,
    codec_of,
    decode,
    dumps,
    read_record,
    write_record,
)
from coordinator.terms import HoldReason
from coordinator.terms import events as e

TIMES = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    int: st.integers(),
    float: st.floats(),
    bool: st.booleans(),
    datetime: TIMES,
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type hint; written anew here, so that the codec has a witness."""
    if hint in LEAVES:
        return LEAVES[hint]
    if isinstance(hint, NewType):
        return values(hint.__supertype__)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(
            hint, **{one.name: values(hints[one.name]) for one in fields(hint)}
        )
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(
            *(st.none() if one is type(None) else values(one) for one in inner)
        )
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=4).map(tuple)
    assert origin is Mapping
    return st.dictionaries(st.text(max_size=6), values(inner[1]), max_size=4)


EVENTS = st.one_of(*(values(kind) for kind in KINDS.values()))


def _utc(value: Any) -> str:
    """A text in which equal moments are equal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        inside = [(one.name, _utc(getattr(value, one.name))) for one in fields(value)]
        return f"{type(value).__name__}{inside}"
    if isinstance(value, tuple):
        return f"({','.join(_utc(one) for one in value)})"
    if isinstance(value, Mapping):
        return str(sorted((key, _utc(one)) for key, one in value.items()))
    return repr(value)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_event_is_read_back_as_it_was_written(kind: type[e.Event]) -> None:
    @settings(max_examples=40)
    @given(values(kind))
    def round_trip(event: e.Event) -> None:
        text = write_record(Recorded(event))
        again = decode(kind.__name__, text)

        assert type(again) is kind
        assert _utc(again) == _utc(event)
        assert write_record(Recorded(again)) == text
        assert text.isascii()

    round_trip()


@given(EVENTS, st.lists(st.text(), min_size=3, max_size=3), st.booleans())
def test_what_was_kept_with_it_is_read_back(
    event: e.Event, kept: list[str], both: bool
) -> None:
    record = Recorded(event, tuple(kept), (*kept, "reply") if both else None)

    again = read_record(type(event).__name__, write_record(record))

    assert (again.window, again.once) == (record.window, record.once)
    assert _utc(again.event) == _utc(event)


@given(EVENTS, EVENTS)
def test_different_events_have_different_texts(one: e.Event, other: e.Event) -> None:
    same_text = write_record(Recorded(one)) == write_record(Recorded(other))

    if type(one) is type(other):  # the kind stands beside the text
        assert same_text == (_utc(one) == _utc(other))


@given(st.floats())
def test_a_number_keeps_every_bit(number: float) -> None:
    codec = codec_of(float)

    again = codec.read(codec.write(number))

    assert math.copysign(1, again) == math.copysign(1, number) or math.isnan(number)
    assert again == number or (math.isnan(again) and math.isnan(number))


def test_the_text_is_sorted_and_dense() -> None:
    text = write_record(Recorded(e.CoordinatorStopped("été")))

    assert text == '{"reason":"\\u00e9t\\u00e9"}'
    assert dumps({"b": 1, "a": [1.0, "NaN"]}) == '{"a":[1.0,"NaN"],"b":1}'


def test_a_severity_may_be_ranked_anew_but_not_renamed() -> None:
    codec = codec_of(HoldReason)

    assert codec.write(HoldReason.BAD_DATA) == "BAD_DATA"
    with pytest.raises(TypeError):
        codec.write(3)


@pytest.mark.parametrize(
    ("hint", "wrong"),
    [
        (int, True),
        (int, 1.5),
        (int, "1"),
        (float, "NaN"),
        (float, True),
        (str, 7),
        (str, b"bytes"),
        (bool, 1),
        (datetime, datetime(2026, 3, 1)),  # noqa: DTZ001 - has no zone on purpose
        (tuple[str, ...], (1,)),
        (Mapping[str, float], {1: 1.0}),
    ],
)
def test_a_value_of_another_type_is_not_written(hint: Any, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        codec_of(hint).write(wrong)


@pytest.mark.parametrize("hint", [bytes, dict, list[int], int | str, object])
def test_a_type_without_a_rule_is_refused(hint: Any) -> None:
    with pytest.raises(TypeError):
        codec_of(hint)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("CoordinatorStopped", "{}"),
        ("CoordinatorStopped", '{"reason":7}'),
        ("CoordinatorStopped", '{"reason":"x","more":1}'),
        ("CoordinatorStopped", '["reason"]'),
        ("CoordinatorStopped", "null"),
        ("CoordinatorStopped", "{"),
        ("CoordinatorStopped", "[" * 100_000),
        ("NoSuchEvent", "{}"),
        ("SessionClosed", '{"cell_id":"a","epoch":true,"reason":""}'),
        ("SessionClosed", '{"cell_id":"a","epoch":1.0,"reason":""}'),
        ("SessionClosed", '{"cell_id":"a","epoch":1,"reasons":""}'),
        ("SessionClosed", '{"cell_id":"a","epoch":"NaN","reason":""}'),
        ("LabelAdded", '{"family":"f","label":{},"actor":{"person":"ana"}}'),
    ],
)
def test_a_payload_that_is_no_such_event_is_an_integrity_error(
    kind: str, payload: str
) -> None:
    with pytest.raises(StoreIntegrityError):
        decode(kind, payload)


def test_a_field_that_was_added_later_takes_its_default() -> None:
    older = '{"example_id":"e-1","actor":{"person":"ana"}}'

    event = decode("ExampleRetracted", older)

    assert isinstance(event, e.ExampleRetracted)
    assert (event.note, event.actor.device) == ("", "")
    assert replace(event, note="n").note == "n"
