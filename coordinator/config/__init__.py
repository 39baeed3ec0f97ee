"""andon.toml as typed settings."""

from coordinator.config.gate import GateSection
from coordinator.config.people import PeopleSection
from coordinator.config.settings import (
    HEARTBEAT_S,
    LEASE_S,
    START_WITHIN_S,
    FamilySection,
    LearningSection,
    Settings,
    from_mapping,
    load,
    parse,
    profiles,
    template,
)

__all__ = [
    "HEARTBEAT_S",
    "LEASE_S",
    "START_WITHIN_S",
    "FamilySection",
    "GateSection",
    "LearningSection",
    "PeopleSection",
    "Settings",
    "from_mapping",
    "load",
    "parse",
    "profiles",
    "template",
]
