"""The tables that say when the gate may act alone, and what is promised of it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coordinator.config.section import Seconds, Section, Share

Hours = Annotated[float, Field(gt=0.0, le=744.0)]
Risk = Annotated[float, Field(gt=0.0, le=0.5)]


class GateSection(Section):
    """When the gate may act alone."""

    mode: Literal["ask_all", "provisional", "certified"] = "certified"
    threshold: Annotated[float, Field(ge=0.5, le=1.0)] = 0.9
    """Least calibrated probability to act while an engineer's word holds."""
    provisional_by: str = ""
    """The engineer whose word mode = "provisional" is."""
    provisional_hours: Hours = 168.0
    """How long that word holds, from the first start with it, h."""
    alpha: Risk = 0.05
    delta: Risk = 0.05
    alpha_missed: Risk | None = None
    """Largest share of decisions that miss a must_never_miss label; None: alpha."""
    certificate_hours: Hours = 168.0
    """How long a certificate lasts, h."""
    audit_share_asking: Annotated[float, Field(ge=0.1, le=0.9)] = 0.8
    """Audited while everything is asked; what is passed over places the thresholds."""
    audit_share: Share = 0.05
    """Audited while an engineer's word holds."""
    audits_per_hour: Annotated[float, Field(gt=0.0, le=3600.0)] = 6.0
    """Audited once a risk is certified, in each family, 1/h."""
    audit_deadline_s: Seconds = 28_800.0
    """Time to answer an audit, s; no cell waits for it."""
    maximum_age_s: Annotated[float, Field(gt=0.0, le=5.0)] = 0.25

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.mode == "provisional" and not self.provisional_by.strip():
            raise ValueError(
                'mode = "provisional" is an engineer\'s word: provisional_by must '
                "name one"
            )
        if self.alpha_missed is not None and self.alpha_missed > self.alpha:
            raise ValueError("alpha_missed must not be above alpha")
        return self


class CostEntry(Section):
    """What it costs to decide alone `said` where the truth is `truth`."""

    said: str
    truth: str
    cost: Annotated[float, Field(gt=0.0, le=100.0)]


def check_costs(costs: tuple[CostEntry, ...], labels: list[str]) -> None:
    """Refuse costs that are about no confusion of a family.

    Raises:
        ValueError: a label is not one of the family, or a confusion is none, or twice.
    """
    for entry in costs:
        for name in (entry.said, entry.truth):
            if name not in labels:
                raise ValueError(f"costs: '{name[:40]}' is not a label")
        if entry.said == entry.truth:
            raise ValueError(f"costs: saying {entry.said} where it is {entry.said}")
    pairs = [(entry.said, entry.truth) for entry in costs]
    if len(set(pairs)) != len(pairs):
        raise ValueError("costs: a confusion occurs twice")
