"""Every message of this terminal, one dataclass each; screens talk through these."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.message import Message

from tui.past import CasesAsked, JournalAsked
from tui.terms import Action, Cell


@dataclass
class OpenRequest(Message):
    """The person wants to see a request, which claims it."""

    request_id: str


@dataclass
class OpenNext(Message):
    """The person wants the most urgent request, whichever it is."""


@dataclass
class TakeOver(Message):
    """The person takes the open request from whoever holds it."""


@dataclass
class Say(Message):
    """The person says what the open request's window is; "" for "cannot tell"."""

    label: str


@dataclass
class LeaveRequest(Message):
    """The person leaves the open request."""


@dataclass
class Arrive(Message):
    """The person stands at the cell that asks."""


@dataclass
class Skip(Message):
    """The person leaves the open request to others first."""


@dataclass
class HandOver(Message):
    """The person gives the open request to somebody, and is asked to whom."""


@dataclass
class OnlyThis(Message):
    """The person answers this request alone, or all of its cause again."""


@dataclass
class Undo(Message):
    """The person takes the last answer back."""


@dataclass
class HoldCell(Message):
    """The person pulls the cord of a cell, or of all with ""."""

    cell_id: str


@dataclass
class AskRelease(Message):
    """The person wants to let a held cell go, and is asked about its part."""

    cell_id: str


@dataclass
class ReleaseCell(Message):
    """The person lets a cell go as it was seen, with a word about its part."""

    cell: Cell
    disposition: Action


@dataclass
class MaintainCell(Message):
    """The person takes a cell out of work, or back."""

    cell_id: str


@dataclass
class ListModels(Message):
    """The person looks at the models of a family."""

    family: str


@dataclass
class PromoteModel(Message):
    """The person wants a model to serve."""

    digest: str
    version: int


@dataclass
class RollBack(Message):
    """The person wants the model before."""

    family: str


@dataclass
class Train(Message):
    """The person wants a training now."""

    family: str


@dataclass
class OpenClip(Message):
    """The person wants to see the full-rate clip of the open request."""

    clip_id: str


@dataclass
class CloseClip(Message):
    """The person goes back to the question."""


@dataclass
class ExportClip(Message):
    """The person wants the clip as a file."""


@dataclass
class Tell(Message):
    """Something to say to the person."""

    text: str
    bad: bool = False


@dataclass
class LookAtNumbers(Message):
    """The person looks at the key numbers of an hour, a shift or a day."""

    span: str


class LookAtTeams(Message):
    """The wall looks at what teams caught in the last shift."""


@dataclass
class LookAtModel(Message):
    """The person looks at what is known of a model."""

    digest: str
    family: str


@dataclass
class LookAtCases(Message):
    """The person looks behind a number."""

    asked: CasesAsked


@dataclass
class LookAtJournal(Message):
    """The person looks at a page of the journal; check follows its chain first."""

    asked: JournalAsked
    check: bool = False


@dataclass
class LookAtStory(Message):
    """The person wants the story around an entry."""

    payload_json: str


@dataclass
class LogIn(Message):
    """The person says who they are. The PIN goes nowhere but to the coordinator."""

    person: str
    pin: str = field(repr=False)


@dataclass
class HoldHere(Message):
    """Pull the cord of the board's chosen cell, or choose one that many further."""

    step: int = 0


@dataclass
class LookAtSheet(Message):
    """The person wants the hand-over sheet."""

    span: str


@dataclass
class JoinParty(Message):
    """The person labels stored windows of a family."""

    family: str


@dataclass
class TeachWord(Message):
    """The person says what the stored window is; "" for "cannot tell"."""

    label: str


@dataclass
class TeachAlike(Message):
    """The person wants to label what is nearly the same with it."""


@dataclass
class TeachSkip(Message):
    """The person leaves the stored window to others."""


@dataclass
class TeachOrder(Message):
    """The person wants the oldest windows first, or what teaches most."""


@dataclass
class TeachUndo(Message):
    """The person takes back what they said of the stored window before."""


@dataclass
class LeaveParty(Message):
    """The person goes back: from the edge to the window, or to the board."""
