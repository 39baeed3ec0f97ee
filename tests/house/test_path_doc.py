from pathlib import Path

from coordinator.live.cell.table import diagram

ROOT = Path(__file__).parents[2]


def test_the_state_diagram_in_the_docs_is_the_one_of_the_table() -> None:
    assert diagram() in (ROOT / "docs/path.md").read_text("utf-8")
