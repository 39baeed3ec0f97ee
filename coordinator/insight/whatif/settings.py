"""Settings by name, as `--compare threshold=0.95,network=cnn` gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Final

from coordinator.errors import InputError
from coordinator.insight.backtest import BacktestPlan

READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "policy": str,
    "warmup": int,
    "retrain_every": int,
    "retrain_share": float,
    "seed": int,
    "error_rate": float,
    "audit_share": float,
    "threshold": float,
    "network": str,
    "alpha": float,
    "delta": float,
    "audits_per_hour": float,
    "model": str,
}
"""Every setting of a backtest, and how its value is read."""


def changed(plan: BacktestPlan, text: str) -> BacktestPlan:
    """Return a plan with some settings changed.

    Args:
        plan: The one to begin with.
        text: `name=value`, more of them behind commas.

    Raises:
        InputError: there is no such setting, or its value makes no sense.
    """
    found: dict[str, object] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        reader = READERS.get(name.replace("-", "_"))
        if reader is None or not equals:
            raise InputError(
                f"there is no setting {part.strip()[:40]!a}; there are "
                f"{', '.join(READERS)}, each with =value.",
                "BAD_SETTING",
            )
        try:
            found[name.replace("-", "_")] = reader(value.strip())
        except ValueError as error:
            raise InputError(
                f"{name} = {value[:40]!a} is not a number.", "BAD_SETTING"
            ) from error
    return replace(plan, **found)  # type: ignore[arg-type]  # read by name above


def difference(one: BacktestPlan, other: BacktestPlan) -> str:
    """Say in what one plan differs from another: "threshold=0.9, seed=0"."""
    said = [
        f"{field.name}={_shown(getattr(one, field.name))}"
        for field in fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    ]
    return ", ".join(said) or "the same settings"


def _shown(value: object) -> str:
    """A model is named by the first letters of its digest, not by a path."""
    text = str(value)
    return text.rsplit("/", 1)[-1][:12] if "/" in text else text
