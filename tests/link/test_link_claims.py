"""Two programs that want one cell: one session at a time, both told, twins held."""

import asyncio
import signal
from pathlib import Path

import pytest

from andon.v1 import terms_pb2
from tests.link.cuts import judge
from tests.link.judge import Findings
from tests.link.traces import Node, read_lines
from tests.link.world import World, plant

pytestmark = pytest.mark.slow


def traced(world: World, name: str, *kinds: str) -> list[str]:
    lines = read_lines(world.folder / f"{name}.node.jsonl")
    return [line["event"] for line in lines if line["event"] in kinds]


async def until(fact, what: str, *, within_s: float = 15.0) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not fact():  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None


async def test_a_second_node_gets_the_cell_when_the_first_is_dead_and_keeps_it(
    tmp_path: Path,
) -> None:
    found = Findings()
    async with plant(tmp_path, ["c0"], seed=39) as world:
        await world.node("first", "c0")
        await world.at_work("c0")
        await world.node("second", "c0")
        await until(lambda: traced(world, "first", "refusal"), "the first is told")
        assert traced(world, "second", "session_open") == []
        first = world.person.now["c0"].epoch

        world.nodes["first"].tell(signal.SIGSTOP)
        await until(lambda: traced(world, "second", "session_open"), "the second is in")
        await world.at_work("c0", after_epoch=first)
        world.nodes["first"].tell(signal.SIGCONT)
        await until(lambda: traced(world, "first", "session_lost"), "the first is out")
        epoch = world.person.now["c0"].epoch
        refused = len(traced(world, "second", "refusal"))
        await until(
            lambda: len(traced(world, "second", "refusal")) > refused,
            "the first is refused",
        )
        assert world.person.now["c0"].epoch == epoch
    judge(world, found, alone=False)

    assert found.violations == []
    nodes = {
        name: Node(name, read_lines(tmp_path / f"{name}.node.jsonl"))
        for name in ("first", "second")
    }
    assert len(nodes["first"].sessions) == 1
    assert [s.epoch for s in nodes["second"].sessions] == [epoch]


async def test_one_identity_twice_holds_the_cell(tmp_path: Path) -> None:
    async with plant(tmp_path, ["c0"], seed=39) as world:
        await world.node("twin+1", "c0")
        await world.at_work("c0")
        await world.node("twin+2", "c0")
        identity = terms_pb2.HOLD_REASON_IDENTITY
        await world.person.until(
            lambda: any(one.reason == identity for one in world.person.shown),
            15.0,
            lambda: f"held for its identity: {world.state('c0')}",
        )
    opened = [n for n in ("twin+1", "twin+2") if traced(world, n, "session_open")]
    assert opened == ["twin+1"]
