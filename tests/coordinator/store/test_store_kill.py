"""kill -9, again and again: what was acknowledged is there, and nothing twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.store import Store, verify
from coordinator.terms import Outcome, RequestId
from tests.coordinator.store.store_world import once

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).with_name("store_child.py")
CYCLES = int(os.environ.get("ANDON_STORE_KILLS", "30"))


def run_and_kill(path: Path, callers: int, acks: int) -> list[str]:
    """Let a child work until so many acks, kill it, and return all of them."""
    return _run(path, callers, "-", acks)


def run_to(path: Path, callers: int, where: str) -> list[str]:
    """Let a child work until it kills itself; return its acks."""
    return _run(path, callers, where, sys.maxsize)


def _run(path: Path, callers: int, where: str, acks: int) -> list[str]:
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(path), str(callers), where],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        seen: list[str] = []
        for line in child.stdout:
            seen.append(line.strip())
            if len(seen) == acks:
                child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert seen[0] == "ready"
    return seen[1:]


async def check(path: Path, acks: list[str]) -> int:
    """See that every acknowledged call is there; return how many entries are."""
    store = await Store.open(path, clock=ManualClock())
    for call in acks:
        word, number = call.split()
        request = await store.request(RequestId(f"r-{number}"))
        assert (await store.window(request.window_id)).digest == request.window_digest
        if word == "answered":
            assert request.outcome is Outcome.ANSWERED
            assert await store.replied(once(f"key-{number}")) == f"thanks {number}"
    head = await store.head()
    await store.close()
    return head.seq


def check_whole(path: Path, acks: list[str]) -> int:
    entries = asyncio.run(check(path, acks))
    found = verify(path)
    assert (found.ok, found.entries) == (True, entries), found
    return entries


@pytest.mark.slow
def test_no_acknowledged_commit_is_lost_by_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - when to kill, no secret
    acks: list[str] = []
    entries = 0
    for _ in range(CYCLES):
        callers = chance.choice([1, 8, 40])
        new = run_and_kill(tmp_path, callers, chance.randint(2, 120))
        before, entries = entries, asyncio.run(check(tmp_path, new))
        assert entries >= before + len(new)
        acks += new

    # What was there after its own kill is there after all the others.
    assert check_whole(tmp_path, acks) == entries
    assert len(acks) > CYCLES
    assert len(set(acks)) == len(acks)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before 1", "before 5", "after 1", "after 5"])
def test_killed_around_a_commit_all_of_it_is_there_or_nothing(
    tmp_path: Path, where: str
) -> None:
    acks = run_to(tmp_path, 4, where)
    entries = check_whole(tmp_path, acks)

    kind, number = where.split()
    # Four callers: the first commit takes one call at least, and two entries of it.
    if kind == "after":
        assert entries >= 2
    if where == "before 1":
        assert (acks, entries) == ([], 0)
    assert len(acks) <= 4 * int(number)
