"""The commands against a coordinator that really serves."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.__main__ import main

pytestmark = pytest.mark.slow

LONGEST_S = 60.0
"""More than a cold import of torch takes, s."""


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def serve(config: Path) -> subprocess.Popen[str]:
    """Start a coordinator; it has said that it serves, or ended, when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-m", "coordinator", "serve", "-c", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and complaint of a coordinator, told to end if it has not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=LONGEST_S)
    return process.returncode, complaint


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plant")
    assert main(["init", str(folder)]) == 0
    path = folder / "andon.toml"
    text = path.read_text().replace("127.0.0.1:50551", free_address())
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def serving(config: Path) -> Iterator[Path]:
    process = serve(config)
    yield config
    code, complaint = end(process)
    assert (code, complaint) == (0, "")


@pytest.fixture
def run(
    serving: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Run a command where the configuration is; gives exit code, output, complaint."""
    monkeypatch.chdir(serving.parent)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_second_coordinator_on_the_same_folder_is_exit_4(serving: Path) -> None:
    code, complaint = end(serve(serving))

    assert code == 4
    assert complaint.startswith("andon: error: STORE_LOCKED: a coordinator (pid ")
    assert complaint.count("\n") == 1


def test_a_second_coordinator_on_the_same_port_is_exit_9(
    serving: Path, tmp_path: Path
) -> None:
    (tmp_path / "andon.toml").write_text(serving.read_text())

    code, complaint = end(serve(tmp_path / "andon.toml"))

    assert code == 9
    assert complaint.count("\n") == 1


def test_the_data_folder_is_for_its_owner_alone(serving: Path) -> None:
    mode = (serving.parent / "andon-data").stat().st_mode

    assert mode & 0o077 == 0


def test_the_doctor_sees_that_it_serves(run) -> None:
    code, out, _ = run("doctor", "--json")

    found = {one["check"]: one for one in json.loads(out)["findings"]}
    assert code == 0
    assert "serves" in found["port"]["text"]


def test_before_the_first_training_there_are_no_models(run) -> None:
    code, out, _ = run("model", "list", "--family", "peg", "--json")

    assert code == 0
    assert json.loads(out) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("model", "show", "abababab"),
        ("model", "promote", "abababab"),
        ("model", "list", "--family", "pig"),
        ("train", "--family", "pig"),
        ("label", "add", "burr", "--family", "pig", "--action", "stop"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_exit_1_and_one_sentence(
    run, arguments: tuple[str, ...]
) -> None:
    code, _, complaint = run(*arguments)

    assert code == 1
    assert complaint.startswith("andon: error: ")
    assert complaint.count("\n") == 1


def test_a_training_without_examples_is_refused_in_one_sentence(run) -> None:
    code, _, complaint = run("train", "--family", "peg", "--json")

    assert code == 1
    assert complaint.count("\n") == 1


def test_a_label_that_is_added_is_known_and_on_the_record(run) -> None:
    code, out, _ = run("label", "add", "burr", "--family", "peg", "--action", "rework")

    assert code == 0
    assert "burr" in out


def test_a_bad_label_is_exit_2(run) -> None:
    code, _, complaint = run(
        "label", "add", "Not an id", "--family", "peg", "--action", "rework"
    )

    assert code == 2
    assert complaint.startswith("andon: error: BAD_LABEL: ")


def test_the_journal_verifies_while_it_is_written(run) -> None:
    code, out, _ = run("journal", "verify")

    assert code == 0
    assert "verifies" in out


def test_after_a_kill_it_serves_again_and_the_journal_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path)]) == 0
    path = tmp_path / "andon.toml"
    path.write_text(path.read_text().replace("127.0.0.1:50551", free_address()))
    first = serve(path)
    first.kill()
    first.communicate(timeout=LONGEST_S)

    code, complaint = end(serve(path))
    capsys.readouterr()
    verified = main(["journal", "verify", "-c", str(path), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (code, complaint) == (0, "")
    assert verified == 0
    assert told["entries"] >= 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"this is no database", 5, id="not-sqlite"),
        pytest.param(b"", 5, id="empty"),
    ],
)
def test_a_store_that_is_none_is_refused_and_left_alone(
    tmp_path: Path, content: bytes, code: int
) -> None:
    assert main(["init", str(tmp_path)]) == 0
    data = tmp_path / "andon-data"
    data.mkdir(mode=0o700)
    (data / "store.db").write_bytes(content)

    ended, complaint = end(serve(tmp_path / "andon.toml"))

    assert ended == code
    assert complaint.count("\n") == 1
    assert (data / "store.db").read_bytes() == content
