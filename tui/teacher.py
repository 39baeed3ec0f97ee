"""One person at the labelling party: windows ahead, words behind. It knows no screen.

The next windows are borrowed before they are needed, and what was said is sent behind
the person's back, so that a key brings the next window at once. Words go out one after
another, each with its key: after a lost link the same word is sent again, and counts
once. What nobody confirmed is counted where the person sees it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from tui.clock import Clock
from tui.errors import NotConnectedError, RefusedError, TerminalError
from tui.identity import new_key
from tui.lessons import Desk, Lesson, Party, Stage, Word
from tui.school import School
from tui.words import say

AHEAD: Final = 4
"""Windows in hand, the one that is shown among them."""
LOOK_S: Final = 0.2
"""A word this soon after its window came was meant for the window before, s."""
AGAIN_S: Final = 1.0
"""Wait before a word is sent again, s."""
KEPT: Final = 50
"""Words that can be taken back, one after another."""


class Tell(Protocol):
    """Says something to the person."""

    def __call__(self, text: str, *, bad: bool = False) -> None:
        """Say it; bad news stays until there is other news."""


class Teacher:
    """Where one person labels. Not thread-safe: it lives on the event loop."""

    def __init__(self, school: School, family: str, clock: Clock, tell: Tell) -> None:
        self.desk = Desk(family)
        self._school = school
        self._clock = clock
        self._tell = tell
        self._ahead: deque[Lesson] = deque()
        self._out: deque[Word] = deque()
        self._given: deque[tuple[Word, str]] = deque(maxlen=KEPT)
        self._shown_s = 0.0
        self._filling = asyncio.Lock()
        self._sending = asyncio.Lock()

    # -- windows ---------------------------------------------------------------------

    async def fill(self) -> None:
        """Borrow what is missing ahead; shows the first one when none is shown."""
        async with self._filling:
            missing = AHEAD - len(self._ahead) - (self.desk.lesson is not None)
            if missing <= 0:
                return
            oldest_first = self.desk.oldest_first
            handed = await self._school.hand(missing, oldest_first=oldest_first)
            self._ahead.extend(handed.lessons)
            self._see(handed.party)
            self.desk = replace(self.desk, labels=handed.labels)
            if self.desk.lesson is None:
                self._next()

    def _next(self) -> None:
        """Show the next window that is in hand."""
        lesson = self._ahead.popleft() if self._ahead else None
        reading = self.desk.party.unread
        stage = Stage.LOOKING if lesson else Stage.COMING if reading else Stage.DONE
        self.desk = replace(self.desk, lesson=lesson, stage=stage, alike=None)
        self._shown_s = self._clock.monotonic()

    def _see(self, party: Party) -> None:
        self.desk = replace(self.desk, party=party)

    async def look(self) -> None:
        """Look how far the party is, and for windows when there were none."""
        if self.desk.lesson is None:
            await self.fill()
        else:
            self._see(await self._school.party())

    # -- words -----------------------------------------------------------------------

    def say(self, label: str) -> bool:
        """Say what the shown window is, and show the next one at once.

        Args:
            label: What it is; "" for "cannot tell".

        Returns:
            Whether it was taken; else the person was told why not.
        """
        desk, lesson = self.desk, self.desk.lesson
        if lesson is None:
            return False
        if not self._clock.monotonic() - self._shown_s >= LOOK_S:
            self._tell(say("teach.look_first"))
            return False
        alike = desk.alike.digest if desk.alike is not None and label else ""
        self._out.append(Word(lesson, label, new_key(), alike))
        self.desk = replace(desk, last=label, unsent=len(self._out))
        self._next()
        return True

    async def send(self) -> None:
        """Send what was said, in order, until nothing waits."""
        async with self._sending:
            while self._out:
                word = self._out[0]
                try:
                    taken = await self._school.say(word)
                except NotConnectedError:
                    await asyncio.sleep(AGAIN_S)
                    continue
                except RefusedError as refused:
                    self._out.popleft()
                    self._tell(say("teach.not_taken", why=refused.plain), bad=True)
                else:
                    self._out.popleft()
                    self._given.append((word, taken.opinion_id))
                    self._see(taken.party)
                    self.desk = replace(
                        self.desk, given=self.desk.given + max(taken.labelled, 1)
                    )
                    self._confirm(word, taken.labelled, contradicted=taken.contradicted)
                self.desk = replace(self.desk, unsent=len(self._out))

    def _confirm(self, word: Word, labelled: int, *, contradicted: bool) -> None:
        said = self.desk.called(word.label)
        if contradicted:
            self._tell(say("teach.contradicted", said=said))
        elif labelled > 1:
            self._tell(say("teach.labelled_alike", said=said, count=labelled))

    async def take_back(self) -> None:
        """Take the last word back and show its window again."""
        async with self._sending:
            if not self._given:
                self._tell(say("teach.nothing_to_undo"))
                return
            word, opinion_id = self._given[-1]
            lesson = await self._school.take_back(opinion_id, f"undo-{opinion_id}")
            self._given.pop()
        if self.desk.lesson is not None:
            self._ahead.appendleft(self.desk.lesson)
        before = self._given[-1][0].label if self._given else None
        self.desk = replace(
            self.desk,
            lesson=lesson,
            stage=Stage.LOOKING,
            alike=None,
            last=before,
            given=max(0, self.desk.given - 1),
        )
        self._shown_s = self._clock.monotonic()
        said = self.desk.called(word.label)
        self._tell(say("teach.taken_back", said=said))

    async def skip(self) -> None:
        """Show the next window; this one is for somebody else."""
        lesson = self.desk.lesson
        if lesson is None:
            return
        self._next()
        await self._school.give_back([lesson.window_id], passed=True)

    async def turn_order(self) -> None:
        """Show the oldest first, or what teaches most; windows in hand go back."""
        unseen = [lesson.window_id for lesson in self._ahead]
        self._ahead.clear()
        self.desk = replace(self.desk, oldest_first=not self.desk.oldest_first)
        if unseen:
            await self._school.give_back(unseen, passed=False)
        await self.fill()

    # -- alike -----------------------------------------------------------------------

    async def ask_alike(self) -> None:
        """Show the edge of what is nearly the same as the shown window."""
        lesson = self.desk.lesson
        if lesson is None or self.desk.alike is not None:
            return
        alike = await self._school.alike(lesson.window_id)
        if self.desk.lesson is not lesson:
            return
        if alike is None:
            self._tell(say("teach.nothing_alike"))
            return
        self.desk = replace(self.desk, alike=alike, stage=Stage.EDGE)
        self._shown_s = self._clock.monotonic()

    async def leave_edge(self) -> None:
        """Back to the one window; what is alike is not labelled."""
        if self.desk.alike is not None:
            self.desk = replace(self.desk, alike=None, stage=Stage.LOOKING)
            await self._school.give_back((), passed=False)

    async def leave(self) -> None:
        """Give back what is in hand; what was said and not sent is sent once more."""
        held = [lesson.window_id for lesson in self._ahead]
        if self.desk.lesson is not None:
            held.append(self.desk.lesson.window_id)
        with suppress(TerminalError):
            for word in tuple(self._out):
                await self._school.say(word)
            await self._school.give_back(held, passed=False)
