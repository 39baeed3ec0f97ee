"""Errands about models: list them, read a report, promote, roll back, train."""

from __future__ import annotations

from functools import partial

from tui import look, messages
from tui.errands.core import Core
from tui.identity import new_key
from tui.words import say


class LearningErrands(Core):
    """What a person does with the models of a family."""

    def on_list_models(self, message: messages.ListModels) -> None:
        """Fetch the models of a family."""
        self._ask(self._list(message.family), reads=True)

    async def _list(self, family: str) -> None:
        if self._link is not None:
            self._models = await self._link.models(family)

    def on_promote_model(self, message: messages.PromoteModel) -> None:
        """Let a model serve, once confirmed."""
        errand = partial(self._promote, message.digest, message.version)
        self._confirm(say("models.ask_promote", version=message.version), errand)

    async def _promote(self, digest: str, version: int) -> None:
        if self._link is None:
            return
        model = await self._link.promote(digest, new_key())
        state = look.MODELS[model.state].word
        self.tell(say("models.is_now", version=version, state=state))
        await self._list(model.family)

    def on_roll_back(self, message: messages.RollBack) -> None:
        """Let the model before serve, once confirmed."""
        question = say("models.ask_roll_back", family=message.family)
        self._confirm(question, partial(self._roll_back, message.family))

    async def _roll_back(self, family: str) -> None:
        if self._link is None:
            return
        model = await self._link.roll_back(family, new_key())
        if model is None:
            self.tell(say("models.rolled_back_to_none"))
        else:
            self.tell(say("models.rolled_back", version=model.version))
        await self._list(family)

    def on_train(self, message: messages.Train) -> None:
        """Train now, once confirmed."""
        question = say("models.ask_train", family=message.family)
        self._confirm(question, partial(self._train, message.family))

    async def _train(self, family: str) -> None:
        if self._link is not None:
            run = await self._link.train(family, new_key())
            self.tell(say("models.training", family=family, run=run))
