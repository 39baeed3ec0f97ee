"""Examples, labels and models."""

from __future__ import annotations

import json
from collections.abc import Mapping

from coordinator.errors import (
    IllegalTransitionError,
    NotFoundError,
    PromotionRefusedError,
)
from coordinator.store.codec import codec_of, dumps
from coordinator.store.fold.place import Place
from coordinator.terms import ModelState
from coordinator.terms.events import (
    ExampleAdded,
    ExampleQuarantined,
    ExampleRetracted,
    LabelAdded,
    ModelPromoted,
    ModelRefused,
    ModelRegistered,
    ModelRolledBack,
    ModelValidated,
)

METRICS = codec_of(Mapping[str, float])


def read_metrics(text: str) -> Mapping[str, float]:
    """Return a model's metrics by name."""
    metrics: Mapping[str, float] = METRICS.read(json.loads(text))
    return metrics


UNPROVEN = (ModelState.CANDIDATE, ModelState.VALIDATED, ModelState.REFUSED)
"""States in which a validation may still speak."""
MAY_SERVE = (
    ModelState.VALIDATED,
    ModelState.SHADOW,
    ModelState.ARMED,
    ModelState.ROLLED_BACK,
    ModelState.RETIRED,
)
"""States from which a model may be promoted."""


def example_added(at: Place, event: ExampleAdded) -> None:
    """Guards: new, and its window kept."""
    example = event.example
    if not at.row(
        "SELECT 1 FROM windows WHERE window_id = ? AND digest = ?",
        (example.window_id, example.window_digest),
    ):
        raise IllegalTransitionError("an example needs its window kept.", "NO_WINDOW")
    at.add(
        "INSERT INTO examples VALUES (?, ?, ?, ?, ?, ?)",
        (
            example.example_id,
            example.family,
            example.window_id,
            int(example.retracted),
            example.quarantine,
            at.seq,
        ),
        taken=f"example {example.example_id} was already added.",
    )


def example_quarantined(at: Place, event: ExampleQuarantined) -> None:
    """Guard: there is such an example."""
    if not at.change(
        "UPDATE examples SET quarantine = ? WHERE example_id = ?",
        (event.reason, event.example_id),
    ):
        raise NotFoundError(f"no example {event.example_id}.")


def example_retracted(at: Place, event: ExampleRetracted) -> None:
    """Guard: there is such an example."""
    if not at.change(
        "UPDATE examples SET retracted = 1 WHERE example_id = ?", (event.example_id,)
    ):
        raise NotFoundError(f"no example {event.example_id}.")


def label_added(at: Place, event: LabelAdded) -> None:
    """Guard: the family has no such label from people."""
    at.add(
        "INSERT INTO labels VALUES (?, ?, ?)",
        (event.family, event.label.name, at.seq),
        taken=f"{event.family} already has a label {event.label.name}.",
    )


def model_registered(at: Place, event: ModelRegistered) -> None:
    """Guards: a new digest, a new version, and not serving yet."""
    model = event.model
    if model.state is not ModelState.CANDIDATE:
        raise IllegalTransitionError("a model is registered as a candidate.")
    at.add(
        "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, NULL, '', ?)",
        (
            model.digest,
            model.family,
            model.version,
            model.state.value,
            dumps(METRICS.write(model.metrics)),
            model.text,
            at.seq,
        ),
        taken=f"{model.family} already has a model {model.version} or these weights.",
    )


def model_refused(at: Place, event: ModelRefused) -> None:
    """Guard: a model that never served."""
    _judged(at, event, ModelState.REFUSED, " ".join(event.reasons))


def model_validated(at: Place, event: ModelValidated) -> None:
    """Guard: a model that never served."""
    _judged(at, event, ModelState.VALIDATED, event.text)


def _judged(
    at: Place, event: ModelRefused | ModelValidated, state: ModelState, text: str
) -> None:
    row = at.row(
        "SELECT state, metrics FROM models WHERE digest = ? AND family = ?",
        (event.model_digest, event.family),
    )
    if row is None:
        raise NotFoundError(f"{event.family} has no such model.")
    if ModelState(row[0]) not in UNPROVEN:
        raise IllegalTransitionError(f"the model is already {row[0]}.")
    metrics = {**json.loads(row[1]), **METRICS.write(event.metrics)}
    at.change(
        "UPDATE models SET state = ?, text = ?, metrics = ? WHERE digest = ?",
        (state.value, text, dumps(metrics), event.model_digest),
    )


def model_promoted(at: Place, event: ModelPromoted) -> None:
    """Guards: `previous` serves now, and the model may serve."""
    _expect_serving(at, event.family, event.previous)
    if event.previous:
        _leave(at, event.previous, ModelState.RETIRED)
    _serve(at, event.family, event.model_digest, event)


def model_rolled_back(at: Place, event: ModelRolledBack) -> None:
    """Guards: the model serves now, and the restored one may serve."""
    _expect_serving(at, event.family, event.model_digest)
    _leave(at, event.model_digest, ModelState.ROLLED_BACK)
    if event.restored:
        _serve(at, event.family, event.restored, event)


def _expect_serving(at: Place, family: str, digest: str) -> None:
    row = at.row(
        "SELECT digest, version FROM models WHERE family = ? AND state = 'live'",
        (family,),
    )
    if (row[0] if row else "") != digest:
        now = f"version {row[1]} serves" if row else "no model serves"
        raise PromotionRefusedError(f"{now} {family} now; look again.")


def _leave(at: Place, digest: str, state: ModelState) -> None:
    at.change("UPDATE models SET state = ? WHERE digest = ?", (state.value, digest))


def _serve(
    at: Place, family: str, digest: str, event: ModelPromoted | ModelRolledBack
) -> None:
    allowed = [state.value for state in MAY_SERVE]
    if not at.change(
        f"""UPDATE models SET state = 'live', live_at = ?, promoted_by = ?,
        text = CASE ? WHEN '' THEN text ELSE ? END WHERE digest = ? AND family = ?
        AND state IN ({", ".join("?" * len(allowed))})""",  # noqa: S608 - marks only
        (
            at.recorded_at,
            event.actor.person,
            event.text,
            event.text,
            digest,
            family,
            *allowed,
        ),
    ):
        row = at.row("SELECT state FROM models WHERE digest = ?", (digest,))
        state = f"it is {row[0]}" if row else f"{family} has no such model"
        raise PromotionRefusedError(f"the model may not serve: {state}.")
