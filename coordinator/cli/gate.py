"""`andon gate`: on what the gate rests, an engineer's word for it, and shutting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import options, output
from coordinator.cli.output import as_mapping

if TYPE_CHECKING:
    import grpc

    from andon.v1 import learning_pb2

SNAPSHOT_WITHIN_S: Final = 10.0
"""Time for the coordinator to say which families there are, s."""

AnyFamilyOption = Annotated[
    str, typer.Option(metavar="ID", help="Family of cells; by default every one.")
]
HoursOption = Annotated[
    float, typer.Option(help="How long the word holds, h; at most 744.")
]
ThresholdOption = Annotated[
    float, typer.Option(help="Least calibrated probability to act, 0.5 to 1.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    gate = typer.Typer(
        help="On what a family's gate rests, and who opened it.", rich_markup_mode=None
    )
    gate.command("status")(status)
    gate.command("provisional")(provisional)
    gate.command("close")(close)
    app.add_typer(gate, name="gate")


def status(
    family: AnyFamilyOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Show on what the gate rests, and how often it was wrong.

    With --json: one object of the family that was named, else a list of all.
    """
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        families = [family] if family else _families(channel)
        gates = [_gate(channel, one) for one in families]
    if as_json:
        shown = [as_mapping(gate) for gate in gates]
        output.print_json(shown[0] if family else shown)
        return
    for number, gate in enumerate(gates):
        if number:
            typer.echo("")
        _show(gate, as_json=False)


def _gate(channel: grpc.Channel, family: str) -> learning_pb2.GateStatus:
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    stub = learning_pb2_grpc.LearningServiceStub(channel)
    return client.ask(stub.GetGate, learning_pb2.GetGateRequest(family=family)).gate


def _families(channel: grpc.Channel) -> list[str]:
    """The families that the coordinator knows.

    Raises:
        UnavailableError: it did not say in time.
    """
    from andon.v1 import operator_pb2, operator_pb2_grpc
    from coordinator.cli import client

    stub = operator_pb2_grpc.OperatorServiceStub(channel)
    call = stub.Watch(operator_pb2.WatchRequest(actor=client.actor()))
    for change in client.watch(call, first_within_s=SNAPSHOT_WITHIN_S):
        call.cancel()
        return [one.family for one in change.snapshot.families]
    return []


def provisional(
    family: options.FamilyOption,
    hours: HoursOption = 8.0,
    threshold: ThresholdOption = 0.9,
    note: options.NoteOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Let the gate act on your word, although no risk is certified.

    Your name and the end are on record and on every screen. Audits that find too many
    errors take it back.
    """
    from datetime import timedelta

    from google.protobuf.duration_pb2 import Duration

    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    duration = Duration()
    duration.FromTimedelta(timedelta(hours=hours))
    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        request = learning_pb2.GrantProvisionalRequest(
            family=family,
            actor=client.actor(),
            idempotency_key=client.new_key(),
            note=note,
            threshold=threshold,
            duration=duration,
        )
        reply = client.ask(stub.GrantProvisional, request)
    _show(reply.gate, as_json=as_json)


def close(
    family: options.FamilyOption,
    note: options.NoteOption = "",
    server: options.ServerOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Ask about everything from now on; what was audited before proves nothing then."""
    from andon.v1 import learning_pb2, learning_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server)) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        request = learning_pb2.CloseGateRequest(
            family=family,
            actor=client.actor(),
            idempotency_key=client.new_key(),
            note=note,
        )
        reply = client.ask(stub.CloseGate, request)
    _show(reply.gate, as_json=as_json)


def _show(gate: learning_pb2.GateStatus, *, as_json: bool) -> None:
    if as_json:
        output.print_json(as_mapping(gate))
        return
    sure = 1.0 - gate.delta
    sight = (
        f"certificate at about {gate.needed}"
        if gate.needed
        else "no certificate in sight"
    )
    facts = [
        ("family", gate.family),
        ("gate", gate.state),
        ("", gate.text),
        (
            "promise",
            f"at most {_share(gate.alpha)} wrong, {_share(sure)} sure",
        ),
        ("audited", f"{gate.audited} cases, {sight}"),
        ("audit rate", f"{_share(gate.audit_share)} of the windows"),
        ("decided alone", _errors(gate)),
    ]
    facts += [
        (
            ", ".join(group.labels),
            f"alone from {group.threshold:.3f} on: {group.losses:g} lost, "
            f"{group.missed} missed in {group.cases} audited cases",
        )
        for group in gate.groups
    ]
    output.print_facts(facts)


def _errors(gate: learning_pb2.GateStatus) -> str:
    if not gate.wrong_audited:
        return f"{gate.wrong_decided} windows, none audited yet"
    return (
        f"{_share(gate.wrong)} wrong ({_share(gate.wrong_low)} to "
        f"{_share(gate.wrong_high)}), from {gate.wrong_audited} audits of "
        f"{gate.wrong_decided} windows"
    )


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"
