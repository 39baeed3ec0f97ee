"""The full-rate recording around an unclear window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coordinator.terms.ids import CellId, ClipId, Digest, RequestId, WindowId


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip that is on disk, whole.

    Attributes:
        clip_id: Unique for the life of the store.
        cell_id: Whose.
        request_id: The request it was asked for.
        window_id: The window it is around; a window has one clip at most.
        digest: SHA-256 over its bytes.
        bytes: Its size.
        start_at: UTC of its first message, by the node.
        stored_at: UTC it became durable, by the coordinator.
    """

    clip_id: ClipId
    cell_id: CellId
    request_id: RequestId
    window_id: WindowId
    digest: Digest
    bytes: int
    start_at: datetime
    stored_at: datetime
