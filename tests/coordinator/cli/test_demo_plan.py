"""A demo's folder and configuration: nothing of an earlier demo is touched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator import config
from coordinator.cli import demo_plan
from coordinator.clock import ManualClock
from coordinator.errors import NotFoundError

START = datetime(2025, 1, 1, tzinfo=UTC)


def test_each_demo_has_a_folder_of_its_own(tmp_path: Path) -> None:
    clock = ManualClock(START)

    first = demo_plan.open_folder(tmp_path, clock, keep=False)
    (first.truth / "kept").write_text("mine")
    second = demo_plan.open_folder(tmp_path, clock, keep=False)

    assert first.path != second.path
    assert (first.truth / "kept").read_text() == "mine"
    assert list(second.truth.iterdir()) == []


def test_keep_goes_on_with_the_newest_data_and_puts_its_evidence_aside(
    tmp_path: Path,
) -> None:
    clock = ManualClock(START)
    for _ in range(2):
        folder = demo_plan.open_folder(tmp_path, clock, keep=False)
        folder.config.write_text("")
        folder.data.mkdir()
        (folder.truth / "press-1.jsonl").write_text("old")
        clock.advance(timedelta(seconds=1))

    newest = max(tmp_path.iterdir())

    kept = demo_plan.open_folder(tmp_path, clock, keep=True)

    assert kept.path == newest
    assert kept.data.exists()
    assert list(kept.truth.iterdir()) == []
    assert (kept.path / "evidence-1/truth/press-1.jsonl").read_text() == "old"


def test_there_must_be_something_to_keep(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        demo_plan.open_folder(tmp_path, ManualClock(), keep=True)


def test_the_configuration_is_the_template_with_what_a_demo_needs() -> None:
    cells = demo_plan.cell_names(3)

    text = demo_plan.configuration(cells, "127.0.0.1:40000", [7, 8, 9])

    settings = config.parse(text)
    assert tuple(settings.cells) == ("press-1", "press-2", "press-3")
    assert [cell.ros.domain_id for cell in settings.cells.values()] == [7, 8, 9]
    assert settings.coordinator.listen == "127.0.0.1:40000"
    assert str(settings.coordinator.data_dir) == "data"
    assert settings.policies.autostart
    assert settings.policies.auto_promote
    plain = config.parse(config.template())
    assert settings.families == plain.families
    assert (settings.gate.mode, settings.gate.provisional_by) == ("provisional", "demo")
    assert settings.gate.threshold == plain.gate.threshold


def test_a_demo_that_is_to_prove_a_risk_has_nobodys_word() -> None:
    cells = demo_plan.cell_names(1)

    text = demo_plan.configuration(cells, "127.0.0.1:40000", [1], certified=True)

    gate, plain = config.parse(text).gate, config.parse(config.template()).gate
    assert (gate.mode, gate.provisional_by) == ("certified", "")
    assert (gate.alpha, gate.delta) == (plain.alpha, plain.delta)


def test_the_demo_serves_the_page_for_tablets_on_this_machine_alone() -> None:
    port = demo_plan.page_port()
    text = demo_plan.configuration(
        demo_plan.cell_names(1), "127.0.0.1:40000", [1], web_port=port
    )

    service = config.parse(text).service
    assert (service.web_host, service.web_port) == ("127.0.0.1", port)
    assert port > 1023


def test_the_comments_stay(tmp_path: Path) -> None:
    text = demo_plan.configuration(demo_plan.cell_names(1), "127.0.0.1:40000", [1])

    assert "# true: a cell that connects or reconnects starts without a person" in text


@given(st.integers(1, 10_000), st.integers(1, 16))
def test_every_cycle_is_given_to_one_cell(cycles: int, count: int) -> None:
    shares = demo_plan.share_out(cycles, demo_plan.cell_names(count))

    assert sum(shares.values()) == cycles
    assert max(shares.values()) - min(shares.values()) <= 1


@given(st.integers(1, 16))
def test_domains_are_distinct_and_below_the_kernels_ports(count: int) -> None:
    domains = demo_plan.free_domains(count)

    assert len(set(domains)) == count
    assert min(domains) >= 1
    assert max(domains) <= demo_plan.HIGHEST_DOMAIN
