"""A coordinator is killed under many nodes: all come back, not all at one moment."""

from pathlib import Path

import pytest

from tests.link.judge import Findings
from tests.link.storm import struck
from tests.link.traces import SECOND_NS

pytestmark = pytest.mark.slow
NODES = 40
BACK_WITHIN_S = 10.0


async def test_after_a_kill_every_node_has_a_session_again_and_people_come_first(
    tmp_path: Path,
) -> None:
    found = Findings()
    back_ns, held_ns = await struck(tmp_path, NODES, found, within_s=BACK_WITHIN_S)

    assert found.violations == []
    assert held_ns < 2 * SECOND_NS
    # Jitter: half of them do not come in one tenth of a second.
    assert back_ns[3 * NODES // 4] - back_ns[NODES // 4] > SECOND_NS // 10
