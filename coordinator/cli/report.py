"""`andon report shift`: what the answers of a shift were worth, by team."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from coordinator.cli import options, output
from coordinator.clock import SystemClock
from coordinator.errors import InputError

if TYPE_CHECKING:
    from coordinator.insight.catches import Board
    from coordinator.insight.shift_report import Tally

_HOURS: Final = re.compile(r"(\d+(?:\.\d+)?)h")


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    report = typer.Typer(help="What happened, for people.", rich_markup_mode=None)
    report.callback()(_report)
    report.command("shift")(shift)
    app.add_typer(report, name="report")


def _report() -> None:
    pass  # keeps `shift` a command of its own


def shift(
    since: Annotated[
        str, typer.Option(help="8h for the last 8 hours, or a moment in ISO 8601.")
    ] = "8h",
    config: options.ConfigOption = options.CONFIG,
    as_json: options.JsonOption = False,
) -> None:
    """Show agreement, speed and haste of a shift's answers, by team.

    It names no person, and ranks none. It reads the store's files, in use or not.
    """
    from coordinator.cli.stored import all_entries
    from coordinator.insight.shift_report import shift_report
    from coordinator.vocabulary import Vocabulary

    settings = options.load_settings(config)
    found = shift_report(
        all_entries(settings.coordinator.data_dir),
        moment(since, SystemClock().utc_now()),
        never_miss={
            label.name
            for family in settings.family_terms().values()
            for label in family.labels
            if label.must_never_miss
        },
        least_view=timedelta(seconds=settings.people.least_view_s),
        action_of=Vocabulary(settings.family_terms()).action_of,
    )
    if as_json:
        output.print_json(
            {
                "since": found.since.isoformat(),
                "all": found.all.as_mapping(),
                "teams": {name: one.as_mapping() for name, one in found.teams.items()},
                "timed_out": found.timed_out,
                "taken_back": found.taken_back,
                "caught": {
                    "all": found.caught.all.as_mapping(),
                    "teams": {
                        name: one.as_mapping()
                        for name, one in found.caught.teams.items()
                    },
                },
            }
        )
        return
    rows = [_row("all", found.all)]
    rows += [_row(name or "no team", found.teams[name]) for name in sorted(found.teams)]
    output.print_table(
        f"answers since {found.since:%Y-%m-%d %H:%M} UTC",
        ("team", "answers", "agreed", "caught", "blind", "led", "rash", "to answer"),
        rows,
    )
    typer.echo(
        f"{found.timed_out} timed out, {found.taken_back} taken back.\n"
        "agreed: said what the model guessed. caught: a label that may not be missed, "
        "where\nthe model had said another. blind: asked without the guess, and the "
        "share that said it\nat first. led: took the guess after having said another. "
        "rash: sooner than one can look."
    )
    _print_caught(found.caught)


def _print_caught(found: Board) -> None:
    """Print what was caught; teams of fewer than three are not shown apart."""
    from coordinator.insight.catches import LEAST_TEAM

    teams = [(name, found.teams[name]) for name in sorted(found.teams)]
    output.print_table(
        "what was caught",
        ("team", "faults", "model's errors", "known cases"),
        [
            (
                name,
                str(one.faults),
                str(one.errors),
                f"{one.known_right} of {one.known}" if one.known else "none",
            )
            for name, one in [("all", found.all), *teams]
        ],
    )
    typer.echo(
        "faults: questions where the model had guessed no fault. model's errors: found "
        "by audits.\nknown cases: answered as people had agreed before. Teams of fewer "
        f"than {LEAST_TEAM} people count\nfor all together alone."
    )


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that 8h, or an ISO 8601 time, stands for; UTC.

    Raises:
        InputError: it is neither.
    """
    hours = _HOURS.fullmatch(text.strip())
    if hours:
        return now - timedelta(hours=float(hours.group(1)))
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"'{text[:30]}' is neither hours like 8h nor a time.", "BAD_TIME"
        ) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _row(name: str, tally: Tally) -> tuple[str, ...]:
    known = tally.as_mapping()
    took = known["median_to_answer_s"]
    return (
        name,
        str(tally.answers),
        _share(tally.agreed, tally.with_guess),
        str(tally.caught),
        _share(tally.blind_agreed, tally.blind),
        str(tally.blind_led),
        str(tally.rash),
        "none" if took is None else f"{took:.0f} s",
    )


def _share(part: int, whole: int) -> str:
    """A share of nothing is none, not 0 %."""
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "none"
