"""Who are you: a name from a list, a PIN on the digit keys. The board stays in sight.

Pulling the cord needs no login: h holds the chosen cell here as on the board, left and
right choose it, F8 holds it even while a name is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from tui import look
from tui.login import Door
from tui.messages import HoldHere, LogIn
from tui.words import say

MOST_NAMES: Final = 6
"""Names in sight at once."""
LONGEST: Final = 64
"""Characters of a name that is typed, and digits of a PIN."""


class LoginScreen(ModalScreen[None]):
    """A panel over the board; it goes away by itself when somebody is logged in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "keys.other_name"),
        Binding("down", "choose(1)", "keys.other_name"),
        Binding("left", "cell(-1)", "keys.cells"),
        Binding("right", "cell(1)", "keys.cells"),
        Binding("enter", "enter", "keys.log_in"),
        Binding("h", "hold", "keys.hold"),
        Binding("f8", "hold", "keys.hold"),
        Binding("t", "type", "keys.type_name"),
        Binding("escape", "leave", "keys.only_look"),
    ]

    def __init__(self, door: Callable[[], Door]) -> None:
        super().__init__()
        self._door = door
        self._place = 0
        self._typed = ""
        self._typing = False
        self._pin = ""

    def compose(self) -> ComposeResult:
        """One panel, drawn as a whole."""
        with Container(classes="dialog"):
            yield Static(id="login")

    def on_mount(self) -> None:
        """Draw, and again whenever something may have become of a try."""
        self.draw()
        self.set_interval(0.2, self.draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a name is typed, letters are letters."""
        del parameters
        return action != "type" or not self._by_typing

    @property
    def _by_typing(self) -> bool:
        return self._typing or not self._door().names

    @property
    def _person(self) -> str:
        names = self._door().names
        if self._by_typing:
            return self._typed
        return names[min(self._place, len(names) - 1)].person

    def on_key(self, event: Key) -> None:
        """Digits are the PIN; letters are a name where names are typed."""
        if event.key == "backspace":
            self._erase()
        elif event.character and event.character.isascii():
            if self._by_typing and not self._pin_turn and event.is_printable:
                event.prevent_default()  # an h is a letter here, F8 the cord
                event.stop()
            self._take(event.character)
        self.draw()

    def _take(self, character: str) -> None:
        if self._by_typing and not self._pin_turn:
            if character.isprintable() and character != " ":
                self._typed = (self._typed + character.lower())[:LONGEST]
        elif character.isdigit():
            self._pin = (self._pin + character)[:LONGEST]

    def _erase(self) -> None:
        if self._pin:
            self._pin = self._pin[:-1]
        elif self._by_typing:
            self._pin_turn = False
            self._typed = self._typed[:-1]

    _pin_turn = False

    def action_choose(self, step: int) -> None:
        """Another name; a PIN that was begun is forgotten."""
        count = len(self._door().names)
        self._typing, self._pin = False, ""
        if count:
            self._place = (self._place + step) % count
        self.draw()

    def action_type(self) -> None:
        """Type the name instead."""
        self._typing, self._pin_turn, self._typed, self._pin = True, False, "", ""
        self.draw()

    def action_enter(self) -> None:
        """Go on to the PIN, or log in."""
        if self._by_typing and not self._pin_turn:
            self._pin_turn = bool(self._typed)
        elif self._person and self._pin:
            self.post_message(LogIn(self._person, self._pin))
            self._pin = ""
        self.draw()

    def action_hold(self) -> None:
        """Pull the cord of the chosen cell; while a name is typed, h is a letter."""
        self.post_message(HoldHere())

    def action_cell(self, step: int) -> None:
        """Choose another cell of the board."""
        self.post_message(HoldHere(step))

    def action_leave(self) -> None:
        """Only look: whatever needs a person asks again."""
        self.dismiss(None)

    def draw(self) -> None:
        """Show what is known now."""
        door = self._door()
        lines: list[Content] = [
            Content.assemble(
                (say("login.title"), look.STRONG), (f"  {door.said}", look.BAD)
            ),
            Content(""),
            *(self._typed_name() if self._by_typing else self._names(door)),
            Content(""),
            self._dots(),
            Content.styled(say("login.cord"), look.DIM),
        ]
        self.query_one("#login", Static).update(Content("\n").join(lines))

    def _names(self, door: Door) -> Sequence[Content]:
        place = min(self._place, len(door.names) - 1)
        top = max(0, min(place - MOST_NAMES // 2, len(door.names) - MOST_NAMES))
        return [
            Content.styled(
                f"{'▸' if here else ' '} {name.shown}",
                look.STRONG if here else look.DIM,
            )
            for number, name in enumerate(door.names[top : top + MOST_NAMES], top)
            for here in [number == place]
        ]

    def _typed_name(self) -> Sequence[Content]:
        mark = "" if self._pin_turn else "▏"
        return [
            Content.assemble(
                (f"{say('login.name')}  ", look.DIM),
                (f"{self._typed}{mark}", look.STRONG),
            )
        ]

    def _dots(self) -> Content:
        turn = self._pin_turn or not self._by_typing
        mark = "▏" if turn else ""
        return Content.assemble(
            (f"{say('login.pin')}  ", look.DIM),
            ("● " * len(self._pin) + mark, look.STRONG),
        )
