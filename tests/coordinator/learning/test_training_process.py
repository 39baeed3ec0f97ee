"""A training in a child process: it hands back a whole model, or nothing at all."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from coordinator.errors import TrainingError
from coordinator.learning.training import process
from coordinator.learning.training.handover import (
    Orders,
    read_line,
    read_orders,
    write_orders,
)
from coordinator.learning.training.process import ChildProcessTrainer, sweep
from coordinator.model.loaded import LoadedModel
from tests.coordinator.model_builders import make_snapshot


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the child be another program."""
    (tmp_path / "stand_in.py").write_text(text)
    monkeypatch.setattr(process, "PROGRAM", "stand_in")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.slow
async def test_a_child_trains_and_its_model_is_moved_in(tmp_path: Path) -> None:
    models = tmp_path / "models"
    told: list[tuple[str, float]] = []
    trainer = ChildProcessTrainer(models, network="features-linear")

    found = await trainer.train(
        make_snapshot(),
        serving=None,
        seed=3,
        progress=lambda phase, share, left_s, text: told.append((phase, share)),
    )

    model = LoadedModel.load(found.path, version=1, expected=found.digest)
    assert found.path == models / found.digest
    assert found.report.passed
    assert model.manifest.seed == 3
    assert {phase for phase, _ in told} == {"training", "validating"}
    assert [entry.name for entry in models.iterdir()] == [found.digest]

    again = await trainer.train(
        make_snapshot(61), serving=found.path, seed=3, progress=lambda *_: None
    )

    assert again.digest != found.digest
    assert "serving.accuracy" in again.report.metrics


@pytest.mark.slow
async def test_a_network_that_does_not_exist_fails_in_a_sentence(
    tmp_path: Path,
) -> None:
    trainer = ChildProcessTrainer(tmp_path / "models", network="transformer")

    with pytest.raises(TrainingError, match="no network 'transformer'"):
        await trainer.train(
            make_snapshot(), serving=None, seed=0, progress=lambda *_: None
        )

    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("import os; os.kill(os.getpid(), 9)", "exit -9", id="killed"),
        pytest.param("raise SystemExit(3)", "exit 3", id="ended"),
        pytest.param("print('hello')", "makes no sense", id="talks-nonsense"),
        pytest.param("print('x' * 10**6)", "too much", id="floods"),
        pytest.param(
            'print(\'{"failure": "out of memory"}\')', "out of memory", id="says-why"
        ),
        pytest.param(
            "print('" + json.dumps({"candidate": {
                "digest": "ab" * 32, "passed": True, "reasons": ["fine"],
                "metrics": {}, "examples": 1, "training_s": 1.0, "network": "cnn",
            }}) + "')",
            "refused",
            id="claims-a-model-that-is-not-there",
        ),
        pytest.param(
            "import time; time.sleep(600)", "longer than 0.5 s", id="never-ends"
        ),
    ],
)  # fmt: skip
async def test_a_child_that_goes_wrong_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wanted: str
) -> None:
    script(tmp_path, monkeypatch, text)
    limit_s = 0.5 if "sleep" in text else 30.0
    trainer = ChildProcessTrainer(tmp_path / "models", limit_s=limit_s)

    with pytest.raises(TrainingError, match=wanted):
        await trainer.train(
            make_snapshot(), serving=None, seed=0, progress=lambda *_: None
        )

    assert list((tmp_path / "models").iterdir()) == []


async def test_cancelling_kills_the_child_and_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(
        tmp_path,
        monkeypatch,
        "import json, subprocess, sys, time\n"
        "sleeper = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(sleeper)\n"
        "said = {'phase': 'x', 'share': 0, 'left_s': 1, 'text': str(child.pid)}\n"
        "print(json.dumps({'progress': said}), flush=True)\n"
        "time.sleep(600)\n",
    )
    grandchild: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    trainer = ChildProcessTrainer(tmp_path / "models")
    running = asyncio.create_task(
        trainer.train(
            make_snapshot(),
            serving=None,
            seed=0,
            progress=lambda phase, share, left_s, text: grandchild.set_result(
                int(text)
            ),
        )
    )
    pid = await asyncio.wait_for(grandchild, 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert list((tmp_path / "models").iterdir()) == []
    async with asyncio.timeout(10):
        while _is_running(pid):  # noqa: ASYNC110 - the kernel sends no event
            await asyncio.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_what_a_child_is_told_arrives_as_it_was(tmp_path: Path) -> None:
    snapshot = make_snapshot(12)
    orders = Orders(os.getpid(), "auto", 2, 0.95, 7, "abc", tmp_path)

    write_orders(tmp_path, snapshot, orders)
    received, told = read_orders(tmp_path)

    assert told == orders
    assert received.groups == snapshot.groups
    assert received.tolerated == snapshot.tolerated
    assert (received.samples == snapshot.samples).all()
    assert received.present.dtype == snapshot.present.dtype


def test_damaged_orders_are_refused(tmp_path: Path) -> None:
    write_orders(tmp_path, make_snapshot(12), Orders(1, "auto", 1, 0.9, 0, "", None))
    (tmp_path / "orders.json").write_text("{}")

    with pytest.raises(TrainingError):
        read_orders(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"progress": {}}',
        b'{"progress": {"phase": "x", "share": "y", "left_s": null, "text": ""}}',
        b'{"candidate": {"digest": "a", "metrics": {"x": NaN}}}',
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(TrainingError):
        read_line(line, tmp_path)


def test_what_a_killed_coordinator_left_is_swept(tmp_path: Path) -> None:
    running = f".run-{os.getpid()}-abc"
    (tmp_path / ".run-1-abc" / "models").mkdir(parents=True)
    (tmp_path / running).mkdir()
    (tmp_path / ("ab" * 32)).mkdir()

    assert sweep(tmp_path) == 1
    assert sweep(tmp_path / "none") == 0
    assert {entry.name for entry in tmp_path.iterdir()} == {"ab" * 32, running}
