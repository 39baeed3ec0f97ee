"""The report of the simulated people is whole, whatever they heard."""

import json
from collections import Counter
from pathlib import Path

from tui.ledger import Acknowledged, Ledger


def test_refusals_are_counted_by_their_token(tmp_path: Path) -> None:
    ledger = Ledger(answered=2, refused=Counter({"REQUEST_CLOSED": 3}))
    ledger.acknowledged.append(Acknowledged("r-1", "ok", 7))
    ledger.write(tmp_path / "report.json")

    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["refused"] == {"REQUEST_CLOSED": 3}
    assert found["acknowledged"][0]["request_id"] == "r-1"
    assert ledger.refused == {"REQUEST_CLOSED": 3}
