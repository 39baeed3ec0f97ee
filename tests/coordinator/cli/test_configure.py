"""`andon init` writes a file that `andon check` accepts, and refuses bad ones."""

import json
from pathlib import Path

import pytest

from coordinator import config
from coordinator.__main__ import main
from coordinator.cli.configure import require_loopback
from coordinator.errors import ConfigError, InsecureBindError


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    return tmp_path / "andon.toml"


def write(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_init_writes_what_check_accepts(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", "-c", str(plant)])

    said = capsys.readouterr().out
    assert code == 0
    assert "cell press-1" in said
    assert "collision=stop" in said


def test_init_makes_the_folder_it_is_given(tmp_path: Path) -> None:
    code = main(["init", str(tmp_path / "a" / "b")])

    assert code == 0
    assert config.load(tmp_path / "a" / "b" / "andon.toml").cells


@pytest.mark.parametrize("profile", config.profiles())
def test_init_writes_the_profile_of_a_robot(
    tmp_path: Path, profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path), "--profile", profile]) == 0

    code = main(["check", "-c", str(tmp_path / "andon.toml")])

    assert code == 0
    assert "cell press-1" in capsys.readouterr().out
    assert (tmp_path / "andon.toml").read_text() == config.template(profile)


def test_a_profile_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["init", str(tmp_path / "new"), "--profile", "../kuka"])

    assert code == 3
    assert "known: twin, franka, ur" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_check_says_loudly_that_a_cell_is_only_watched(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(plant, 'adapter = "trigger"', 'adapter = "none"')

    assert main(["check", "-c", str(plant)]) == 0
    assert "cell press-1: MONITOR ONLY" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["-3", "nan"])
def test_a_number_that_is_refused_is_named_with_its_file(
    plant: Path, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(plant, "audit_weight_cap = 5.0", f"audit_weight_cap = {value}")

    code = main(["check", "-c", str(plant)])

    said = capsys.readouterr().err
    assert code == 3
    assert f"{plant}: learning.audit_weight_cap: Input should be" in said
    assert f", not {value}." in said


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_network_that_nobody_has_is_refused_with_those_there_are(
    plant: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(plant, 'network = "auto"', 'network = "cnnn"')

    code = main([command, "-c", str(plant)])

    said = capsys.readouterr().err
    assert code == 3
    assert "learning.network: there is no network 'cnnn'; known: auto, cnn," in said


def test_init_never_overwrites(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant.write_text("# mine\n")

    code = main(["init", str(plant.parent)])

    assert code == 3
    assert capsys.readouterr().err.startswith("andon: error: CONFIG_EXISTS: ")
    assert plant.read_text() == "# mine\n"


def test_check_tells_a_program_every_setting_and_what_to_think_about(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(plant, "autostart = false", "autostart = true")
    capsys.readouterr()

    code = main(["check", "-c", str(plant), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["settings"]["policies"]["autostart"] is True
    assert any("autostart" in warning for warning in told["warnings"])
    assert len(told["digest"]) == 64


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("\nthreshold =", "\ntreshold =", "'threshold'", id="unknown-key"),
        pytest.param("= 0.90", '= "high"', "gate.threshold", id="wrong-type"),
        pytest.param("= 0.90", "= nan", "gate.threshold", id="not-a-number"),
        pytest.param("= 0.90", "= 0.2", "gate.threshold", id="out-of-range"),
        pytest.param("[gate]", "[gate", "not TOML", id="broken"),
        pytest.param('family = "peg"', 'family = "pig"', "pig", id="no-such-family"),
        pytest.param("cells.press-1", 'cells."Press 1"', "ids match", id="bad-id"),
        pytest.param("127.0.0.1:50551", "50551", "host:port", id="no-host"),
        pytest.param("127.0.0.1:50551", "::1", "host:port", id="no-port"),
        pytest.param(
            "[gate]", 'x = "!!python/object:os.system"\n[gate]', ".x'", id="foreign-tag"
        ),
    ],
)
def test_what_cannot_be_used_is_exit_3_and_one_sentence(
    plant: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    write(plant, old, new)
    capsys.readouterr()

    code = main(["check", "-c", str(plant)])

    complaint = capsys.readouterr().err
    assert code == 3
    assert complaint.startswith("andon: error: CONFIG: ")
    assert complaint.count("\n") == 1
    assert said in complaint


def test_a_missing_file_is_exit_3_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", "-c", str(tmp_path / "andon.toml")])

    assert code == 3
    assert "andon init" in capsys.readouterr().err


def test_text_that_is_not_text_is_exit_3(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.write_bytes(b"\xff\xfe\x00")

    code = main(["check", "-c", str(plant)])

    assert code == 3
    assert "UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "serve"])
def test_listening_to_other_machines_without_tls_is_exit_8(
    plant: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    write(plant, "127.0.0.1:50551", "0.0.0.0:50551")
    capsys.readouterr()

    code = main([command, "-c", str(plant)])

    assert code == 8
    assert capsys.readouterr().err.startswith("andon: error: INSECURE_BIND: ")


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "[::1]:65535", "localhost:0"])
def test_loopback_is_served(listen: str) -> None:
    require_loopback(listen)


@pytest.mark.parametrize(
    ("listen", "refusal"),
    [
        ("0.0.0.0:1", InsecureBindError),
        ("[::]:1", InsecureBindError),
        ("192.168.1.2:1", InsecureBindError),
        ("plant.example:1", InsecureBindError),
        ("127.0.0.1:65536", ConfigError),
        ("127.0.0.1:-1", ConfigError),
        (":1", ConfigError),
        ("", ConfigError),
    ],
)
def test_everything_else_is_refused(listen: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        require_loopback(listen)
