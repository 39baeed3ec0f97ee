"""`andon check` says before a busy moment does that a socket is too small."""

from pathlib import Path

import pytest

from coordinator import config
from coordinator.cli.buffers import about_buffers
from coordinator.cli.configure import warnings_about


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    (tmp_path / "rmem_default").write_text("212992\n", encoding="ascii")
    return tmp_path


def settings(tmp_path: Path, profile: str = "ur") -> config.Settings:
    path = tmp_path / "andon.toml"
    path.write_text(config.template(profile), encoding="utf-8")
    return config.load(path)


def test_a_robot_at_500_hz_wants_more_than_linux_gives(
    tmp_path: Path, kernel: Path
) -> None:
    [said] = about_buffers(settings(tmp_path), kernel)

    assert "cell press-1 hears 1,000 messages a second" in said
    assert "net.core.rmem_default = 212992 holds 0.17 s of them" in said
    assert "sysctl -w net.core.rmem_default=4194304 net.core.rmem_max=4194304" in said


def test_enough_is_passed_over_in_silence(tmp_path: Path, kernel: Path) -> None:
    (kernel / "rmem_default").write_text("4194304\n", encoding="ascii")

    assert list(about_buffers(settings(tmp_path), kernel)) == []


def test_where_the_kernel_does_not_say_nothing_is_said(tmp_path: Path) -> None:
    assert list(about_buffers(settings(tmp_path), tmp_path / "nowhere")) == []


def test_topics_without_a_rate_ask_for_nothing(tmp_path: Path, kernel: Path) -> None:
    silent = settings(tmp_path)
    path = tmp_path / "andon.toml"
    text = path.read_text(encoding="utf-8").replace("rate_hz = 500.0", "rate_hz = 0.0")
    path.write_text(text, encoding="utf-8")

    assert list(about_buffers(silent, kernel)) != []
    assert list(about_buffers(config.load(path), kernel)) == []


def test_check_says_it_with_its_other_notes(
    tmp_path: Path, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.cli.buffers.CORE", kernel)

    assert any("rmem_default" in x for x in warnings_about(settings(tmp_path)))
