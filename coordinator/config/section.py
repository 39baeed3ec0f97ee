"""What all tables of andon.toml have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]


class Section(BaseModel):
    """One table: frozen, and a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)
