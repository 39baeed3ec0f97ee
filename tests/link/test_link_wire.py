"""The same over real packets: the kernel's TCP, its checksums and its time-outs."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.link.wire import why_not
from tests.link.world import environment

pytestmark = pytest.mark.slow
LONGEST_S = 120.0


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "a wire can be made")
async def test_packets_that_vanish_hold_a_cell_and_packets_that_err_do_not(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-n", sys.executable, "-m", "tests.link.wired", str(tmp_path)),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LONGEST_S):
        said, _ = await process.communicate()
    assert process.returncode == 0
    found = json.loads(said)

    assert found["violations"] == []
    epochs, hurt = found["epochs"], found["hurt"]
    # Half open, each way and both, and a way that is too long for any lease.
    assert all(epochs[cell] > 1 for cell in ("both", "up", "down", "late"))
    # TCP sorts and sifts: nobody notices. What is lost, and what is spoilt and so
    # dropped, is sent again; whether within the kernel's patience is left to chance.
    assert epochs["mixed"] == 1
    assert hurt["mixed"] > 10
    assert hurt["lossy"] > 5
    assert hurt["spoilt"] > 3
