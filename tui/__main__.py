"""`python -m tui`: the operator's terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tui import log
from tui.app import AndonApp
from tui.clips import FOLDER
from tui.hangup import end_with_terminal
from tui.identity import actor
from tui.wall import WallApp
from tui.words import preferred, speak

USAGE: Final = 2
"""Exit code of a wrong argument, or of a place where no picture can be drawn."""

INPUT_OUTPUT: Final = 7
"""Exit code of a log that cannot be written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the terminal until the person leaves; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tui", description="The operator's terminal."
    )
    add = parser.add_argument
    add("--server", default="127.0.0.1:50551", help="host:port of the coordinator")
    add("--person", help="id of the person (default: the user of this computer)")
    add("--stay", action="store_true", help="after an answer, back to the board")
    add("--teach", action="store_true", help="begin with labelling stored windows")
    add("--wall", action="store_true", help="only show, large, without keys")
    add("--language", default="", help="en or de (default: by LANG)")
    add("--clips", type=Path, default=FOLDER, help="folder to save clips in")
    add("--log", type=Path, default=_log_file(), help="file to log to")
    options = parser.parse_args(arguments)
    try:
        who = actor(options.person, "tui")
    except ValueError as error:
        parser.error(str(error))
    obstacle = _obstacle()
    if obstacle:
        sys.stderr.write(f"andon: error: NO_TERMINAL: {obstacle}\n")
        return USAGE
    try:
        log.to_file(options.log)
    except OSError as error:
        sys.stderr.write(f"{options.log}: {error.strerror or error}\n")
        return INPUT_OUTPUT
    speak(preferred(options.language))
    stay, clips, teach = options.stay, options.clips, options.teach
    wall, person = WallApp, AndonApp
    app: WallApp | AndonApp = (
        wall(options.server, who)
        if options.wall
        else person(options.server, who, go_on=not stay, clips=clips, teach=teach)
    )
    end_with_terminal(app)
    app.run()
    return app.return_code or 0


def _obstacle() -> str:
    """Why no picture can be drawn here, in a sentence; "" when one can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return (
            "standard input or output is no terminal. Run it in one, not in a pipe or "
            "a service."
        )
    if os.environ.get("TERM", "dumb") == "dumb":
        return "TERM is missing or 'dumb'. Set it, for example TERM=xterm-256color."
    columns, rows = shutil.get_terminal_size()
    if columns < 40 or rows < 12:
        return (
            f"80 columns and 24 rows are needed, not {columns} and {rows}. Make the "
            "window larger."
        )
    return ""


def _log_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "andon" / "tui.log"


if __name__ == "__main__":
    sys.exit(main())
