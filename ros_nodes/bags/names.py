"""Full names of a cell's topics."""

from __future__ import annotations

from ros_nodes.config import CellConfig


def full_name(cell: CellConfig, name: str) -> str:
    """Return the name that others see: relative ones live below the namespace."""
    if name.startswith("/"):
        return name
    if name.startswith("~/"):
        return f"{cell.namespace}/cell_node/{name[2:]}"
    return f"{cell.namespace}/{name}"
