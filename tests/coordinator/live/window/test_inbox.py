"""What waits for a cell's loop."""

import asyncio

from coordinator.live.window.inbox import Inbox
from coordinator.terms import WindowKind
from tests.builders import make_window


async def test_control_comes_first_then_decisions_then_monitors():
    inbox: Inbox[str] = Inbox()
    monitor = make_window(kind=WindowKind.MONITOR)
    decision = make_window()
    inbox.offer(monitor)
    inbox.offer(decision)
    inbox.post("one")
    inbox.post("two")

    assert len(inbox) == 4
    assert [await inbox.next() for _ in range(4)] == ["one", "two", decision, monitor]
    assert len(inbox) == 0


async def test_a_slot_keeps_the_latest_and_counts_what_it_pushed_out():
    inbox: Inbox[str] = Inbox()
    first, second = make_window(), make_window()

    assert inbox.offer(first) is None
    assert inbox.offer(second) is first
    assert await inbox.next() is second
    assert inbox.dropped == {"overtaken_decision": 1}


async def test_whoever_waits_is_woken():
    inbox: Inbox[str] = Inbox()
    waiting = asyncio.create_task(inbox.next())
    await asyncio.sleep(0)
    inbox.post("late")

    assert await waiting == "late"
