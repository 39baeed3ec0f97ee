"""The first wrong PINs are free, then each waits longer, up to a limit."""

import pytest

from coordinator.clock import SECOND_NS
from coordinator.people.patience import Patience

LONGEST_NS = 300 * SECOND_NS


@pytest.mark.parametrize(
    ("wrong", "wait_s"), [(1, 0), (2, 0), (3, 2), (4, 4), (5, 8), (60, 300)]
)
def test_the_wait_begins_with_the_last_that_is_free(wrong: int, wait_s: int):
    patience = Patience(free=3, longest_ns=LONGEST_NS)
    for _ in range(wrong):
        patience.failed("ana", 7)

    assert patience.left_ns("ana", 7) == wait_s * SECOND_NS
    assert patience.left_ns("ben", 7) == 0
