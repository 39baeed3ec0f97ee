"""Watchers are told, and never slow the path."""

import asyncio

from coordinator.feed import Feed, PresenceChanged
from coordinator.terms import LearningStatus
from tests.builders import PEG


def status(number: int) -> LearningStatus:
    return LearningStatus(PEG, examples=number)


async def test_every_watcher_hears_every_change_in_order():
    feed = Feed()
    with feed.watch() as one, feed.watch() as two:
        feed.publish(status(1))
        feed.publish(PresenceChanged())

        for watcher in (one, two):
            assert await watcher.next() == status(1)
            assert await watcher.next() == PresenceChanged()


async def test_a_slow_watcher_loses_the_oldest_and_knows_how_many():
    feed = Feed(capacity=3)
    with feed.watch() as watcher:
        for number in range(5):
            feed.publish(status(number))

        assert watcher.missed == 2
        assert await watcher.next() == status(2)
        assert watcher.forget() == 2
        assert watcher.missed == 0
        waiting = asyncio.create_task(watcher.next())
        await asyncio.sleep(0)
        feed.publish(status(9))
        assert await waiting == status(9)


async def test_who_stopped_watching_is_let_go():
    feed = Feed()
    with feed.watch():
        pass
    feed.publish(status(1))

    assert not feed._watchers
