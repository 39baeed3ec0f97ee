"""What one demo is: its folder, its cells, its configuration."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coordinator import config
from coordinator.clock import Clock
from coordinator.errors import NotFoundError
from coordinator.terms import CellId

FAMILY: Final = "peg"
PAGE_PORT: Final = 8750
HIGHEST_DOMAIN: Final = 101
"""ROS domains above it fall into the ports that the kernel gives to others."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one demo keeps everything.

    andon.toml    its configuration
    data/         journal, windows, models
    evidence/     truth/, trace/, logs/, operator.json: what the report is made of
    """

    path: Path

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.path / "andon.toml"

    @property
    def data(self) -> Path:
        """The coordinator's data."""
        return self.path / "data"

    @property
    def evidence(self) -> Path:
        """What the report is made of, besides the journal."""
        return self.path / "evidence"

    @property
    def truth(self) -> Path:
        """What the simulated cells know, for the operator and the report alone."""
        return self.evidence / "truth"

    @property
    def trace(self) -> Path:
        """What nodes and robots wrote down by their own clocks."""
        return self.evidence / "trace"

    @property
    def logs(self) -> Path:
        """What the programs printed."""
        return self.evidence / "logs"

    @property
    def operator(self) -> Path:
        """The simulated operator's own report."""
        return self.evidence / "operator.json"

    def make(self) -> None:
        """Make what is not there yet."""
        for folder in (self.truth, self.trace, self.logs):
            folder.mkdir(parents=True, exist_ok=True)


def open_folder(parent: Path, clock: Clock, *, keep: bool) -> Folder:
    """A folder for one demo below parent; nothing of an earlier one is touched.

    Args:
        parent: Where demos are kept, one folder each, named by their time.
        clock: For the name.
        keep: Go on with the journal and the models of the newest demo there; its
            evidence is put aside, because cycles are counted from 0 again.

    Raises:
        NotFoundError: there is no earlier demo to go on with.
    """
    if keep:
        folder = _newest(parent)
        aside = sum(1 for _ in folder.path.glob("evidence*"))
        if folder.evidence.exists():
            folder.evidence.rename(folder.path / f"evidence-{aside}")
    else:
        folder = Folder(parent / f"{clock.utc_now():%Y%m%d-%H%M%S}")
        while folder.path.exists():
            folder = Folder(folder.path.with_name(folder.path.name + "-again"))
    folder.make()
    return folder


def _newest(parent: Path) -> Folder:
    earlier = sorted(path.parent for path in parent.glob("*/andon.toml"))
    if not earlier:
        raise NotFoundError(
            f"there is no earlier demo in {parent.name} to keep.", "NO_DEMO"
        )
    return Folder(earlier[-1])


def cell_names(count: int) -> tuple[CellId, ...]:
    """press-1, press-2 and so on."""
    return tuple(CellId(f"press-{n + 1}") for n in range(count))


def share_out(cycles: int, cells: tuple[CellId, ...]) -> dict[CellId, int]:
    """Cycles for each cell; the first cells take what does not divide."""
    each, rest = divmod(cycles, len(cells))
    return {cell: each + (n < rest) for n, cell in enumerate(cells)}


def free_address() -> str:
    """A loopback address that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return f"127.0.0.1:{port}"


def free_domains(count: int) -> list[int]:
    """ROS domains for so many cells, one each, so that no cell hears another.

    The first is drawn at random: two demos on one computer rarely meet.
    """
    first = 1 + secrets.randbelow(HIGHEST_DOMAIN - count)
    return list(range(first, first + count))


def page_port() -> int:
    """A loopback port for the page: always the same one, unless somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PAGE_PORT))
        except OSError:
            return int(free_address().rpartition(":")[2])
    return PAGE_PORT


def configuration(
    cells: tuple[CellId, ...],
    listen: str,
    domains: list[int],
    *,
    alone: bool = False,
    web_port: int = 0,
    certified: bool = False,
) -> str:
    """The andon.toml of a demo: the commented template, with what differs changed.

    Args:
        cells: Their names.
        listen: Address of the coordinator.
        domains: ROS domain of each cell.
        alone: A simulated operator answers, who never takes anything back: an answer
            is final at once.
        web_port: Of the page for tablets; 0 serves none.
        certified: Nothing is decided alone before a risk is proven; otherwise the gate
            acts on the word of the demo.

    Raises:
        ConfigError: the template has changed so much that this is not possible.
    """
    common, _, _ = config.template().partition("\n# One table a cell.")
    text = _replace(
        common,
        {
            "listen": f'"{listen}"',
            "data_dir": '"data"',
            "autostart": "true",
            "auto_promote": "true",
            "mode": '"certified"' if certified else '"provisional"',
            "provisional_by": '""' if certified else '"demo"',
            "web_port": str(web_port),
            "flood_per_10_min": "1000",  # its cells work faster than any plant's
            **({"undo_s": "0.0"} if alone else {}),
        },
    )
    tables = [
        f'[cells.{cell}]\nfamily = "{FAMILY}"\n\n'
        f"[cells.{cell}.ros]\ndomain_id = {domain}\n"
        for cell, domain in zip(cells, domains, strict=True)
    ]
    whole = "\n".join([text, *tables])
    config.parse(whole)
    return whole


def _replace(text: str, values: Mapping[str, str]) -> str:
    """Give keys other values; the comments behind them stay."""
    for key, value in values.items():
        pattern = rf"^({key} *= *)(?:\"[^\"]*\"|[^\s#]+)"
        text = re.sub(pattern, rf"\g<1>{value}", text, count=1, flags=re.MULTILINE)
    return text
