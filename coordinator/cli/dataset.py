"""`andon dataset`: recordings in, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli import agreement
from coordinator.cli.options import CONFIG, JsonOption, load_settings

if TYPE_CHECKING:
    from coordinator.insight.stats import DatasetStats

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help=f"Where andon keeps its data; by default as ./{CONFIG} says, "
        "else ./andon-data.",
    ),
]

dataset = typer.Typer(no_args_is_help=True, help="Recordings of real cells.")


def register(app: typer.Typer) -> None:
    """Add the group to `andon`."""
    agreement.register(dataset)
    app.add_typer(dataset, name="dataset")


def resolve_data_dir(data_dir: Path | None) -> Path:
    """The folder that was given, else the configured one, else the default.

    Raises:
        ConfigError: there is a configuration and it is refused.
    """
    if data_dir is not None:
        return data_dir
    if CONFIG.exists():
        return load_settings(CONFIG).coordinator.data_dir
    return Path("andon-data")


@dataset.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="One row a sample.")],
    schema: Annotated[
        Path, typer.Option(metavar="FILE.toml", help="What its columns mean.")
    ],
    name: Annotated[
        str, typer.Option(metavar="ID", help="By default the name of the file.")
    ] = "",
    data_dir: DataDirOption = None,
) -> None:
    """Keep a labelled recording as a dataset: the whole of it, or nothing."""
    from coordinator.cli.progress import Bar
    from coordinator.insight.dataset import import_dataset
    from coordinator.insight.stats import describe

    with Bar(f"reading {file.name}") as bar:
        kept = import_dataset(
            file,
            schema,
            data_dir=resolve_data_dir(data_dir),
            name=name,
            progress=bar.show,
        )
    stats = describe(kept)
    by_label = ", ".join(f"{count} {label}" for label, count in stats.windows.items())
    windows = sum(stats.windows.values())
    print(
        f"dataset {kept.name}: {stats.rows} rows in {stats.groups} groups, "
        f"{windows} windows ({by_label})."
    )


@dataset.command("stats")
def stats_(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="Name or folder.")],
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what is in a dataset: labels, groups, time, holes, ranges, duplicates."""
    from dataclasses import asdict

    from coordinator.cli.output import print_json
    from coordinator.insight.dataset import find_dataset, open_dataset
    from coordinator.insight.stats import describe

    stats = describe(open_dataset(find_dataset(name, resolve_data_dir(data_dir))))
    if as_json:
        print_json(asdict(stats))
    else:
        _print_stats(stats)


def _print_stats(stats: DatasetStats) -> None:
    from coordinator.cli.output import print_facts, print_table

    windows = sum(stats.windows.values())
    print_facts(
        (
            ("dataset", stats.name),
            ("digest", stats.digest),
            ("rows", f"{stats.rows}, one every {stats.period_s:.3f} s"),
            ("groups", f"{stats.groups}, {stats.groups_without_window} without window"),
            ("time", f"{stats.first_at} to {stats.last_at}, {stats.span_s:.0f} s"),
            ("windows", f"{windows}, {stats.gap_windows} with a gap"),
            (
                "duplicates",
                f"{stats.duplicates} windows, {stats.contradictions} contradict",
            ),
        )
    )
    print_table(
        "labels, most severe first",
        ("label", "windows", "share"),
        ((label, str(n), f"{n / windows:.1%}") for label, n in stats.windows.items()),
    )
    print_table(
        "channels",
        ("channel", "unit", "missing", "least", "greatest", "out of range", "absent"),
        (
            (
                c.name,
                c.unit,
                f"{c.missing:.2%}",
                "none" if c.minimum is None else f"{c.minimum:.4g}",
                "none" if c.maximum is None else f"{c.maximum:.4g}",
                str(c.out_of_range),
                f"{c.absent_windows} windows",
            )
            for c in stats.channels
        ),
    )
