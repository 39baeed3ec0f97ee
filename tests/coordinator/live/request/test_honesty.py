"""Which questions are asked blind is nobody's choice, and can be found out again."""

from dataclasses import replace

import pytest

from coordinator.live.request.honesty import is_blind
from coordinator.terms import Outcome, RequestId
from tests.builders import make_request


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_share_is_kept_and_the_same_question_is_always_the_same(share):
    asked = [make_request(request_id=RequestId(f"r-{n}")) for n in range(2000)]

    blind = [is_blind(one, share) for one in asked]

    assert abs(sum(blind) / len(blind) - share) < 0.03
    assert blind == [is_blind(one, share) for one in asked]


def test_more_is_never_less():
    asked = [make_request(request_id=RequestId(f"r-{n}")) for n in range(200)]

    few = {one.request_id for one in asked if is_blind(one, 0.1)}
    many = {one.request_id for one in asked if is_blind(one, 0.2)}

    assert few < many


def test_without_a_guess_or_after_the_end_there_is_nothing_to_hide():
    asked = make_request()

    assert is_blind(asked, 1.0)
    assert not is_blind(replace(asked, guess=""), 1.0)
    assert not is_blind(replace(asked, outcome=Outcome.ANSWERED), 1.0)
