"""`andon model`: what serves, what served before, what may serve next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import options, output
from coordinator.cli.output import as_mapping

if TYPE_CHECKING:
    from andon.v1 import learning_pb2

SHORT_DIGEST: Final = 12
"""Characters of a digest that people read; at least 8 are needed to name a model."""

DigestArgument = Annotated[
    str, typer.Argument(metavar="DIGEST", help="At least 8 characters of its digest.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    model = typer.Typer(help="The models of a family.", rich_markup_mode=None)
    model.command("list")(list_models)
    model.command("show")(show)
    model.command("promote")(promote)
    model.command("rollback")(rollback)
    app.add_typer(model, name="model")


def list_models(
    family: options.FamilyOption,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the models of a family, newest first."""
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        reply = client.ask(
            stub.ListModels, learning_pb2.ListModelsRequest(family=family)
        )
    if as_json:
        output.print_json([as_mapping(model) for model in reply.models])
        return
    output.print_table(
        f"models of {family}",
        ("version", "digest", "state", "examples", "accuracy", "trained", "why"),
        [_row(model) for model in reply.models],
    )


def show(
    digest: DigestArgument,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Show one model with its validation report."""
    import json

    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        reply = client.ask(
            stub.GetModel, learning_pb2.GetModelRequest(model_digest=digest)
        )
    model = as_mapping(reply.model)
    if as_json:
        output.print_json(
            {
                "model": model,
                "manifest": json.loads(reply.manifest_json or "null"),
                "report": json.loads(reply.report_json or "null"),
            }
        )
        return
    metrics = model.pop("metrics")
    output.print_facts((name, str(value)) for name, value in model.items())
    output.print_facts(
        (f"  {name}", f"{metrics[name]:.4g}") for name in sorted(metrics)
    )


def promote(
    digest: DigestArgument,
    note: options.NoteOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Serve a validated model.

    The one before stays for a rollback.
    """
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        # The whole digest is promoted, so that a prefix cannot come to mean another.
        model = client.ask(
            stub.GetModel, learning_pb2.GetModelRequest(model_digest=digest)
        ).model
        reply = client.ask(
            stub.Promote,
            learning_pb2.PromoteRequest(
                model_digest=model.model_digest,
                actor=client.actor(),
                idempotency_key=client.new_key(),
                note=note,
            ),
        )
    if as_json:
        output.print_json({"model": as_mapping(reply.model)})
        return
    typer.echo(f"version {reply.model.version} is {_state(reply.model)}")


def rollback(
    family: options.FamilyOption,
    note: options.NoteOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Serve the model before.

    Without one, everything is asked again.
    """
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        request = learning_pb2.RollbackRequest(
            family=family,
            actor=client.actor(),
            idempotency_key=client.new_key(),
            note=note,
        )
        reply = client.ask(stub.Rollback, request)
    has_model = reply.HasField("model")
    if as_json:
        output.print_json(as_mapping(reply.model) if has_model else None)
    elif has_model:
        typer.echo(f"version {reply.model.version} serves {family} again")
    else:
        typer.echo(f"no model serves {family}: everything is asked")


def _row(model: learning_pb2.Model) -> tuple[str, ...]:
    metrics: Mapping[str, float] = model.metrics
    accuracy = f"{metrics['accuracy']:.3f}" if "accuracy" in metrics else "-"
    trained = model.trained_at.ToDatetime()
    return (
        str(model.version),
        model.model_digest[:SHORT_DIGEST],
        _state(model),
        str(model.examples),
        accuracy,
        f"{trained:%Y-%m-%d %H:%M:%S} UTC",
        model.text,
    )


def _state(model: learning_pb2.Model) -> str:
    from andon.v1 import learning_pb2

    name: str = learning_pb2.ModelState.Name(model.state)
    return name.removeprefix("MODEL_STATE_").lower()
