"""`andon init` and `andon check`: write andon.toml, and say what one means."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import live_check, options, output
from coordinator.cli.buffers import about_buffers
from coordinator.cli.exits import Exit
from coordinator.errors import ConfigError, InsecureBindError

if TYPE_CHECKING:
    from coordinator.config import Settings

LARGEST_PORT: Final = 65_535


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    app.command("init")(init)
    app.command("check")(check)


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to write it; made if needed.")
    ] = Path(),
    profile: Annotated[
        str,
        typer.Option(help="Of which robot: twin (simulated), ur or franka."),
    ] = "twin",
) -> None:
    """Write a commented andon.toml.

    One that is there is never overwritten.
    """
    from coordinator import config

    content = config.template(profile)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / options.CONFIG_NAME
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError as error:
        raise ConfigError(
            f"{path} exists and is not overwritten. Remove it first, or name another "
            "folder.",
            "CONFIG_EXISTS",
        ) from error
    typer.echo(f"wrote {path}. Say your cells in it, then run `andon check`.")


def check(
    config: options.ConfigOption = options.CONFIG,
    live: live_check.LiveOption = False,
    cell: live_check.CellsOption = [],  # noqa: B006 - typer reads it, nobody writes it
    seconds: live_check.SecondsOption = 3.0,
    simulate: live_check.SimulateOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Say what the configuration means.

    What cannot be used is refused, with the key and what is allowed. With --live the
    cells' topics and services are looked at: who is there, how often and how late they
    speak. Then exit code 1 says that something would keep a cell from working.
    """
    settings = options.load_settings(config)
    require_loopback(settings.coordinator.listen)
    require_network(settings.learning.network)
    look = live_check.Look(config, cell, seconds, simulate) if live else None
    if as_json:
        raise typer.Exit(_check_as_json(config, settings, look))
    output.print_facts(_facts(settings))
    for warning in warnings_about(settings):
        typer.echo(f"note: {warning}")
    if look is None:
        typer.echo("The cells' topics were not looked at: `andon check --live` does.")
        return
    typer.echo("")
    look.require()
    raise typer.Exit(look.shown())


def _check_as_json(
    config: Path, settings: Settings, look: live_check.Look | None
) -> Exit:
    code, live = Exit.OK, {}
    if look is not None:
        look.require()
        code, found = look.as_values()
        live = {"live": found}
    output.print_json(
        {
            "config": str(config),
            "digest": settings.digest,
            "settings": settings.model_dump(mode="json"),
            "warnings": warnings_about(settings),
            **live,
        }
    )
    return code


def require_network(name: str) -> None:
    """Refuse a network that there is none of: nothing would ever be trained.

    Raises:
        ConfigError: names those that are there.
    """
    if name == "auto":
        return  # and torch, which takes seconds to load, is not needed
    from coordinator.model.registry import objection

    if text := objection(name):
        raise ConfigError(f"learning.network: {text}")


def require_loopback(listen: str) -> None:
    """Refuse an address that other machines reach: this version serves without TLS.

    Args:
        listen: host:port, an IPv6 host in brackets.

    Raises:
        ConfigError: it is not host:port.
        InsecureBindError: the host is not loopback.
    """
    host, port = split_address(listen)
    if not _is_loopback(host):
        raise InsecureBindError(
            f"listening on {host[:40]} would need TLS, which this version does not "
            f"serve. Use 127.0.0.1:{port} and a tunnel."
        )


def split_address(listen: str) -> tuple[str, int]:
    """Host and port of host:port; an IPv6 host loses its brackets.

    Raises:
        ConfigError: it is not host:port.
    """
    host, _, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    bracketed = host == f"[{bare}]"
    plain = bool(bare) and bracketed == (":" in bare)
    if not plain or not (port.isascii() and port.isdigit()) or int(port) > LARGEST_PORT:
        raise ConfigError(
            f"coordinator.listen: '{listen[:40]}' is not host:port with a port up to "
            f"{LARGEST_PORT}."
        )
    return bare, int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: what it resolves to may change
        return False


def warnings_about(settings: Settings) -> list[str]:
    """What an engineer should have decided on purpose, one sentence each."""
    found = []
    if settings.policies.autostart:
        found.append("autostart: cells start without a person after every connection.")
    if settings.policies.auto_promote:
        found.append("auto_promote: a model that passed validation serves at once.")
    found += _about_the_gate(settings)
    for name, cell in settings.cells.items():
        if cell.ros.robot.adapter == "none":
            found.append(
                f"cell {name}: MONITOR ONLY, andon holds nothing: a hold there is "
                "information, and the robot works without leave."
            )
    for name, family in settings.families.items():
        if not any(label.must_never_miss for label in family.labels):
            found.append(f"family {name}: no label is marked must_never_miss.")
    return [*found, *about_buffers(settings)]


def _about_the_gate(settings: Settings) -> list[str]:
    found = []
    if settings.gate.mode == "provisional":
        found.append(
            f"gate: acts alone from {settings.gate.threshold:g} on for "
            f"{settings.gate.provisional_hours:g} h, on the word of "
            f"{settings.gate.provisional_by}; no risk is certified."
        )
    if not settings.gate.audit_share > 0.0:
        found.append("audit_share is 0: nobody finds out what the gate gets wrong.")
    return found


def _facts(settings: Settings) -> list[tuple[str, str]]:
    section = settings.coordinator
    facts = [
        ("listen", section.listen),
        ("data", str(section.data_dir)),
        ("device", section.device),
        (
            "gate",
            f"{settings.gate.mode}, at most {settings.gate.alpha:.1%} wrong with "
            f"{1 - settings.gate.delta:.1%} certainty",
        ),
        (
            "requests",
            f"{settings.requests.deadline_s:g} s to answer, "
            f"then {settings.requests.on_timeout}",
        ),
    ]
    for name, family in settings.families.items():
        labels = ", ".join(f"{label.name}={label.action}" for label in family.labels)
        shape = f"{family.rows} x {len(family.channels)}"
        facts.append((f"family {name}", f"{shape} windows; {labels}"))
    facts += [
        (f"cell {name}", f"family {cell.family}, ROS domain {cell.ros.domain_id}")
        for name, cell in settings.cells.items()
    ]
    return [*facts, ("digest", settings.digest)]
