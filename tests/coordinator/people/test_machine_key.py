"""Who owns the coordinator's files knows the machine's key, and nobody else does."""

import os
import stat
from pathlib import Path

from coordinator.people.machine import KEY, make_key, read_key


def test_only_the_owner_of_the_files_can_read_the_key(tmp_path: Path):
    usual = os.umask(0)
    try:
        made = make_key(tmp_path)
    finally:
        os.umask(usual)

    assert read_key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
