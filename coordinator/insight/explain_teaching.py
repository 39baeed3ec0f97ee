"""One sentence an entry about what people said of stored windows; see explain."""

from __future__ import annotations

from coordinator.terms import events
from coordinator.terms.teaching import Pick

Teaching = (
    events.ExampleReinstated
    | events.OpinionGiven
    | events.OpinionTakenBack
    | events.LabelDecided
)

_PICKED = {
    Pick.MOST: "it teaches most",
    Pick.TIME: "it was the oldest",
    Pick.SECOND: "a second opinion was wanted",
    Pick.DISPUTED: "people contradicted each other",
    Pick.ALIKE: "it is nearly the same as one that was shown",
    Pick.AGAIN: "the answer before was taken back",
    Pick.LATE: "the time to answer had run out",
}
"""Why a window was handed out."""


def of_teaching(event: Teaching) -> str:
    """What people said of stored windows."""
    match event:
        case events.OpinionGiven():
            said = event.opinion
            about = f"window {said.window_id}"
            what = (
                f"said {said.label} of {about}"
                if said.label
                else f"could not tell what {about} is"
            )
            like = "" if said.looked else f", unseen, as of window {said.like}"
            why = _PICKED[said.pick]
            return f"{said.person} {what}{like} ({why}), opinion {said.opinion_id}."
        case events.OpinionTakenBack():
            return f"opinion {event.opinion_id} was taken back by {event.actor.person}."
        case events.ExampleReinstated():
            return f"example {event.example_id} is used again: {event.reason}"
        case events.LabelDecided():
            note = f', saying "{event.note}"' if event.note else ""
            about = f"window {event.window_id}"
            what = (
                f"{about} is {event.label}"
                if event.label
                else f"nobody can tell what {about} is"
            )
            return f"{event.actor.person} decided that {what}{note}."
