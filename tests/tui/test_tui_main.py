"""Where no picture can be drawn, a sentence is said and nothing is started."""

from __future__ import annotations

import sys

import pytest

from tui import __main__ as program
from tui.identity import actor


class Terminal:
    """A standard stream that is, or is not, a terminal."""

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 x 24 in which a picture could be drawn.

    No fixture: pytest puts its own streams back between a fixture and its test.
    """
    monkeypatch.setattr(sys, "stdin", Terminal(tty=True))
    monkeypatch.setattr(sys, "stdout", Terminal(tty=True))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


def test_without_a_terminal_it_ends_with_a_sentence(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(tty=False))

    assert program.main([]) == 2

    assert capsys.readouterr().err == (
        "andon: error: NO_TERMINAL: standard input or output is no terminal. Run it "
        "in one, not in a pipe or a service.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TERM", "dumb", "TERM is missing or 'dumb'"),
        ("COLUMNS", "30", "not 30 and 24"),
        ("LINES", "5", "not 80 and 5"),
    ],
)
def test_a_terminal_in_which_nothing_can_be_read_is_refused(
    monkeypatch, capsys, name, value, said
) -> None:
    pretend(monkeypatch)
    monkeypatch.setenv(name, value)

    assert program.main([]) == 2

    assert said in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_said(monkeypatch, capsys, tmp_path) -> None:
    pretend(monkeypatch)
    folder = tmp_path / "file"
    folder.write_text("not a folder")

    assert program.main(["--log", str(folder / "tui.log")]) == 7

    assert "tui.log" in capsys.readouterr().err


def test_a_person_is_named_by_an_id(capsys) -> None:
    with pytest.raises(SystemExit) as refused:
        program.main(["--person", "Ana Q"])

    assert refused.value.code == 2
    assert "Ana Q" in capsys.readouterr().err


def test_whoever_gives_no_name_is_the_user_of_this_computer(monkeypatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "Ana.Quist")

    assert actor(None, "tui").person == "ana.quist"
    assert actor("ben", "tui").person == "ben"
    assert actor("ben", "tui").device.startswith("tui-")


def test_a_user_without_a_name_is_somebody_all_the_same(monkeypatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)

    assert actor(None, "tui").person == "unknown"
