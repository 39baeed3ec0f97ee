"""Services that no configuration may name: they would end a robot's safety stop.

The cell's node refuses the same names (`ros_nodes/adapters/forbidden.py`; a test
compares the two). The coordinator calls no robot at all: it only says so earlier.
"""

from __future__ import annotations

from typing import Final

_NEVER_CALLED: Final = (
    "unlock_protective_stop",
    "restart_safety",
    "power_on",
    "brake_release",
    "close_safety_popup",
    "error_recovery",
    "resend_robot_program",
)


def allowed_service(service: str) -> str:
    """Return the name of a service that a node may call.

    Raises:
        ValueError: Its name contains one that ends a safety stop.
    """
    plain = service.lower().replace("-", "_")
    for part in _NEVER_CALLED:
        if part in plain or part.replace("_", "") in plain.replace("_", ""):
            raise ValueError(
                f"service {service[:80]!r} is refused: andon never calls {part}, "
                "because people end safety stops"
            )
    return service
