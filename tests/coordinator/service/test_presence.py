"""Nobody is called for while somebody who is there is at work."""

from dataclasses import replace

import pytest

from coordinator.clock import SECOND_NS
from coordinator.service.presence import UNHEARD_NS, Presence
from coordinator.terms import NOBODY, PersonId
from tests.builders import ANA, BEN, make_request

ALLOWED_NS = 120 * SECOND_NS


@pytest.mark.parametrize(
    ("claimed_by", "answered_ago_ns", "nobody"),
    [
        pytest.param(NOBODY, None, True, id="nobody takes it"),
        pytest.param(NOBODY, UNHEARD_NS + 1, True, id="the last answer is long ago"),
        pytest.param(NOBODY, UNHEARD_NS, False, id="another was answered just now"),
        pytest.param(BEN.person, None, False, id="another is claimed"),
    ],
)
def test_who_is_busy_is_there(
    claimed_by: PersonId, answered_ago_ns: int | None, nobody: bool
):
    presence = Presence(lambda: None)
    now_ns = 10 * UNHEARD_NS
    asked_ns = now_ns - UNHEARD_NS - 1
    waits = replace(
        make_request(), deadline_ns=asked_ns + ALLOWED_NS, time_allowed_ns=ALLOWED_NS
    )
    other = replace(waits, claimed_by=claimed_by)
    last_ns = None if answered_ago_ns is None else now_ns - answered_ago_ns

    with presence.answering(ANA):
        found = presence.attendance(
            [waits, other], now_ns, last_ns, lives=lambda _session: True
        )

    assert found.nobody is nobody
    assert (found.people, found.answering) == (("ana",), 1)
