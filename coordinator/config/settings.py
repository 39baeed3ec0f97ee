"""andon.toml -> typed settings; profiles/twin.toml gives each default unit and reason.

Unknown keys are refused with a suggestion: a misspelt threshold, silently ignored,
would decide about a robot.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from coordinator.config.gate import CostEntry, GateSection, check_costs
from coordinator.config.people import PeopleSection
from coordinator.config.problems import first_problem
from coordinator.config.ros import ROS_SECTIONS, RosSection
from coordinator.config.section import Seconds, Section, Share
from coordinator.config.service import ServiceSection
from coordinator.config.sources import objection
from coordinator.errors import ConfigError
from coordinator.terms import (
    Action,
    CellId,
    Channel,
    ChannelPolicy,
    Digest,
    Family,
    FamilyId,
    Label,
    TimeoutOutcome,
    is_id,
)

LEASE_S = 2.0
"""The node holds when no heartbeat it sent within this time was acknowledged, s."""
HEARTBEAT_S = 0.5
"""Time between heartbeats, s."""
START_WITHIN_S = 1.0
"""A permit not started within this time of its issue is worthless, s."""
TWIN = "twin"
"""The profile of the simulated robot."""
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,8}$")]
_Word = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,80}$")]
_PROFILES = resources.files("coordinator") / "profiles"


class CoordinatorSection(Section):
    """Where the coordinator listens and keeps its data."""

    listen: str = "127.0.0.1:50551"
    data_dir: Path = Path("andon-data")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    model_deadline_s: Seconds = 0.2
    """Time for the model to answer; a later answer is HOLD, s."""
    clips_mb: Annotated[float, Field(ge=0.0)] = 4096.0
    """Most disk for full-rate clips; the oldest that nobody is asked about go, MB."""
    language: Literal["", "en", "de"] = ""
    """Language of `andon tui` on this machine; "" takes that of the environment."""


class RequestsSection(Section):
    """How long people have, and what happens then."""

    deadline_s: Seconds = 120.0
    on_timeout: Literal["hold", "reject"] = "hold"
    claim_lease_s: Seconds = 60.0
    undo_s: Annotated[float, Field(ge=0.0, le=60.0, strict=True)] = 3.0
    """An answer may be taken back for so long, and moves nothing before; 0 never, s."""
    warning_share: Annotated[float, Field(ge=0.0, le=0.9, strict=True)] = 0.25
    """People are warned when so much of the time is left."""
    spread_share: Annotated[float, Field(ge=0.0, le=0.5, strict=True)] = 0.1
    """Deadlines get up to so much more, each another part, so that few pass at once."""
    flood_per_10_min: Annotated[int, Field(ge=1)] = 10
    """More questions a person in ten minutes are a flood: one card for one cause."""
    budget_per_hour: Annotated[int, Field(ge=1)] = 6
    """Questions that one person answers with care in an hour."""

    @property
    def timeout_outcome(self) -> TimeoutOutcome:
        """The declared outcome as a term."""
        return TimeoutOutcome(self.on_timeout)


class PoliciesSection(Section):
    """What may happen without a named person; each is an actor in the journal."""

    autostart: bool = False
    auto_promote: bool = False


class LearningSection(Section):
    """When and how to train."""

    first_after: Annotated[int, Field(ge=8)] = 40
    every_answers: Annotated[int, Field(ge=1)] = 20
    every_share: Share = 0.15
    cooldown_s: Annotated[float, Field(ge=0.0)] = 10.0
    network: str = "auto"
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    audit_weight_cap: Annotated[float, Field(ge=1.0)] = 5.0
    watch_folder: str = ""
    """Folder in which labelled clips are looked for, by family; "" for none."""
    watch_by: str = ""
    """Whose labels these are: an engineer, by name."""

    @model_validator(mode="after")
    def _labels_have_a_name(self) -> Self:
        if self.watch_folder and not self.watch_by:
            raise ValueError("watch_folder needs watch_by: whose labels are they?")
        if self.watch_by and not is_id(self.watch_by):
            raise ValueError("watch_by is the name of a person, as for `andon user`")
        return self


class _LabelEntry(Section):
    name: str
    action: Literal["continue", "rework", "reject", "stop"]
    must_never_miss: bool = False
    text: str = ""
    urgent: bool = False
    second_opinion: bool = False


class _ChannelEntry(Section):
    name: str
    unit: str
    minimum: float
    maximum: float
    policy: Literal["required", "ask", "tolerate"] = "required"
    maximum_age_s: Annotated[float, Field(ge=0.0, le=86_400.0, strict=True)] = 0.0
    stuck_rows: Annotated[int, Field(ge=0)] = 0
    source: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.minimum < self.maximum:
            raise ValueError(f"channel {self.name}: minimum must be below maximum")
        if self.stuck_rows == 1:
            raise ValueError(
                f"channel {self.name}: stuck_rows 1 would hold every window; "
                "0 is never, 2 the least"
            )
        return self


class FamilySection(Section):
    """Cells of one kind."""

    text: str = ""
    rows: Annotated[int, Field(ge=2, le=4096, strict=True)] = 128
    monitor_rows: Annotated[int, Field(ge=2, le=4096, strict=True)] = 32
    default_label: str
    labels: Annotated[tuple[_LabelEntry, ...], Field(min_length=2, max_length=64)]
    channels: Annotated[tuple[_ChannelEntry, ...], Field(min_length=1, max_length=256)]
    costs: Annotated[tuple[CostEntry, ...], Field(max_length=4096)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [label.name for label in self.labels]
        for what, ids in (
            ("label", names),
            ("channel", [c.name for c in self.channels]),
        ):
            for name in ids:
                if not is_id(name):
                    raise ValueError(
                        f"{what} '{name[:40]}': ids match [a-z0-9][a-z0-9._-]{{0,62}}"
                    )
            if len(set(ids)) != len(ids):
                raise ValueError(f"a {what} name occurs twice")
        check_costs(self.costs, names)
        if self.default_label not in names:
            raise ValueError(f"default_label '{self.default_label}' is not a label")
        if len(self.channels) * self.rows * 4 > 65_536:
            raise ValueError("a window may hold at most 64 KiB: fewer rows or channels")
        return self

    def as_family(self, family_id: str) -> Family:
        """Return the family as a term."""
        return Family(
            family_id=FamilyId(family_id),
            channels=tuple(
                Channel(
                    name=c.name,
                    unit=c.unit,
                    minimum=c.minimum,
                    maximum=c.maximum,
                    policy=ChannelPolicy(c.policy),
                    stuck_rows=c.stuck_rows,
                    source=c.source,
                )
                for c in self.channels
            ),
            labels=tuple(
                Label(
                    name=x.name,
                    action=Action(x.action),
                    must_never_miss=x.must_never_miss,
                    text=x.text,
                    urgent=x.urgent,
                    second_opinion=x.second_opinion,
                )
                for x in self.labels
            ),
            default_label=self.default_label,
            rows=self.rows,
            monitor_rows=self.monitor_rows,
            text=self.text,
        )


class CellSection(Section):
    """One cell."""

    family: str
    maximum_step_s: Seconds = 60.0
    monitor_every_s: Annotated[float, Field(ge=0.0, le=86_400.0, strict=True)] = 0.0
    ros: RosSection = RosSection()


class Settings(Section):
    """Everything in andon.toml."""

    coordinator: CoordinatorSection = CoordinatorSection()
    service: ServiceSection = ServiceSection()
    gate: GateSection = GateSection()
    requests: RequestsSection = RequestsSection()
    policies: PoliciesSection = PoliciesSection()
    learning: LearningSection = LearningSection()
    people: PeopleSection = PeopleSection()
    families: Annotated[dict[str, FamilySection], Field(min_length=1)]
    cells: Annotated[dict[str, CellSection], Field(min_length=1)]
    words: dict[_Language, dict[str, _Word]] = Field({}, max_length=16)
    """What people here call labels, channels and cells, by language and id."""

    @model_validator(mode="after")
    def _cells_have_families(self) -> Self:
        for kind, ids in (("cell", self.cells), ("family", self.families)):
            for name in ids:
                if not is_id(name):
                    raise ValueError(
                        f"{kind} '{name[:40]}': ids match [a-z0-9][a-z0-9._-]{{0,62}}"
                    )
        for name, cell in self.cells.items():
            if cell.family not in self.families:
                raise ValueError(f"cell {name}: there is no family '{cell.family}'")
            for channel in self.families[cell.family].channels:
                # Without a source no node feeds it: a family for recordings alone.
                text = channel.source and objection(
                    channel.source, cell.ros.topic_types
                )
                if text:
                    raise ValueError(
                        f"cell {name}: source '{channel.source}' of channel "
                        f"{channel.name} {text}"
                    )
        return self

    def family_terms(self) -> dict[FamilyId, Family]:
        """Every family as a term, by id."""
        return {
            FamilyId(name): section.as_family(name)
            for name, section in self.families.items()
        }

    def family_of(self) -> dict[CellId, FamilyId]:
        """The family of every cell."""
        return {
            CellId(name): FamilyId(section.family)
            for name, section in self.cells.items()
        }

    @property
    def digest(self) -> Digest:
        """SHA-256 over all settings, defaults included: what the journal cites."""
        return Digest(hashlib.sha256(self.model_dump_json().encode()).hexdigest())


def load(path: Path) -> Settings:
    """Read andon.toml; relative folders are taken from the file's folder.

    Raises:
        ConfigError: the file is missing, not TOML, or a key is unknown or unsafe; the
            text names the key and what is allowed.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}. Run `andon init` to write one."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text.") from error
    settings = parse(content, name=str(path))
    beside = path.resolve().parent
    data_dir = beside / settings.coordinator.data_dir
    section = settings.coordinator.model_copy(update={"data_dir": data_dir})
    learning = settings.learning
    if learning.watch_folder:
        folder = str(beside / learning.watch_folder)
        learning = learning.model_copy(update={"watch_folder": folder})
    return settings.model_copy(update={"coordinator": section, "learning": learning})


def parse(content: str, *, name: str = "andon.toml") -> Settings:
    """Read settings from TOML text; raises ConfigError like load()."""
    try:
        raw = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not TOML: {error}.") from error
    return from_mapping(raw, name=name)


def from_mapping(raw: dict[str, Any], *, name: str = "andon.toml") -> Settings:
    """Check settings that are already parsed; raises ConfigError like load()."""
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{name}: {first_problem(error, _SECTIONS)}") from error


def template(profile: str = TWIN) -> str:
    """Return the commented andon.toml that `andon init` writes.

    Raises:
        ConfigError: There is no such profile; names those that are there.
    """
    if profile not in profiles():
        raise ConfigError(
            f"profile {profile[:40]!r} is not known, known: {', '.join(profiles())}."
        )
    return (_PROFILES / f"{profile}.toml").read_text("utf-8")


def profiles() -> tuple[str, ...]:
    """Names of the robots' profiles, the simulated one first."""
    found = (one.name.removesuffix(".toml") for one in _PROFILES.iterdir())
    return tuple(sorted(found, key=lambda name: (name != TWIN, name)))


_SECTIONS: Final[tuple[type[BaseModel], ...]] = (
    Settings,
    CoordinatorSection,
    ServiceSection,
    GateSection,
    RequestsSection,
    PoliciesSection,
    LearningSection,
    PeopleSection,
    FamilySection,
    CellSection,
    *ROS_SECTIONS,
    _LabelEntry,
    _ChannelEntry,
    CostEntry,
)
"""Everything that has keys."""
