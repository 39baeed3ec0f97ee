"""What every terminal is: a picture of the board, a notice, and what a person likes.

The picture is painted ten times a second from one `Scene`; errands are carried to the
coordinator one by one, and a refusal is shown as it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

import structlog
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen

from tui import messages, theme
from tui.board import Board, Event, Pictured, fold, rings
from tui.clock import Clock
from tui.errors import NotConnectedError, RefusedError
from tui.link import Link
from tui.past import Past
from tui.scene import Notice, Scene
from tui.screens.dialogs import Confirm, Help
from tui.screens.frame import Frame
from tui.terms import Actor, Model
from tui.words import WORDS, following, say, speak

REPAINT_S: Final = 0.1
"""Time between two pictures, s."""

ALARM_S: Final = 10.0
"""Time between two sounds while a robot does not confirm that it holds, s."""


@dataclass(frozen=True, slots=True)
class Key:
    """What some keys do on a screen, in words.

    Attributes:
        node: Whose action it is.
    """

    keys: str
    text: str
    action: str
    node: DOMNode


Errand = Callable[[], Coroutine[Any, Any, None]]
"""Something to be carried to the coordinator, begun when it is called."""


class Core(App[None]):
    """A terminal that shows the board and can carry errands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "keys.help"),
        Binding("f2", "language", "keys.language"),
        Binding("f3", "theme", "keys.theme"),
        Binding("f4", "sound", "keys.sound"),
    ]

    _models: tuple[Model, ...] = ()
    _past: Past = Past()

    def __init__(self, server: str, actor: Actor, clock: Clock) -> None:
        super().__init__()
        self.board = Board()
        self.sounds = True
        self._server = server
        self._actor = actor
        self._clock = clock
        self._link: Link | None = None
        self._notice = Notice()
        self._record = structlog.get_logger().bind(person=actor.person, server=server)

    # -- the picture -----------------------------------------------------------------

    def begin(self) -> None:
        """Put on the themes, and begin to paint."""
        for one in theme.ALL:
            self.register_theme(one)
        self.theme = theme.CALM.name
        self.set_interval(REPAINT_S, self._repaint)
        self.set_interval(ALARM_S, self._alarm)

    def hear(self, event: Event) -> Board:
        """Fold an event into the board; returns the board before."""
        if isinstance(event, Pictured):
            WORDS.learn(event.words, event.texts)
        before, self.board = self.board, fold(self.board, event)
        if before.connected != self.board.connected:
            self._record.info("link", connected=self.board.connected)
        if rings(before, self.board):
            self.sound()
        return before

    def scene(self) -> Scene:
        """The picture of this moment."""
        return Scene(
            board=self.board,
            actor=self._actor,
            server=self._server,
            now_s=self._clock.monotonic(),
            now_at=self._clock.utc_now(),
            notice=self._notice,
            models=self._models,
            past=self._past,
        )

    def _repaint(self) -> None:
        scene = self.scene()
        for screen in self.screen_stack:
            if isinstance(screen, Frame) and screen.is_mounted:
                screen.show(scene)

    def _handle_exception(self, error: Exception) -> None:
        """Write a crash into the log; Textual restores the terminal and shows it."""
        self._record.error("crashed", exc_info=error)
        super()._handle_exception(error)

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Say something to the person, in the line above the keys."""
        self._notice = Notice(text, bad, self._clock.monotonic())

    def on_tell(self, message: messages.Tell) -> None:
        """Say what a screen has to say."""
        self.tell(message.text, bad=message.bad)

    # -- errands ---------------------------------------------------------------------

    def _ask(
        self,
        errand: Coroutine[Any, Any, None],
        failed: str = "",
        *,
        reads: bool = False,
    ) -> None:
        """Carry out what only the coordinator can; a refusal is shown as it is said.

        Args:
            errand: What to do.
            failed: What to say first when it was not done.
            reads: It changes nothing, so nothing can be in doubt.
        """
        silence = "link.cannot_read" if reads else "link.may_not_have_arrived"

        async def run() -> None:
            try:
                await errand
            except RefusedError as refused:
                self.tell(f"{failed}{refused.plain}", bad=True)
            except NotConnectedError:
                self.tell(f"{failed}{say(silence)}", bad=True)

        self.run_worker(run(), group="errands")

    def _confirm(self, question: str, errand: Errand) -> None:
        """Carry out an errand, once confirmed."""

        def decided(yes: bool | None) -> None:  # noqa: FBT001 - Textual's callback
            if yes:
                self._ask(errand())

        self.push_screen(Confirm(question), decided)

    # -- what a person likes ---------------------------------------------------------

    def sound(self) -> None:
        """Ring, unless this terminal is muted."""
        if self.sounds:
            self.bell()

    def _alarm(self) -> None:
        """Sound again and again while a robot does not confirm that it holds."""
        if self.board.unconfirmed:
            self.sound()

    def action_sound(self) -> None:
        """Mute this terminal, or let it sound again."""
        self.sounds = not self.sounds
        self.tell(say("sound.on" if self.sounds else "sound.off"))
        self.sound()

    def action_language(self) -> None:
        """Speak the next language."""
        speak(following())
        self.tell(say("language.now"))

    def action_theme(self) -> None:
        """Put on the next theme."""
        names = [one.name for one in theme.ALL]
        place = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(place + 1) % len(names)]
        self.tell(say(f"theme.{self.theme}"))

    def keys_of(self, screen: Screen[Any]) -> list[Key]:
        """The keys that do something on a screen; what Textual binds is not ours."""
        merged: dict[tuple[str, str], Key] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if not (WORDS.known(binding.description) and active.enabled):
                continue
            key, text = self.get_key_display(binding), say(binding.description)
            same = merged.get((binding.action, text))
            keys = f"{same.keys} {key}" if same else key
            merged[binding.action, text] = Key(keys, text, binding.action, active.node)
        return list(merged.values())

    def action_help(self) -> None:
        """Show the keys of this screen."""
        if not isinstance(self.screen, Help):
            keys: dict[str, str] = {}
            for key in self.keys_of(self.screen):
                # Keys that stand in a row and do the same are one line: "1 2 3 4".
                same = keys.get(key.text)
                keys[key.text] = f"{same} {key.keys}" if same else key.keys
            self.push_screen(Help([(keys[text], text) for text in keys]))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that a key does here, for who looks for it by name."""
        for key in self.keys_of(screen):
            yield SystemCommand(key.text, key.keys, partial(self._press, key))

    async def _press(self, key: Key) -> None:
        await self.run_action(key.action, key.node)
