"""DDS that stays on this machine: the environment a process needs before rclpy starts.

Nodes with this profile and nodes without any find each other on one machine; nobody on
another one hears them.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Final

PROFILE: Final = Path(__file__).with_name("loopback.xml")

_NEW_VARIABLE: Final = "FASTDDS_DEFAULT_PROFILES_FILE"
_OLD_VARIABLE: Final = "FASTRTPS_DEFAULT_PROFILES_FILE"
_FIRST_WITH_NEW: Final = 9
"""rclpy of Kilted. The one of Jazzy (7) reads the old name, and says nothing."""


def loopback_environment() -> dict[str, str]:
    """Return the variables that keep DDS on the loopback interface."""
    return {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        profile_variable(): str(PROFILE),
        # LOCALHOST is slow to discover and does not bind to loopback; the profile is
        # fast and does.
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
    }


def profile_variable() -> str:
    """Name of the variable that the Fast DDS of this machine's rclpy reads.

    Asked of the package and not of ROS_DISTRO, which the pip wheels leave unset.
    """
    try:
        major = int(importlib.metadata.version("rclpy").partition(".")[0])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return _NEW_VARIABLE
    return _NEW_VARIABLE if major >= _FIRST_WITH_NEW else _OLD_VARIABLE
