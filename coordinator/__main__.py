"""`andon` and `python -m coordinator`: every command, and the last word on errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from coordinator import __version__
from coordinator.cli import (
    backtest,
    clips,
    configure,
    dataset,
    demo,
    doctor,
    gate,
    labels,
    looking_back,
    models,
    programs,
    record,
    report,
    serve,
    training,
    users,
)
from coordinator.cli.exits import Exit, complaint, exit_code
from coordinator.errors import AndonError

_GROUPS = (
    configure,
    demo,
    serve,
    programs,
    training,
    models,
    gate,
    labels,
    clips,
    looking_back,
    dataset,
    backtest,
    record,
    users,
    report,
    doctor,
)
"""Command groups in the order of `andon --help`."""


def build() -> typer.Typer:
    """The command line with every group registered."""
    app = typer.Typer(
        help="A cobot that is not sure stops, asks, and knows better the next time.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_andon)
    for group in _GROUPS:
        group.register(app)
    return app


def _andon(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    if version:
        typer.echo(f"andon {__version__}")
        raise typer.Exit(Exit.OK)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.OK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; refusals become one line on stderr.

    Anything that is neither a refusal nor the operating system's is a bug, and keeps
    its traceback.
    """
    try:
        code = build()(args=arguments, prog_name="andon", standalone_mode=False)
    except AndonError as error:
        return _refuse(exit_code(error), error.code, error.text)
    except typer.Abort:
        return _refuse(Exit.NEGATIVE, "ABORTED", "stopped before anything was done.")
    except typer.TyperException as error:
        return _refuse(Exit.USAGE, "USAGE", error.format_message())
    except OSError as error:
        text = (
            f"{error.strerror or error}: {error.filename}" if error.filename else error
        )
        return _refuse(Exit.DISK, "DISK", f"{text}.")
    return code if isinstance(code, int) else Exit.OK


def _refuse(code: Exit, token: str, text: str) -> int:
    sys.stderr.write(complaint(token, text) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
