"""Every refusal has an exit code, and is one line."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator import errors
from coordinator.__main__ import main
from coordinator.cli.exits import EXIT_OF, Exit, complaint, exit_code
from coordinator.errors import AndonError


def leaves(kind: type[AndonError] = AndonError) -> list[type[AndonError]]:
    below = kind.__subclasses__()
    return [leaf for one in below for leaf in leaves(one)] if below else [kind]


def test_every_kind_of_error_has_a_line_in_the_table() -> None:
    assert [leaf.__name__ for leaf in leaves() if leaf not in EXIT_OF] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 3),
        (errors.StoreLockedError("x"), 4),
        (errors.StoreIntegrityError("x"), 5),
        (errors.ArtifactError("x"), 6),
        (errors.StoreDegradedError("x"), 7),
        (errors.InsecureBindError("x"), 8),
        (errors.UnavailableError("x"), 9),
        (errors.SchemaVersionError("x"), 10),
        (errors.PromotionRefusedError("x"), 1),
        (errors.DatasetError("x"), 2),
        (errors.AlreadyDoneError("x"), 1),
    ],
)
def test_the_codes_are_the_promised_ones(error: AndonError, code: int) -> None:
    assert exit_code(error) == code


def test_a_new_kind_takes_the_code_of_the_kind_above_it() -> None:
    newer = type("NewerError", (errors.ArtifactError,), {})

    assert exit_code(newer("x")) is Exit.ARTIFACT


@given(st.text())
def test_a_complaint_is_one_line_that_cannot_move_the_cursor(text: str) -> None:
    line = complaint("TOKEN", text)

    assert line.startswith("andon: error: TOKEN: ")
    assert line.isprintable()


def test_a_complaint_does_not_say_its_token_twice() -> None:
    assert complaint("STALE", "STALE: 5 s") == "andon: error: STALE: 5 s"


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["check", "--no-such-option"], ["model"], ["model", "list"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_and_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)

    assert code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_command_andon_says_what_it_can(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main([])

    said = capsys.readouterr().out
    assert code == 0
    assert all(name in said for name in ("demo", "serve", "model", "journal", "doctor"))


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--version"])

    assert code == 0
    assert capsys.readouterr().out.startswith("andon ")


def test_a_disk_that_says_no_is_exit_7(
    capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    (tmp_path / "file").write_text("in the way")

    code = main(["init", str(tmp_path / "file" / "folder")])

    assert code == 7
    assert capsys.readouterr().err.startswith("andon: error: DISK: Not a directory")


def test_help_loads_nothing_that_takes_time() -> None:
    heavy = ("torch", "numpy", "grpc", "pydantic", "rich", "sqlite_utils", "textual")
    program = (
        "import sys; from coordinator.__main__ import main; main(['--help']);"
        f"print(*[n for n in {heavy!r} if n in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert done.stderr.strip() == ""
