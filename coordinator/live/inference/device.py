"""Which device computes, and a proof that it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from coordinator.errors import ConfigError

Wish = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Device:
    """Where models compute.

    Attributes:
        torch_device: For torch.
        text: For people: `doctor` and the journal say it.
    """

    torch_device: torch.device
    text: str


def choose(wish: Wish) -> Device:
    """Return the device to compute on.

    A driver that is there but does not work is only found by computing: `auto` falls
    back to the CPU and says why.

    Raises:
        ConfigError: "cuda" was asked for and does not work.
    """
    if wish == "cpu":
        return _cpu("")
    problem = _cuda_problem()
    if not problem:
        index = torch.cuda.current_device()
        name = torch.cuda.get_device_name(index)
        return Device(torch.device("cuda", index), f"cuda: {name}")
    if wish == "cuda":
        raise ConfigError(f"device cuda does not work: {problem}.")
    return _cpu(f" ({problem})")


def _cpu(why: str) -> Device:
    return Device(torch.device("cpu"), f"cpu, torch {torch.__version__}{why}")


def _cuda_problem() -> str:
    """Say why CUDA cannot be used; "" when a kernel ran and was right."""
    if not torch.cuda.is_available():
        return "no CUDA device"
    try:
        four = torch.full((2, 2), 2.0, device="cuda").matmul(
            torch.ones(2, 2, device="cuda")
        )
        if float(four.sum().cpu()) != 16.0:
            return "a CUDA kernel computed nonsense"
    except RuntimeError as error:
        return f"a CUDA kernel failed: {str(error).splitlines()[0][:80]}"
    return ""
