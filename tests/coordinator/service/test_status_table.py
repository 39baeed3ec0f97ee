"""One table for errors, one for enums: nothing is left out, nothing leaks."""

from enum import Enum

import grpc
import pytest

from coordinator import errors
from coordinator.errors import AndonError, BadTextError
from coordinator.service.server import require_loopback
from coordinator.service.status import STATUS_OF, sentence
from coordinator.service.words import (
    WIRE,
    clean,
    clean_note,
    from_wire,
    legible,
    to_wire,
)
from coordinator.terms import Outcome


def leaves(kind: type[AndonError]) -> set[type[AndonError]]:
    return {kind}.union(*(leaves(child) for child in kind.__subclasses__()))


def test_every_error_has_a_code_and_none_is_unknown():
    missing = {
        e.__name__
        for e in leaves(AndonError) - {AndonError}
        if e.__module__ == errors.__name__ and e not in STATUS_OF
    }

    assert missing == set()
    assert grpc.StatusCode.UNKNOWN not in STATUS_OF.values()
    assert grpc.StatusCode.INTERNAL not in STATUS_OF.values()


def test_every_error_has_a_token_of_its_own_kind():
    assert all(e.refusal.isupper() for e in leaves(AndonError))


@pytest.mark.parametrize(
    "text",
    ["x" * 999, "caf\u00e9 \u202e", "\x1b[31mred\x00", "two\nlines"],
)
def test_a_sentence_is_short_printable_ascii(text):
    said = sentence(AndonError(text, "TOKEN"))

    assert said.startswith("TOKEN: ")
    assert len(said) <= 200
    assert said.isascii()
    assert said.isprintable()


@pytest.mark.parametrize("kind", list(WIRE), ids=lambda kind: kind.__name__)
def test_every_term_is_on_the_wire_and_comes_back(kind: type[Enum]):
    wrapper, prefix = WIRE[kind]
    members = {m for m in kind if m is not Outcome.OPEN}

    assert {f"{prefix}_{m.name}" for m in members} | {f"{prefix}_UNSPECIFIED"} == set(
        wrapper.keys()
    )
    for member in members:
        assert from_wire(kind, to_wire(member)) is member
    assert from_wire(kind, 0) is None
    assert from_wire(kind, 999) is None
    assert to_wire(None) == 0


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\u200b", "\u2028"])
def test_control_characters_are_named_and_refused(character):
    for call in (lambda t: clean("note", t), clean_note):
        with pytest.raises(BadTextError, match=f"U\\+{ord(character):04X}"):
            call(f"a{character}b")
    assert legible(f"a{character}b") == "a?b"


def test_a_note_may_have_lines_and_a_name_may_not():
    assert clean_note("one\ntwo\tthree") == "one\ntwo\tthree"
    with pytest.raises(BadTextError):
        clean("name", "one\ntwo")


def test_texts_are_bounded_and_composed():
    assert clean("name", "e\u0301") == "\u00e9"
    assert len(legible("x" * 999)) == 200
    with pytest.raises(BadTextError, match="limit 2000"):
        clean_note("x" * 2001)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1.2.3"])
def test_loopback_is_served(host):
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "10.0.0.1", "plant.example"])  # noqa: S104
def test_everything_else_needs_tls(host):
    with pytest.raises(errors.InsecureBindError):
        require_loopback(host)
