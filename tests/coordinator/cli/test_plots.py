"""Curves in the terminal."""

from coordinator.cli import plots


def test_a_rising_line_begins_low_and_ends_high() -> None:
    lines = plots.curve([(0.0, 0.0), (1.0, 1.0)], across="x", up="y")

    drawn = [line[-plots.WIDTH :] for line in lines[1 : 1 + plots.HEIGHT]]
    assert len(drawn) == plots.HEIGHT
    assert drawn[-1][0] != "\u2800"
    assert drawn[0][-1] != "\u2800"
    assert drawn[0][0] == "\u2800"
    assert lines[0].strip() == "y"
    assert lines[-1].endswith("100.0 %")


def test_a_flat_zero_line_lies_at_the_bottom() -> None:
    lines = plots.curve([(0.5, 0.0), (1.0, 0.0)], across="x", up="y")

    drawn = [line[-plots.WIDTH :] for line in lines[1 : 1 + plots.HEIGHT]]
    assert set(drawn[0]) == {"\u2800"}
    assert "\u2800" not in drawn[-1]


def test_no_points_say_so() -> None:
    assert plots.curve([], across="x", up="risk") == ["risk: nothing to draw."]


def test_bars_stand_on_each_other() -> None:
    lines = plots.bars([(10, 0), (5, 5), (0, 10)], names=("alone", "asked"), most=10)

    assert lines[0].split()[0] == "10"
    bottom = lines[plots.HEIGHT - 1].split()
    assert [column[0] for column in bottom] == ["█", "█", "░"]
    assert "█ alone  ░ asked" in lines[-1]
