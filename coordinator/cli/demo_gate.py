"""What happened to the gate in a demo, by the journal: when it opened, when it shut."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.cli.demo_records import Recorded, WindowKey
from coordinator.terms import WindowKind
from coordinator.terms import events as ev


def gate_story(journal: Sequence[Recorded]) -> list[dict[str, object]]:
    """Return what happened to the gate, in order.

    Returns:
        Of each: "windows", how many decision windows had been judged until then, each
        counted once; "happened": "certified", "closed", "provisional" or "restarted";
        "text": one sentence.
    """
    windows: set[WindowKey] = set()
    story: list[dict[str, object]] = []
    for entry in journal:
        event = entry.event
        if isinstance(event, ev.WindowDecided):
            if event.kind is WindowKind.DECISION:
                windows.add((event.cell_id, event.window_digest))
            continue
        told = _told(event)
        if told is not None:
            happened, text = told
            story.append({"windows": len(windows), "happened": happened, "text": text})
    return story


def _told(event: ev.Event) -> tuple[str, str] | None:
    match event:
        case ev.GateCertified(certificate=proof):
            labels = ", ".join(
                f"{' and '.join(group.labels)} from {group.threshold:.2f}"
                for group in proof.groups
            )
            return "certified", (
                f"at most {proof.alpha:.1%} wrong with probability "
                f"{1.0 - proof.delta:.0%}, on {proof.audited} audited cases: {labels}."
            )
        case ev.ProvisionalGranted():
            return "provisional", (
                f"on the word of {event.actor.person} from {event.threshold:.2f}; no "
                "risk is certified."
            )
        case ev.GateClosed():
            return "closed", f"{event.why.value}: {event.text}"
        case ev.EvidenceRestarted():
            return "restarted", event.text
        case _:
            return None
