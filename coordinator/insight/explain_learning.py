"""One sentence an entry about examples, models and the gate; see explain."""

from __future__ import annotations

from coordinator.insight.explain_teaching import Teaching, of_teaching
from coordinator.terms import Action, Actor, Digest, events

OfExample = (
    events.ExampleAdded
    | events.ExampleQuarantined
    | events.ExampleRetracted
    | Teaching
    | events.LabelAdded
    | events.DatasetImported
)
OfGate = (
    events.GateCertified
    | events.ProvisionalGranted
    | events.GateClosed
    | events.EvidenceRestarted
)
OfModel = (
    events.TrainingStarted
    | events.TrainingEnded
    | events.ModelRegistered
    | events.ModelRefused
    | events.ModelValidated
    | events.ModelPromoted
    | events.ModelRolledBack
)

MAY = {
    Action.CONTINUE: "go on",
    Action.REWORK: "do the operation again",
    Action.REJECT: "put the part aside",
    Action.STOP: "nothing",
}
"""What an action lets the robot do."""


def of_example(event: OfExample) -> str:
    """What people taught."""
    match event:
        case events.ExampleAdded():
            x = event.example
            said = f", where the model had said {x.guess}" if x.guess else ""
            return (
                f"window {x.window_id} became example {x.example_id} of {x.family}: "
                f"{x.label}, by {x.person} ({x.source.value}){said}."
            )
        case events.ExampleQuarantined():
            return f"example {event.example_id} was set aside: {event.reason}"
        case events.ExampleRetracted():
            return f"example {event.example_id} was taken back{by(event.actor)}."
        case (
            events.ExampleReinstated()
            | events.OpinionGiven()
            | events.OpinionTakenBack()
            | events.LabelDecided()
        ):
            return of_teaching(event)
        case events.LabelAdded():
            return (
                f"{event.family} got the label {event.label.name}{by(event.actor)}, "
                f"which lets the robot {MAY[event.label.action]}."
            )
        case events.DatasetImported():
            return (
                f"dataset {event.dataset} brought {event.windows} windows to "
                f"{event.family}{by(event.actor)}."
            )


def of_gate(event: OfGate) -> str:
    """On what the gate rests."""
    match event:
        case events.GateCertified():
            proof = event.certificate
            thresholds = ", ".join(
                f"{label} from {threshold:.3f}" for label, threshold in proof.thresholds
            )
            return (
                f"the gate of {proof.family} is certified for model "
                f"{short(proof.model_digest)} until {proof.until:%Y-%m-%d %H:%M} UTC: "
                f"at most {100 * proof.alpha:g} % wrong, {100 - 100 * proof.delta:g} % "
                f"sure, from {proof.audited} audited cases; {thresholds}."
            )
        case events.ProvisionalGranted():
            return (
                f"the gate of {event.family} may act from {event.threshold:.2f} on "
                f"until {event.until:%Y-%m-%d %H:%M} UTC though no risk is certified"
                f"{by(event.actor)}. {event.note}"
            )
        case events.GateClosed():
            moved = f" Moved: {'; '.join(event.moved)}." if event.moved else ""
            return (
                f"the gate of {event.family} asks about everything"
                f"{by(event.actor)} ({event.why.value}): {event.text}{moved}"
            )
        case events.EvidenceRestarted():
            return f"the evidence of {event.family} begins anew: {event.text}"


def of_model(event: OfModel) -> str:
    """What was trained, and what serves."""
    match event:
        case events.TrainingStarted():
            return (
                f"training {event.run_id} of {event.family} began on {event.examples} "
                f"examples ({short(event.snapshot_digest)}): {event.trigger}"
            )
        case events.TrainingEnded():
            return f"training {event.run_id} ended as {event.outcome}: {event.text}"
        case events.ModelRegistered():
            model = event.model
            return (
                f"model {short(model.digest)}, version {model.version} of "
                f"{model.family}, came out of training {model.run_id}: "
                f"{model.network}, {model.examples} examples "
                f"({short(model.snapshot_digest)}), commit "
                f"{short(model.commit) or 'unknown'}."
            )
        case events.ModelRefused():
            reasons = " ".join(event.reasons)
            return f"model {short(event.model_digest)} may not serve: {reasons}"
        case events.ModelValidated():
            return f"model {short(event.model_digest)} may serve: {event.text}"
        case events.ModelPromoted():
            return (
                f"model {short(event.model_digest)} serves {event.family}"
                f"{by(event.actor)}, after {short(event.previous) or 'none'}. "
                f"{event.text}"
            )
        case events.ModelRolledBack():
            return (
                f"model {short(event.model_digest)} was taken back"
                f"{by(event.actor)}; {short(event.restored) or 'none'} serves "
                f"{event.family}. {event.text}"
            )


def by(actor: Actor | None) -> str:
    """Who did it; "" for nobody."""
    if actor is None:
        return ""
    sure = (
        "" if actor.verified or actor.person.startswith("policy:") else ", unverified"
    )
    return f" by {actor.person}{sure}"


def short(digest: Digest | str) -> str:
    """As much of a digest as people read."""
    return digest[:12]
