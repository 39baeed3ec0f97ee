"""What is usual, for how long it is remembered, and what is said of what moved."""

import numpy as np

from coordinator.live.gate.moves import LEAST, MOST, Moves, Usual, spread
from coordinator.model.risk.drift import STRETCH

NAMES = ("a", "b", "c")


def noise(rng, at=0.0, place=1):
    return rng.normal(size=3) + at * (np.arange(3) == place)


def used_to(rng, *, at=0.0, windows=4 * STRETCH) -> Moves:
    """Moves that know what is usual, the second signal around a level."""
    moves = Moves()
    for _ in range(windows):
        moves.see(noise(rng, at), watching=False)
    return moves


def until_alarm(moves, rng, *, at, windows=300) -> int | None:
    for i in range(windows):
        moves.see(noise(rng, at), watching=True)
        if moves.alarmed(0.05):
            return i
    return None


def test_moves_are_watched_only_with_enough_that_is_usual():
    rng = np.random.default_rng(0)
    moves = Moves()
    for _ in range(LEAST - 1):
        moves.see(noise(rng), watching=True)
    assert moves.told(NAMES) == []

    assert until_alarm(moves, rng, at=6.0) is not None
    assert moves.told(NAMES)[0].startswith("b lies above 100 %")
    moves.rest(forget=True)
    assert not moves.alarmed(0.05)
    assert moves.told(NAMES) == []


def test_what_lies_low_is_told_as_low():
    rng = np.random.default_rng(0)
    moves = used_to(rng)
    assert until_alarm(moves, rng, at=-6.0) is not None

    assert moves.told(NAMES) == ["b lies below 100 % of what is usual"]


def test_what_spreads_to_both_sides_is_not_told_as_high_or_low():
    rng = np.random.default_rng(1)
    moves = used_to(rng)
    for i in range(200):
        moves.see(noise(rng, 8.0 if i % 2 else -8.0), watching=True)

    assert moves.alarmed(0.05)
    assert "to both sides" in moves.told(NAMES)[0]


def test_what_was_certified_once_and_never_disproved_may_come_back():
    rng = np.random.default_rng(2)
    kept, forgot = used_to(rng), used_to(rng)
    for moves, forget in ((kept, False), (forgot, True)):
        moves.rest(forget=forget)
        for _ in range(4 * STRETCH):
            moves.see(noise(rng, 5.0), watching=False)

    assert until_alarm(kept, rng, at=0.0) is None
    assert until_alarm(forgot, rng, at=0.0) is not None


def test_renewed_evidence_makes_usual_what_it_was_about():
    rng = np.random.default_rng(3)
    moves = used_to(rng)
    moves.see(noise(rng), watching=True)
    moves.begin_anew()
    for _ in range(4 * STRETCH):
        moves.see(noise(rng, 1.0), watching=True)
    assert not moves.alarmed(1e-9)
    moves.renewed()

    assert until_alarm(moves, rng, at=1.0) is None


def test_evidence_that_was_not_renewed_changes_nothing():
    rng = np.random.default_rng(4)
    moves = used_to(rng)
    moves.renewed()
    moves.begin_anew()
    moves.rest(forget=False)
    moves.renewed()

    assert until_alarm(moves, rng, at=6.0) is not None


def test_of_a_long_time_stretches_are_remembered_evenly_apart():
    usual = Usual()
    count = 5 * MOST * STRETCH + 10
    for i in range(count):
        usual.add(np.array([float(i)]))

    seen = usual.windows()[:, 0]
    stretches = seen[: len(seen) // STRETCH * STRETCH].reshape(-1, STRETCH)
    assert len(usual) == len(seen) <= (MOST + 1) * STRETCH
    assert (np.diff(stretches, axis=1) == 1.0).all()
    assert (np.diff(stretches[:, 0]) == 8 * STRETCH).all()
    assert seen[0] == 0.0
    assert seen[-1] == count - 1


def test_of_many_cases_whole_stretches_are_read_again():
    few, many = list(range(3 * STRETCH)), list(range(50 * STRETCH + 7))

    assert spread(few, 3) == few
    read = spread(many, 4)
    assert len(read) == 4 * STRETCH
    assert [read[i] for i in (0, STRETCH - 1, STRETCH)] == [
        0,
        STRETCH - 1,
        16 * STRETCH,
    ]
    assert read[-1] == 50 * STRETCH - 1
