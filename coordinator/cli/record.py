"""`andon explain` and `andon journal`: what happened, and proof that it is unchanged.

Both read the store's files over connections that cannot write, so they work while a
coordinator serves and when none does.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from coordinator.cli import options, output
from coordinator.cli.exits import Exit, complaint
from coordinator.errors import NotFoundError


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    app.command("explain")(explain)
    journal = typer.Typer(help="The record of everything.", rich_markup_mode=None)
    journal.callback()(_journal)
    journal.command("verify")(verify)
    app.add_typer(journal, name="journal")


def _journal() -> None:
    pass  # keeps `verify` a command of its own


def explain(
    about: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A decision, window, request, part, permit, model or example.",
        ),
    ],
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> None:
    """Tell the story of one decision, part or model.

    From the window over the verdict to the person or the model that decided.
    """
    import json

    from coordinator.cli import stored
    from coordinator.insight.explain import lines
    from coordinator.store import reader

    data_dir = options.load_settings(config).coordinator.data_dir
    with stored.reading(data_dir) as db:
        entries = reader.story(db, about)
    if not entries:
        raise NotFoundError(f"the journal does not mention '{about[:40]}'.")
    if not as_json:
        for line in lines(entries):
            typer.echo(line)
        return
    output.print_json(
        [
            {
                "seq": entry.seq,
                "recorded_at": entry.recorded_at.isoformat(),
                "kind": entry.kind,
                "payload": json.loads(entry.payload_json),
                "hash": entry.hash,
            }
            for entry in entries
        ]
    )


def verify(
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> int:
    """Prove that the record is whole and unchanged.

    Follows the hash chain from the first entry and makes the tables again. Exit 1 when
    anything does not fit.
    """
    from coordinator.cli.progress import Bar
    from coordinator.store.verify import verify as verify_store

    data_dir = options.load_settings(config).coordinator.data_dir
    with Bar("verifying") as bar:
        result = verify_store(data_dir, lambda done, of: bar.show(done, of))
    if as_json:
        output.print_json(asdict(result))
    elif result.ok:
        typer.echo(f"the journal verifies: {result.text}")
    else:
        text = result.text
        if result.first_bad_seq is not None:
            text = f"first bad entry {result.first_bad_seq}: {text}"
        typer.echo(complaint("JOURNAL_BROKEN", text), err=True)
    return Exit.OK if result.ok else Exit.NEGATIVE
