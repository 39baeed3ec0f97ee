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
_OLD_RELEASES: Final = ("humble", "iron", "jazzy")
_FIRST_WITH_NEW: Final = 9
"""rclpy of Kilted. The one of Jazzy (7) reads the old name alone, and a profile under
the new one is not missed by anybody: it then speaks on every network."""


def loopback_environment(ros_distro: str = "") -> dict[str, str]:
    """Return the variables that keep DDS on the loopback interface.

    Args:
        ros_distro: Name of the ROS 2 release, where the environment says it.
    """
    return {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        profile_variable(ros_distro): str(PROFILE),
        # LOCALHOST is slow to discover and does not bind to loopback; the profile is
        # fast and does.
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
    }


def profile_variable(ros_distro: str = "") -> str:
    """Name of the variable that the Fast DDS of this machine's rclpy reads.

    The pip wheels leave ROS_DISTRO unset; then the package is asked.
    """
    if ros_distro:
        return _OLD_VARIABLE if ros_distro in _OLD_RELEASES else _NEW_VARIABLE
    try:
        major = int(importlib.metadata.version("rclpy").partition(".")[0])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return _NEW_VARIABLE
    return _NEW_VARIABLE if major >= _FIRST_WITH_NEW else _OLD_VARIABLE
