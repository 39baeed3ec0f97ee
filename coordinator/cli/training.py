"""`andon train`: train now, and watch it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import options, output
from coordinator.errors import TrainingError, UnavailableError

if TYPE_CHECKING:
    from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2

LONGEST_S: Final = 3_600.0
BEGIN_WITHIN_S: Final = 30.0
"""A coordinator that has nothing new to say about a training says nothing, s."""
BUSY: Final = frozenset({"training", "validating", "shadow"})


def register(app: typer.Typer) -> None:
    """Add the command to andon."""
    app.command("train")(train)


def train(
    family: options.FamilyOption,
    server: options.ServerOption = "",
    wait: Annotated[bool, typer.Option(help="Show the training until it ends.")] = True,
    as_json: options.JsonOption = False,
) -> None:
    """Train a model now, from every label so far.

    It does not wait for the answers that the next training would need. Exit 1 when it
    gave no model; whether the model may serve, its validation says.
    """
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        # Watched before it is started, so that a quick training is not missed.
        changes = stub.WatchLearning(
            learning_pb2.WatchLearningRequest(family=family), timeout=LONGEST_S
        )
        last = next(changes).status
        newest = _newest_version(stub, family)
        request = learning_pb2.StartTrainingRequest(
            family=family, actor=client.actor(), idempotency_key=client.new_key()
        )
        run_id = client.ask(stub.StartTraining, request).run_id
        if wait:
            news = client.watch(changes, first_within_s=BEGIN_WITHIN_S)
            last = _follow(news, last, quiet=as_json)
            if not _newest_version(stub, family) > newest:
                raise TrainingError(last.text, "NO_MODEL")
        changes.cancel()
    if as_json:
        output.print_json({"run_id": run_id, "status": output.as_mapping(last)})
    else:
        typer.echo(last.text if wait else f"training {run_id} has started")


def _follow(
    changes: Iterator[learning_pb2.WatchLearningResponse],
    before: operator_pb2.LearningStatus,
    *,
    quiet: bool,
) -> operator_pb2.LearningStatus:
    """Show the phases until the training has ended, and return the last status."""
    from rich.console import Console
    from rich.progress import Progress

    last, begun = before, False
    with Progress(console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task("waiting", total=1.0)
        for change in changes:
            last = change.status
            progress.update(bar, description=last.phase, completed=last.progress)
            if last.phase in BUSY:
                begun = True
            elif begun or last.text != before.text:
                return last
    raise UnavailableError("the watch ended before the training did.", "WATCH_ENDED")


def _newest_version(stub: learning_pb2_grpc.LearningServiceStub, family: str) -> int:
    from andon.v1 import learning_pb2
    from coordinator.cli import client

    request = learning_pb2.ListModelsRequest(family=family)
    models = client.ask(stub.ListModels, request).models
    return max((model.version for model in models), default=0)
