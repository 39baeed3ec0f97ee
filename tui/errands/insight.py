"""Errands into the past: numbers, reports, cases, the journal, the hand-over sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tui import messages
from tui.archive import Archive
from tui.errands.about import about_what
from tui.errands.core import Core
from tui.past import JournalAsked

SPANS: Final = {
    "hour": timedelta(hours=1),
    "shift": timedelta(hours=8),
    "day": timedelta(days=1),
}
"""How far back one looks, by the name of the time."""


class InsightErrands(Core):
    """What a person looks up."""

    def _archive(self) -> Archive | None:
        return Archive(self._link) if self._link is not None else None

    def on_look_at_numbers(self, message: messages.LookAtNumbers) -> None:
        """Fetch the key numbers, and the gates with them."""
        self._ask(self._numbers(message.span), reads=True)

    async def _numbers(self, span: str) -> None:
        archive = self._archive()
        if archive is None:
            return
        numbers = await archive.numbers(span, SPANS[span])
        gates = [await archive.gate(family) for family in sorted(self.board.families)]
        self._past = replace(self._past, numbers=replace(numbers, gates=tuple(gates)))

    def on_look_at_teams(self, message: messages.LookAtTeams) -> None:
        """Fetch what teams caught, and nothing that would need a login."""
        del message
        self._ask(self._teams(), reads=True)

    async def _teams(self) -> None:
        archive = self._archive()
        if archive is not None:
            numbers = await archive.numbers("shift", SPANS["shift"])
            self._past = replace(self._past, numbers=numbers)

    def on_look_at_model(self, message: messages.LookAtModel) -> None:
        """Fetch what is known of a model, and the gate of its family."""
        self._ask(self._reports(message.digest, message.family), reads=True)

    async def _reports(self, digest: str, family: str) -> None:
        archive = self._archive()
        if archive is None:
            return
        reports = await archive.reports(digest)
        gates = {**self._past.gates, family: await archive.gate(family)}
        self._past = replace(self._past, reports=reports, gates=gates)

    def on_look_at_cases(self, message: messages.LookAtCases) -> None:
        """Fetch the cases behind a number."""
        self._ask(self._cases(message), reads=True)

    async def _cases(self, message: messages.LookAtCases) -> None:
        archive = self._archive()
        if archive is not None:
            cases = await archive.cases(message.asked)
            self._past = replace(self._past, cases=cases)

    def on_look_at_journal(self, message: messages.LookAtJournal) -> None:
        """Fetch a page of the journal."""
        self._ask(self._journal(message.asked, check=message.check), reads=True)

    async def _journal(self, asked: JournalAsked, *, check: bool) -> None:
        archive = self._archive()
        if archive is None:
            return
        page = await archive.journal(asked, check=check)
        before = self._past.journal
        if not check:
            page = replace(page, check=before.check, intact=before.intact)
        self._past = replace(self._past, journal=replace(page, story=before.story))

    def on_look_at_story(self, message: messages.LookAtStory) -> None:
        """Fetch what happened around an entry; nothing forgets the last story."""
        journal = replace(self._past.journal, story=())
        self._past = replace(self._past, journal=journal)
        about = about_what(message.payload_json)
        if about:
            self._ask(self._story(about), reads=True)

    async def _story(self, about: str) -> None:
        archive = self._archive()
        if archive is not None:
            story = await archive.story(about)
            journal = replace(self._past.journal, story=story)
            self._past = replace(self._past, journal=journal)

    def on_look_at_sheet(self, message: messages.LookAtSheet) -> None:
        """Fetch the hand-over sheet."""
        self._ask(self._sheet(SPANS[message.span]), reads=True)

    async def _sheet(self, back: timedelta) -> None:
        archive = self._archive()
        if archive is not None:
            self._past = replace(self._past, sheet=await archive.sheet(back))
