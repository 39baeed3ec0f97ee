"""What all tables of andon.toml have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Strict, here and elsewhere: a node reads neither "1.5" as a number nor 1 as true.
Share = Annotated[float, Field(ge=0.0, le=1.0, strict=True)]
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0, strict=True)]


class Section(BaseModel):
    """One table: frozen, and a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)
