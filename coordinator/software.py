"""Which andon this is: version and, in a checkout, the commit."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from coordinator import __version__


@cache
def commit() -> str:
    """Return the commit of the checkout this code runs from, "" outside of one."""
    git = Path(__file__).resolve().parents[1] / ".git"
    try:
        head = (git / "HEAD").read_text("ascii").strip()
        if not head.startswith("ref: "):
            return head
        ref = head.removeprefix("ref: ")
        loose = git / ref
        if loose.exists():
            return loose.read_text("ascii").strip()
        packed = (git / "packed-refs").read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.split()[0] for line in packed if line.endswith(ref)), "")


def describe() -> str:
    """Return version and commit, for people and for the journal."""
    return f"andon {__version__} {commit()[:12]}".strip()
