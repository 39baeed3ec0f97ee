"""What andon never calls, whatever a configuration says.

andon resumes only what andon paused. A stop of the robot's own safety system is ended
by people at the robot; the services that would end it from afar, or start a program
anew behind it, are refused by name: here, and where the coordinator checks andon.toml
(`coordinator/config/forbidden.py`; a test compares the two).
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


class ForbiddenServiceError(ValueError):
    """A service was named that would end a safety stop."""

    def __init__(self, service: str, part: str) -> None:
        super().__init__(
            f"service {service[:80]!r} is refused: andon never calls {part}, "
            "because people end safety stops"
        )


def allowed_service(service: str) -> str:
    """Return the name of a service that andon may call.

    Raises:
        ForbiddenServiceError: Its name contains one that ends a safety stop.
    """
    plain = service.lower().replace("-", "_")
    for part in _NEVER_CALLED:
        if part in plain or part.replace("_", "") in plain.replace("_", ""):
            raise ForbiddenServiceError(service, part)
    return service
