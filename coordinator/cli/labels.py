"""`andon label add`: a new thing that can be said of a window."""

from __future__ import annotations

from typing import Annotated

import typer

from coordinator.cli import options, output


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    label = typer.Typer(help="What can be said of a window.", rich_markup_mode=None)
    label.callback()(_label)
    label.command("add")(add)
    app.add_typer(label, name="label")


def _label() -> None:
    pass  # keeps `add` a command of its own


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Id of the label.")],
    family: options.FamilyOption,
    action: Annotated[
        str,
        typer.Option(help="What it lets the robot do: continue, rework, reject, stop."),
    ],
    text: Annotated[str, typer.Option(help="What people read.")] = "",
    must_never_miss: Annotated[
        bool, typer.Option("--must-never-miss", help="A miss blocks a promotion.")
    ] = False,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Add a label to a family.

    Models learn it from the answers that use it.
    """
    from andon.v1 import learning_pb2, learning_pb2_grpc, terms_pb2
    from coordinator.cli import client

    actions = {
        name.removeprefix("ACTION_").lower(): value
        for name, value in terms_pb2.Action.items()
        if value != terms_pb2.ACTION_UNSPECIFIED
    }
    if action not in actions:
        raise typer.BadParameter(
            f"'{action[:20]}' is no action; there is {', '.join(actions)}."
        )
    request = learning_pb2.AddLabelRequest(
        family=family,
        label=terms_pb2.Label(
            name=name,
            action=actions[action],
            must_never_miss=must_never_miss,
            text=text or name,
        ),
        actor=client.actor(),
        idempotency_key=client.new_key(),
    )
    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        reply = client.ask(stub.AddLabel, request)
    names = [label.name for label in reply.labels]
    if as_json:
        output.print_json({"family": family, "labels": names})
        return
    typer.echo(f"family {family} knows: {', '.join(names)}")
