"""`andon dataset agreement` and `decide`: how far people agree, who ends a dispute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli import options, output

if TYPE_CHECKING:
    from andon.v1 import learning_pb2


def register(dataset: typer.Typer) -> None:
    """Add the commands to `andon dataset`."""
    dataset.command("agreement")(agreement)
    dataset.command("decide")(decide)


def agreement(
    family: options.FamilyOption,
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Show how far people agree about stored windows, and about which they do not."""
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    ask = learning_pb2.GetAgreementRequest(family=family)
    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        found = client.ask(stub.GetAgreement, ask)
    if as_json:
        output.print_json(output.as_mapping(found))
    else:
        _print(found)


def _print(found: learning_pb2.GetAgreementResponse) -> None:
    said = {
        "cohen": "Cohen's kappa",
        "krippendorff": "Krippendorff's alpha",
    }.get(found.coefficient, "beyond chance")
    unknown = "not known: no window was seen by two people"
    chance = "not known: everybody said the same label" if found.windows else unknown
    output.print_facts(
        (
            ("family", found.family),
            ("seen by two or more", f"{found.windows} windows, {found.people} people"),
            ("agree", f"{found.percent:.0%}" if found.HasField("percent") else unknown),
            (said, f"{found.value:.2f}" if found.HasField("value") else chance),
            ("cannot tell", f"{found.cannot_tell} times"),
        )
    )
    if found.pairs:
        output.print_table(
            "what two people said of the same window",
            ("one", "other", "pairs"),
            ((pair.one, pair.other, str(pair.count)) for pair in found.pairs),
        )
    if found.disputes:
        output.print_table(
            "disputed: nobody learns them; `andon dataset decide WINDOW LABEL` ends it",
            ("window", "said"),
            (
                (one.window_id, ", ".join(f"{x.people} {x.label}" for x in one.said))
                for one in found.disputes
            ),
        )


def decide(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="A disputed one.")],
    family: options.FamilyOption,
    label: Annotated[
        str,
        typer.Argument(metavar="LABEL", help="What it is; none: nobody can tell."),
    ] = "",
    note: options.NoteOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """End a contradiction by name; it holds whatever is said afterwards."""
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client
    from coordinator.errors import NotFoundError

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        ask = learning_pb2.GetAgreementRequest(family=family)
        disputes = client.ask(stub.GetAgreement, ask).disputes
        found = next((one for one in disputes if one.window_id == window), None)
        if found is None:
            raise NotFoundError(f"nobody disputes window {window[:40]}.")
        request = learning_pb2.DecideLabelRequest(
            family=family,
            actor=client.actor(),
            idempotency_key=client.new_key(),
            window_id=window,
            view_digest=found.view_digest,
            label=label,
            nobody_can_tell=not label,
            note=note,
        )
        reply = client.ask(stub.DecideLabel, request)
    if as_json:
        output.print_json({"window": window, "label": label})
        return
    what = f"is {label}" if label else "is what nobody can tell"
    typer.echo(f"window {window} {what}; {reply.status.disputed} are disputed still")
