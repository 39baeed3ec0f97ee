"""`andon user`: who has an account, and as what.

On the machine itself it asks for no login: whoever owns the coordinator's files may
change accounts, with the coordinator running (it knows them by the key in its data
folder) or stopped (the store is opened here). So the first account can be made, and a
forgotten PIN helped. From elsewhere, with --server, it takes an administrator's token.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coordinator.cli import options, output
from coordinator.errors import (
    BadTextError,
    InputError,
    LoginRequiredError,
    StoreLockedError,
)

if TYPE_CHECKING:
    from andon.v1 import access_pb2
    from coordinator.config import Settings
    from coordinator.people.accounts import Accounts
    from coordinator.terms import Actor, Person, Role

    Change = Callable[[Accounts, Actor], Awaitable[Person]]

ROLES = "auditor, operator, supervisor, engineer, admin"
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Id of the person, in the journal too.")
]
PinOption = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="Where the PIN is, - for standard input; else you are asked.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    user = typer.Typer(help="Who has an account, and as what.", rich_markup_mode=None)
    user.command("add")(add)
    user.command("list")(list_people)
    user.command("lock")(lock)
    user.command("unlock")(unlock)
    user.command("role")(role)
    user.command("pin")(pin)
    user.command("team")(team)
    user.command("login")(login)
    user.command("logout")(logout)
    app.add_typer(user, name="user")


def add(
    name: NameArgument,
    role: Annotated[str, typer.Option(help=f"One of {ROLES}.")] = "operator",
    shown: Annotated[str, typer.Option("--name", help="The name on screens.")] = "",
    team: Annotated[str, typer.Option(help="Team or shift in reports.")] = "",
    pin_file: PinOption = "",
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Give somebody an account.

    From the first account on, whoever answers has to log in.
    """
    wanted, secret = _role(role), new_pin(pin_file)

    async def change(accounts: Accounts, actor: Actor) -> Person:
        return await accounts.add(name, wanted, secret, actor, shown=shown, team=team)

    from andon.v1 import access_pb2

    request = access_pb2.AddPersonRequest(
        person=name, shown=shown, role=wanted.name, team=team, pin=secret
    )
    _told(_changed(server, config, change, request))


def list_people(
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> None:
    """List every account."""
    from andon.v1 import access_pb2, access_pb2_grpc
    from coordinator.cli import client

    at_rest = None if server else _at_rest(config)
    if at_rest is None:
        with _connected(server, config) as channel:
            stub = access_pb2_grpc.AccessServiceStub(channel)
            found = client.ask(stub.ListAccounts, access_pb2.ListAccountsRequest())
        accounts = [output.as_mapping(one) for one in found.accounts]
    else:
        accounts = [_row(person) for person in at_rest]
    if as_json:
        output.print_json(accounts)
        return
    output.print_table(
        "",
        ("person", "name", "role", "team", "state", "at"),
        [
            (
                one["person"],
                one["shown"],
                one["role"],
                one["team"],
                "locked" if one["locked"] else "in use",
                ", ".join(one.get("devices", ())),
            )
            for one in accounts
        ],
    )


def lock(
    name: NameArgument,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Take an account out of use, at once: logins end, claims are given back."""
    _one(name, server, config, lambda a, by: a.lock(name, by), locked=True)


def unlock(
    name: NameArgument,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Let an account be used again; its wrong PINs are forgotten."""
    _one(name, server, config, lambda a, by: a.unlock(name, by), locked=False)


def role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {ROLES}.")],
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Give an account another role; its logins end."""
    wanted = _role(role)
    _one(
        name,
        server,
        config,
        lambda a, by: a.change_role(name, wanted, by),
        role=wanted.name,
    )


def pin(
    name: NameArgument,
    pin_file: PinOption = "",
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Give an account another PIN; its logins end."""
    secret = new_pin(pin_file)
    _one(name, server, config, lambda a, by: a.change_pin(name, secret, by), pin=secret)


def team(
    name: NameArgument,
    team: Annotated[str, typer.Argument(metavar="TEAM", help="Team or shift.")],
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Let an account count for another team in reports."""
    _one(name, server, config, lambda a, by: a.change_team(name, team, by), team=team)


def login(
    name: NameArgument,
    token_file: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write the token.")
    ],
    pin_file: PinOption = "",
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Log in, for commands: they read the file that ANDON_TOKEN_FILE names.

    The login ends when it is not used for as long as a device may be idle.
    """
    from andon.v1 import access_pb2, access_pb2_grpc
    from coordinator.cli import client
    from coordinator.cli.token import TOKEN_FILE, keep_token

    secret = read_pin(pin_file) if pin_file else typer.prompt("PIN", hide_input=True)
    request = access_pb2.LoginRequest(
        person=name, pin=secret, device=options.this_device()
    )
    with client.connect(options.resolve_server(server, config)) as channel:
        stub = access_pb2_grpc.AccessServiceStub(channel)
        reply = client.ask(stub.Login, request)
    keep_token(token_file, reply.token)
    typer.echo(
        f"{reply.shown or reply.person} is logged in as {reply.roles[-1]} at "
        f"{options.this_device()}. Set {TOKEN_FILE}={token_file}"
    )


def logout(
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """End the login that ANDON_TOKEN_FILE or ANDON_TOKEN stands for."""
    from andon.v1 import access_pb2, access_pb2_grpc
    from coordinator.cli import client

    with client.connect(options.resolve_server(server, config)) as channel:
        stub = access_pb2_grpc.AccessServiceStub(channel)
        client.ask(stub.Logout, access_pb2.LogoutRequest())
    typer.echo("logged out.")


# -- how ---------------------------------------------------------------------------


def new_pin(pin_file: str) -> str:
    """Return the new PIN: of a file, of standard input, or typed twice."""
    if pin_file:
        return read_pin(pin_file)
    return str(typer.prompt("PIN", hide_input=True, confirmation_prompt="PIN again"))


def read_pin(pin_file: str) -> str:
    """Return the PIN in a file's first line; - is standard input.

    Raises:
        BadTextError: it cannot be read.
    """
    try:
        text = (
            sys.stdin.readline()
            if pin_file == "-"
            else Path(pin_file).read_text(encoding="utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise BadTextError("the PIN's file cannot be read.", "BAD_PIN") from error
    return text.strip().partition("\n")[0].strip()


def _role(word: str) -> Role:
    from coordinator.terms import Role

    if word.upper() not in Role.__members__:
        raise InputError(f"'{word[:20]}' is no role; there is {ROLES}.", "UNKNOWN_ROLE")
    return Role[word.upper()]


def _one(name: str, server: str, config: Path, change: Change, **to: object) -> None:
    from andon.v1 import access_pb2

    request = access_pb2.ChangePersonRequest(person=name)
    for field, value in to.items():
        setattr(request, field, value)
    _told(_changed(server, config, change, request))


def _changed(
    server: str,
    config: Path,
    change: Change,
    request: access_pb2.AddPersonRequest | access_pb2.ChangePersonRequest,
) -> dict[str, Any]:
    """Change one account, over the wire where a coordinator runs, else in its files."""
    settings = None if server else _stopped(config)
    if settings is not None:
        from coordinator.cli.users_at_rest import at_rest

        return _row(at_rest(settings, lambda accounts: change(accounts, _owner())))

    from andon.v1 import access_pb2, access_pb2_grpc
    from coordinator.cli import client

    request.by, request.idempotency_key = options.this_person(), client.new_key()
    with _connected(server, config) as channel:
        stub = access_pb2_grpc.AccessServiceStub(channel)
        if isinstance(request, access_pb2.AddPersonRequest):
            return output.as_mapping(client.ask(stub.AddPerson, request).account)
        return output.as_mapping(client.ask(stub.ChangePerson, request).account)


def _stopped(config: Path) -> Settings | None:
    """Return the settings of a plant whose coordinator does not run, else None."""
    from coordinator.cli.serve import prepare, require_unlocked

    settings = options.load_settings(config)
    prepare(settings.coordinator.data_dir)
    try:
        require_unlocked(settings.coordinator.data_dir)
    except StoreLockedError:
        return None
    return settings


def _connected(server: str, config: Path) -> Any:
    """Connect as who owns the files, if it is this machine's; else with a token."""
    from coordinator.cli import client
    from coordinator.people.machine import read_key

    if server:
        return client.connect(server)
    settings = options.load_settings(config)
    key = read_key(settings.coordinator.data_dir)
    if not key:
        raise LoginRequiredError(
            "this is for the user that the coordinator runs as, or, with --server, "
            "for administrators."
        )
    return client.connect(settings.coordinator.listen, authorization=f"Machine {key}")


def _owner() -> Actor:
    from coordinator.terms import MACHINE, Actor, PersonId

    person = PersonId(f"{MACHINE}{options.this_person()}")
    return Actor(person, options.this_device(), verified=True)


def _at_rest(config: Path) -> list[Person] | None:
    """Return the accounts of a plant at rest, changing nothing; None where it runs.

    Raises:
        NotFoundError: there is no store; it is not made for a look.
    """
    from coordinator.cli.serve import require_unlocked
    from coordinator.cli.stored import reading
    from coordinator.store.people_reader import people

    data_dir = options.load_settings(config).coordinator.data_dir
    with reading(data_dir) as db:
        try:
            require_unlocked(data_dir)
        except StoreLockedError:
            return None
        return people(db)


def _row(person: Person) -> dict[str, Any]:
    return {
        "person": person.person,
        "shown": person.shown,
        "role": person.role.name.lower(),
        "team": person.team,
        "locked": person.locked,
        "failures": person.failures,
        "added_at": person.added_at.isoformat(),
    }


def _told(account: dict[str, Any]) -> None:
    state = ", locked" if account["locked"] else ""
    team = f", team {account['team']}" if account["team"] else ""
    typer.echo(f"{account['person']}: {account['role']}{team}{state}.")
