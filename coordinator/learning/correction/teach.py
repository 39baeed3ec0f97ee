"""Teaching: what people say of stored windows becomes opinions and examples, durably.

An opinion is written together with the example that is made of it and with what it
settles, in one transaction. Taught windows were chosen, not drawn: they weigh one each
when a model learns, and count for nothing where the gate estimates its own error.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coordinator.clock import Clock
from coordinator.errors import (
    AlreadyDoneError,
    IllegalTransitionError,
    NotFoundError,
    UnknownLabelError,
    ViewChangedError,
    unknown_family,
)
from coordinator.learning.correction.party import Party
from coordinator.learning.correction.pool import Stored
from coordinator.learning.correction.reading import NewsReader
from coordinator.learning.correction.records import (
    By,
    Said,
    decided_events,
    given_events,
    opinion,
    taken_back_events,
)
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    Digest,
    Family,
    FamilyId,
    IdempotencyKey,
    WindowId,
    events,
)
from coordinator.terms.teaching import OpinionId


@dataclass(frozen=True, slots=True)
class Taught:
    """What was made durable.

    Attributes:
        opinion_id: The opinion about the window that was shown.
        labelled: Windows that got an opinion; 0 when the call was repeated.
    """

    opinion_id: OpinionId
    labelled: int = 0


class Teaching:
    """All labelling parties of a plant. Not thread-safe: it lives on the event loop."""

    def __init__(
        self,
        parties: dict[FamilyId, Party],
        *,
        store: Store,
        clock: Clock,
        family_of: Callable[[FamilyId], Family],
    ) -> None:
        self._parties = parties
        self._store = store
        self._clock = clock
        self._family_of = family_of
        self._saying = asyncio.Lock()
        self.news = NewsReader(parties, store=store, clock=clock, family_of=family_of)

    async def party(self, family: str) -> Party:
        """Return the party of one family, up to date.

        Raises:
            NotFoundError: it is not configured.
        """
        found = self._parties.get(FamilyId(family))
        if found is None:
            raise unknown_family(family, sorted(self._parties))
        await self.news.refresh()
        return found

    async def say(
        self, family: str, said: Said, actor: Actor, once: IdempotencyKey
    ) -> Taught:
        """Take an opinion; it is durable when this returns, and there exactly once.

        Returns:
            What was made durable; of a repeated call, the first time.

        Raises:
            NotFoundError: the window is not among those to be labelled.
            UnknownLabelError: the family has no such label.
            ViewChangedError: what was shown is not what it is now.
            IllegalTransitionError: this person has said already what it is.
        """
        async with self._saying:
            party = await self.party(family)
            if (before := await self._store.replied(once)) is not None:
                return Taught(OpinionId(before))
            shown = self._require_view(party, said, actor)
            others = self._like(party, shown, said, actor)
            by = By(actor, self._clock.utc_now())
            given = opinion(party, shown, said, by)
            happened = given_events(party, shown, given, by)
            for window in others:
                same = opinion(party, window, said, by, like=shown.window_id)
                happened += given_events(party, window, same, by)
            try:
                await self._store.commit(*happened, once=once, reply=given.opinion_id)
            except AlreadyDoneError as done:
                return Taught(OpinionId(done.reply))
            party.noted(actor.person, shown, *others)
            party.drop_cluster(actor.person)
            await self.news.refresh()
        return Taught(given.opinion_id, 1 + len(others))

    async def take_back(
        self, family: str, opinion_id: OpinionId, actor: Actor, once: IdempotencyKey
    ) -> WindowId:
        """Take an opinion back, with what was said of windows like it.

        Returns:
            The window; it is this person's again.

        Raises:
            NotFoundError: no such opinion stands.
            IllegalTransitionError: somebody else gave it.
        """
        async with self._saying:
            party = await self.party(family)
            if (before := await self._store.replied(once)) is not None:
                return WindowId(before)
            given = party.opinions.opinion(opinion_id)
            if given is None:
                raise NotFoundError("this opinion does not stand any more.")
            if given.person != actor.person:
                raise IllegalTransitionError(
                    f"{given.person} gave it.", "NOT_YOUR_OPINION"
                )
            back = [given, *(party.opinions.alike(given) if given.looked else ())]
            happened: list[events.Event] = []
            for one in back:
                happened += taken_back_events(party, one, actor)
            try:
                await self._store.commit(*happened, once=once, reply=given.window_id)
            except AlreadyDoneError as done:
                return WindowId(done.reply)
            await self.news.refresh()
            party.taken_back(actor.person, given.window_id)
        return given.window_id

    async def decide(
        self,
        family: str,
        said: Said,
        actor: Actor,
        once: IdempotencyKey,
        *,
        note: str = "",
    ) -> None:
        """End a contradiction by name; it holds whatever is said afterwards.

        Args:
            family: Whose window.
            said: The window and its label, "" for "nobody can tell"; the view of it.
            actor: Who decides.
            once: Makes a repeated call harmless.
            note: Why.

        Raises:
            NotFoundError: nobody has labelled this window.
            UnknownLabelError: the family has no such label.
            ViewChangedError: what was shown is not what it is now.
        """
        async with self._saying:
            party = await self.party(family)
            if await self._store.replied(once) is not None:
                return
            window = self._require_window(party, said)
            digest = window.window_digest
            if not party.opinions.said(digest):
                raise NotFoundError(f"nobody has labelled window {said.window_id}.")
            by = By(actor, self._clock.utc_now())
            happened = decided_events(party, window, said, by, note)
            try:
                await self._store.commit(*happened, once=once, reply="done")
            except AlreadyDoneError:
                return
            await self.news.refresh()

    # -- what is checked -------------------------------------------------------------

    def _require_window(self, party: Party, said: Said) -> Stored:
        i = party.pool.place.get(said.window_id)
        if i is None:
            raise NotFoundError(f"window {said.window_id} is not to be labelled.")
        family, shown = self._family_of(party.family), party.pool.windows[i]
        if said.view != view_digest(shown.window_digest, family):
            raise ViewChangedError("the window or its labels changed. Look again.")
        if said.label and family.label(said.label) is None:
            known = ", ".join(family.label_names)
            raise UnknownLabelError(f"'{said.label[:40]}', known: {known}.")
        return shown

    def _require_view(self, party: Party, said: Said, actor: Actor) -> Stored:
        shown = self._require_window(party, said)
        if party.measures_models(shown):
            raise NotFoundError(f"window {said.window_id} is not to be labelled.")
        if actor.person in party.opinions.spoke(shown.window_digest):
            raise IllegalTransitionError(
                f"{actor.person} has said already what this window is.", "ALREADY_SAID"
            )
        return shown

    def _like(
        self, party: Party, shown: Stored, said: Said, actor: Actor
    ) -> Sequence[Stored]:
        """The windows that the person agreed to label alike, as far as nobody has."""
        if not said.alike:
            return ()
        cluster = party.cluster_of(actor.person, said.alike)
        if cluster is None or cluster.shown != shown or not said.label:
            raise ViewChangedError("what is like it changed. Look again.")
        labelled = party.opinions.labelled()
        return [w for w in cluster.windows if w.window_digest not in labelled]


def view_digest(window_digest: Digest, family: Family) -> Digest:
    """SHA-256 over what a person is shown: the evidence and its possible labels."""
    names = (f"{label.name}={label.action.value}" for label in family.labels)
    text = "\n".join(("teach/1", window_digest, *names))
    return Digest(hashlib.sha256(text.encode()).hexdigest())
