"""`andon serve`: the coordinator itself, in the foreground."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from coordinator.cli import options
from coordinator.cli.configure import require_loopback, require_network
from coordinator.errors import StoreDegradedError

LOG_NAME: Final = "coordinator.log"
LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
"""Below this much room the coordinator does not start."""


def register(app: typer.Typer) -> None:
    """Add the command to andon."""
    app.command("serve")(serve)


def serve(
    config: options.ConfigOption = options.CONFIG,
    log_level: Annotated[
        str, typer.Option(help="Least level to log: DEBUG, INFO, WARNING, ERROR.")
    ] = "INFO",
) -> int:
    """Run the coordinator until SIGTERM or Ctrl-C.

    The log goes to coordinator.log in data_dir.
    """
    level = log_level.upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise typer.BadParameter(f"'{log_level[:20]}' is none of the log levels.")
    settings = options.load_settings(config)
    require_loopback(settings.coordinator.listen)
    data_dir = settings.coordinator.data_dir
    prepare(data_dir)
    require_unlocked(data_dir)
    require_network(settings.learning.network)

    from coordinator import app, log

    log.configure(data_dir / LOG_NAME, level=level)

    def announce(address: str) -> None:
        cells = ", ".join(settings.cells)
        typer.echo(f"andon serves {cells} at {address}; data in {data_dir}")
        if port := settings.service.web_port:
            typer.echo(
                f"the page for tablets: http://{settings.service.web_host}:{port}"
            )

    return asyncio.run(app.serve(settings, ready=announce))


def require_unlocked(data_dir: Path) -> None:
    """Refuse at once what the store would refuse later: torch takes seconds to load.

    Raises:
        StoreLockedError: another coordinator holds the store; names its pid.
    """
    from coordinator.store.database import LOCK, DirectoryLock

    DirectoryLock(data_dir / LOCK).release()


def prepare(data_dir: Path) -> None:
    """Make the data folder, for its owner's eyes alone, and see that there is room.

    Raises:
        StoreDegradedError: it cannot be made or has too little room.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        raise StoreDegradedError(
            f"the data folder cannot be used: {error.strerror}.", "DATA_DIR"
        ) from error
    if not free >= LEAST_FREE_BYTES:
        raise StoreDegradedError(
            f"{free // 2**20} MiB free in the data folder, need "
            f"{LEAST_FREE_BYTES // 2**20} MiB.",
            "NO_SPACE",
        )
