"""Truth is read as it grows, and a broken line is said."""

from __future__ import annotations

import pytest

from tui.truth import Truth, TruthError, TruthFiles


def test_a_line_is_found_when_it_is_complete(tmp_path) -> None:
    path = tmp_path / "truth-press-1.jsonl"
    files = TruthFiles(tmp_path)
    assert files.find("press-1", 3) is None
    path.write_text('{"cycle": 3, "label": "ok", "ambig')
    assert files.find("press-1", 3) is None

    path.write_text('{"cycle": 3, "label": "ok", "ambiguous": true}\n')

    assert files.find("press-1", 3) == Truth("ok", ambiguous=True)


def test_a_file_begun_again_is_read_again(tmp_path) -> None:
    path = tmp_path / "truth-press-1.jsonl"
    files = TruthFiles(tmp_path)
    path.write_text('{"cycle": 3, "label": "grip_slip", "ambiguous": false}\n')
    assert files.find("press-1", 3) == Truth("grip_slip")

    path.write_text('{"cycle": 4, "label": "ok"}\n')

    assert files.find("press-1", 4) == Truth("ok")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("not json", id="text"),
        pytest.param("[1, 2]", id="a-list"),
        pytest.param('{"cycle": "3", "label": "ok"}', id="cycle-in-quotes"),
        pytest.param('{"cycle": 3}', id="no-label"),
    ],
)
def test_a_broken_line_is_refused(tmp_path, line) -> None:
    (tmp_path / "truth-press-1.jsonl").write_text(line + "\n")

    with pytest.raises(TruthError, match=r"truth-press-1\.jsonl has a line"):
        TruthFiles(tmp_path).find("press-1", 3)


def test_a_cell_cannot_lead_out_of_the_folder(tmp_path) -> None:
    (tmp_path / "truth-x").mkdir()
    (tmp_path / "secret.jsonl").write_text('{"cycle": 1, "label": "ok"}\n')

    assert TruthFiles(tmp_path).find("x/../secret", 1) is None
