"""What an entry of the journal is about: pure."""

from __future__ import annotations

import re
from typing import Final

_REQUEST: Final = re.compile(r'"request_id":"([^"]+)"')
_OTHER: Final = re.compile(r'"(?:decision_id|part_id|window_id)":"([^"]+)"')


def about_what(payload_json: str, *, requests_alone: bool = False) -> str:
    """The request of an entry, else its decision, part or window; "" for none."""
    found = _REQUEST.search(payload_json)
    if found is None and not requests_alone:
        found = _OTHER.search(payload_json)
    return found.group(1) if found else ""
