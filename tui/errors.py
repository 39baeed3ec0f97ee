"""What can go wrong between the terminal and the coordinator, in two words.

TerminalError
  - RefusedError        the coordinator said no, and why
  - NotConnectedError   nobody said anything: it is not known whether the call arrived
"""

from __future__ import annotations

from tui.words import told


class TerminalError(Exception):
    """Base of what the link raises; the text is one sentence for people."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class RefusedError(TerminalError):
    """The coordinator said no.

    Attributes:
        token: Stable token of the reason, for example "REQUEST_CLOSED".
        also: What this program has to say besides, after a blank.
    """

    def __init__(self, token: str, text: str, *, also: str = "") -> None:
        super().__init__(text)
        self.token = token
        self.also = also

    @property
    def plain(self) -> str:
        """What a person reads: no code, and in their language as far as it is known."""
        said = self.text.removeprefix(f"{self.token}: ")
        return told("refusal", self.token, said) + self.also


class NotConnectedError(TerminalError):
    """The coordinator did not answer; the call may or may not have arrived."""
