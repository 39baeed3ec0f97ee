"""What the columns of a recording mean: one TOML file beside the CSV.

Unknown keys are refused with a suggestion, as in andon.toml: a misspelt label column
would silently make every window a good one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coordinator.config import FamilySection
from coordinator.config.problems import first_problem
from coordinator.errors import DatasetError
from coordinator.terms import Family

LARGEST_SCHEMA_BYTES = 1_000_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ChannelColumn(_Part):
    """One column with samples.

    Attributes:
        column: Heading in the CSV.
        name: Name of the channel; the heading in lower case when left out.
        unit: SI unit.
        minimum: Least plausible value, in unit.
        maximum: Greatest plausible value, in unit.
        policy: What a missing channel means, as in andon.toml.
        stuck_rows: So many equal rows mean a dead sensor; 0 means never.
        missing_values: Numbers that stand for "no value".
    """

    column: str
    name: str = ""
    unit: str
    minimum: float
    maximum: float
    policy: Literal["required", "ask", "tolerate"] = "required"
    stuck_rows: Annotated[int, Field(ge=0)] = 0
    missing_values: tuple[float, ...] = ()

    @property
    def channel_name(self) -> str:
        """Name of the channel."""
        return self.name or self.column.strip().lower()


class LabelColumn(_Part):
    """One label, and how a row shows it.

    Attributes:
        name: The label.
        action: What it lets the robot do.
        column: Heading; a boolean column unless value is given. Only the default label
            may have none.
        value: The row has the label when the column holds exactly this text.
        must_never_miss: A model that misses it more than the serving one is refused.
        text: What people read.
    """

    name: str
    action: Literal["continue", "rework", "reject", "stop"]
    column: str = ""
    value: str | None = None
    must_never_miss: bool = False
    text: str = ""


class RecordingSchema(_Part):
    """How to read one kind of recording.

    Attributes:
        text: What people read.
        group: Heading of the column that names the cycle or run; a window never
            crosses from one group into the next.
        time: Heading of the time column.
        time_unit: How the time is written.
        rows: Rows of a window.
        stride: Rows from one window to the next of the same group.
        fill_rows: A missing value repeats the last one of its group for so many rows;
            after that the channel is absent from the window.
        gap_s: A longer step between two rows of a group is a gap, in seconds; 0 means
            that gaps are not looked for.
        default_label: Said of a row of which nothing else is said.
        labels: Most severe first; a window has the most severe label of its rows.
        channels: In the order of the samples.
    """

    text: str = ""
    group: str
    time: str
    time_unit: Literal["iso8601", "s", "ms", "us", "ns"] = "iso8601"
    rows: Annotated[int, Field(ge=2, le=4096)]
    stride: Annotated[int, Field(ge=1, le=65_536)]
    fill_rows: Annotated[int, Field(ge=0)] = 0
    gap_s: Annotated[float, Field(ge=0.0)] = 0.0
    default_label: str
    labels: Annotated[tuple[LabelColumn, ...], Field(min_length=2, max_length=64)]
    channels: Annotated[tuple[ChannelColumn, ...], Field(min_length=1, max_length=256)]

    @model_validator(mode="after")
    def _every_label_can_be_seen(self) -> Self:
        if self.default_label not in [label.name for label in self.labels]:
            raise ValueError(f"default_label '{self.default_label}' is not a label")
        for label in self.labels:
            if not label.column and label.name != self.default_label:
                raise ValueError(f"label {label.name}: key 'column' is missing")
            if label.value is not None and not label.column:
                raise ValueError(f"label {label.name}: a value needs its column")
        columns = [c.column for c in self.channels]
        twice = {c for c in columns if columns.count(c) > 1}
        if twice:
            raise ValueError(f"column '{min(twice)}' is two channels")
        return self

    def family(self, family_id: str) -> Family:
        """Return channels, labels and window as the live path knows them.

        Raises:
            ValidationError: names or ranges that no family may have.
        """
        section = FamilySection.model_validate(
            {
                "text": self.text,
                "rows": self.rows,
                "default_label": self.default_label,
                "labels": [
                    label.model_dump(exclude={"column", "value"})
                    for label in self.labels
                ],
                "channels": [
                    {
                        **c.model_dump(exclude={"column", "name", "missing_values"}),
                        "name": c.channel_name,
                        "source": c.column,
                    }
                    for c in self.channels
                ],
            }
        )
        return section.as_family(family_id)


def read_schema(path: Path) -> RecordingSchema:
    """Read a schema file.

    Raises:
        DatasetError: the file cannot be read, is not TOML, or a key is unknown, missing
            or unsafe; the text names the key.
    """
    try:
        if path.stat().st_size > LARGEST_SCHEMA_BYTES:
            raise DatasetError(f"{path.name} is larger than {LARGEST_SCHEMA_BYTES} B.")
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"cannot read {path.name}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path.name} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"{path.name} is not TOML: {error}.") from error
    return schema_from(raw, name=path.name)


def schema_from(raw: dict[str, Any], *, name: str) -> RecordingSchema:
    """Check a schema that is already parsed; raises DatasetError like read_schema()."""
    try:
        schema = RecordingSchema.model_validate(raw)
        schema.family("recording")
    except ValidationError as error:
        raise DatasetError(f"{name}: {first_problem(error, _PARTS)}") from error
    return schema


_PARTS: Final[tuple[type[BaseModel], ...]] = (
    RecordingSchema,
    ChannelColumn,
    LabelColumn,
)
"""Everything that has keys."""
