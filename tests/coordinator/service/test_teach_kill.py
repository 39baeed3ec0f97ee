"""kill -9 between a label and its reply: it stands exactly once, or not at all."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2
from coordinator.clock import SystemClock
from coordinator.config import load, template
from coordinator.learning.training.dataset import frozen
from coordinator.store import Store
from coordinator.terms import CellId, window_digest
from tests.builders import make_window
from tests.coordinator.learning.teach_world import judged

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).with_name("teach_child.py")
ANA = operator_pb2.Actor(person="ana", device="desk-1")
WAIT_S = 60.0


async def fill(config: Path) -> None:
    """One window that nobody was asked about."""
    settings = load(config)
    [family] = settings.family_terms().values()
    cell = CellId(next(iter(settings.cells)))
    cycle = next(n for n in range(1, 50) if not frozen([f"{cell}/{n}"])[0])
    shape = (family.rows, len(family.channels))
    samples = np.random.default_rng(1).uniform(-0.1, 0.1, shape).astype(np.float32)
    present = np.ones(shape[1], np.bool_)
    window = make_window(
        cell_id=cell,
        cycle=cycle,
        samples=samples,
        present=present,
        digest=window_digest(family.schema_digest, samples, present),
    )
    store = await Store.open(settings.coordinator.data_dir, clock=SystemClock())
    await store.commit(judged(window), window=window)
    await store.close()


@contextmanager
def coordinator(config: Path, where: str) -> Iterator[tuple[Any, Any]]:
    """The stub of a child that serves, and the child."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(config), where],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "proto"))),
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        address = ""
        for line in child.stdout:
            address = line.strip()
            if address.startswith("127.0.0.1:"):
                break
        with grpc.insecure_channel(address) as channel:
            yield learning_pb2_grpc.LearningServiceStub(channel), child
        child.kill()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before", "after"])
async def test_killed_around_its_commit_a_label_stands_once_after_the_second_try(
    tmp_path: Path, where: str
) -> None:
    config = tmp_path / "andon.toml"
    text = template().replace('listen = "127.0.0.1:50551"', 'listen = "127.0.0.1:0"')
    config.write_text(text)
    await fill(config)
    with coordinator(config, where) as (stub, child):
        family = next(iter(load(config).families))
        ask = learning_pb2.GetTeachableRequest(family=family, actor=ANA)
        [window] = stub.GetTeachable(ask, timeout=WAIT_S, wait_for_ready=True).windows
        teach = learning_pb2.TeachRequest(
            family=family,
            actor=ANA,
            idempotency_key="one-key",
            window_id=window.about.window_id,
            view_digest=window.view_digest,
            label="ok",
        )
        with pytest.raises(grpc.RpcError):
            stub.Teach(teach, timeout=WAIT_S)
        assert child.wait(WAIT_S) != 0

    with coordinator(config, "-") as (stub, _):
        first = stub.Teach(teach, timeout=WAIT_S, wait_for_ready=True)
        again = stub.Teach(teach, timeout=WAIT_S)
        listed = stub.ListExamples(
            learning_pb2.ListExamplesRequest(family=family), timeout=WAIT_S
        )

    assert first.opinion_id == again.opinion_id
    assert first.labelled == (1 if where == "before" else 0)
    assert [(e.label, e.person, e.source) for e in listed.examples] == [
        ("ok", "ana", "teach")
    ]
