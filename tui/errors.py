"""What can go wrong between the terminal and the coordinator, in two words.

TerminalError
  - RefusedError        the coordinator said no, and why
  - NotConnectedError   nobody said anything: it is not known whether the call arrived
"""

from __future__ import annotations


class TerminalError(Exception):
    """Base of what the link raises; the text is one sentence for people."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class RefusedError(TerminalError):
    """The coordinator said no.

    Attributes:
        token: Stable token of the reason, for example "REQUEST_CLOSED".
    """

    def __init__(self, token: str, text: str) -> None:
        super().__init__(text)
        self.token = token

    @property
    def plain(self) -> str:
        """The sentence without its token: a person needs no code."""
        return self.text.removeprefix(f"{self.token}: ")


class NotConnectedError(TerminalError):
    """The coordinator did not answer; the call may or may not have arrived."""
