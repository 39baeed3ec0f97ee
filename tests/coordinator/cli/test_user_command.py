"""`andon user`, with the coordinator stopped and running, and commands that log in."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.__main__ import main
from coordinator.people.machine import KEY
from coordinator.store.pin_file import PINS
from coordinator.store.verify import verify

PIN = "314159"


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    config = tmp_path / "andon.toml"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config.write_text(config.read_text().replace("127.0.0.1:50551", address))
    (tmp_path / "pin").write_text(f"{PIN}\n")
    return config


def user(plant: Path, *words: str) -> int:
    return main(["user", *words, "-c", str(plant)])


def add(plant: Path, name: str, *words: str) -> int:
    return user(plant, "add", name, "--pin-file", str(plant.parent / "pin"), *words)


def listed(plant: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert user(plant, "list", "--json") == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_look_at_a_folder_without_a_store_makes_none(plant, capsys):
    before = sorted(plant.parent.rglob("*"))

    code = user(plant, "list")

    said = capsys.readouterr().err
    assert code == 1
    assert f"NO_STORE: there is no store in {plant.parent}" in said
    assert "--config" in said
    assert sorted(plant.parent.rglob("*")) == before


def test_accounts_are_made_and_changed_in_a_plant_at_rest(plant, capsys):
    assert add(plant, "eva", "--role", "admin", "--name", "Eva Lang") == 0
    assert add(plant, "ana", "--team", "late") == 0
    assert user(plant, "role", "ana", "supervisor") == 0
    assert user(plant, "lock", "ana") == 0

    eva, ana = listed(plant, capsys)

    assert (eva["person"], eva["shown"], eva["role"]) == ("eva", "Eva Lang", "admin")
    assert (ana["role"], ana["team"], ana["locked"]) == ("supervisor", "late", True)
    assert user(plant, "unlock", "ana") == 0
    assert user(plant, "team", "ana", "early") == 0
    assert listed(plant, capsys)[1]["team"] == "early"
    assert verify(plant.parent / "andon-data").ok


@pytest.mark.parametrize(
    ("words", "code", "token"),
    [
        (("add", "Eva Lang"), 2, "BAD_ID"),
        (("add", "eva", "--role", "boss"), 2, "UNKNOWN_ROLE"),
        (("lock", "nobody"), 1, "UNKNOWN_PERSON"),
        (("role", "nobody", "admin"), 1, "UNKNOWN_PERSON"),
    ],
)
def test_what_is_refused_says_why(plant, capsys, words, code, token):
    pin = ("--pin-file", str(plant.parent / "pin")) if words[0] == "add" else ()

    assert user(plant, *words, *pin) == code
    assert f"andon: error: {token}" in capsys.readouterr().err


def test_a_pin_comes_from_standard_input_and_is_not_shown(plant, capsys, monkeypatch):
    read, write = os.pipe()
    os.write(write, b"271828\n")
    os.close(write)
    with os.fdopen(read) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert user(plant, "add", "ana", "--pin-file", "-") == 0

    said = capsys.readouterr()
    data = plant.parent / "andon-data"
    assert "271828" not in said.out + said.err
    assert all(b"271828" not in file.read_bytes() for file in data.iterdir())
    assert (data / PINS).stat().st_mode & 0o777 == 0o600


def test_a_bad_pin_makes_no_account(plant, capsys):
    (plant.parent / "pin").write_text("123456")

    assert add(plant, "ana") == 2
    assert "BAD_PIN" in capsys.readouterr().err
    assert listed(plant, capsys) == []


def test_a_token_file_that_is_not_there_says_how_to_log_in(plant, capsys, monkeypatch):
    monkeypatch.setenv("ANDON_TOKEN_FILE", str(plant.parent / "none"))

    code = main(["gate", "close", "--family", "peg", "--server", "127.0.0.1:1"])

    assert code == 8
    assert "andon user login" in capsys.readouterr().err


@pytest.mark.slow
def test_a_running_coordinator_knows_its_owner_and_commands_log_in(
    plant, capsys, monkeypatch
):
    token = plant.parent / "token"
    close = ["gate", "close", "--family", "peg", "-c", str(plant)][:4]
    server = [
        line.partition('"')[2].partition('"')[0]
        for line in plant.read_text().splitlines()
        if line.startswith("listen")
    ]
    close += ["--server", *server]
    process = subprocess.Popen(
        [sys.executable, "-m", "coordinator", "serve", "-c", str(plant)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        unverified = main(close)
        assert add(plant, "eva", "--role", "engineer") == 0
        without = main(close)
        pin = ("--pin-file", str(plant.parent / "pin"))
        assert user(plant, "login", "eva", "--token-file", str(token), *pin) == 0
        monkeypatch.setenv("ANDON_TOKEN_FILE", str(token))
        logged_in = main(close)
        assert user(plant, "lock", "eva") == 0
        locked = main(close)
        (plant.parent / "andon-data" / KEY).unlink()
        stranger = user(plant, "unlock", "eva")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert (unverified, without, logged_in, locked) == (0, 8, 0, 8)
    assert stranger == 8
    assert token.stat().st_mode & 0o777 == 0o600
    assert not (plant.parent / "andon-data" / KEY).exists()
    assert verify(plant.parent / "andon-data").ok
