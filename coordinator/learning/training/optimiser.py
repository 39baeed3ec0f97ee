"""AdamW on a one-cycle schedule, in a page.

torch.optim does the same, but its first use imports torch's compiler: over a second of
CPU in every training child, for networks that train in less.

Source:
    Loshchilov & Hutter, Decoupled Weight Decay Regularization, ICLR 2019.
    Smith & Topin, Super-Convergence, 2018: warm up, then anneal, in one cycle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor

WARM_UP: Final = 0.3
"""Share of the steps in which the rate rises."""
_START: Final = 1.0 / 25.0
_END: Final = 1e-5
_MOMENT: Final = 0.9
_SPREAD: Final = 0.999
_EPSILON: Final = 1e-8


def one_cycle(share: float) -> float:
    """The learning rate as a share of its peak, at a share of the steps in [0, 1]."""
    if share < WARM_UP:
        low, position = _START, share / WARM_UP
    else:
        low, position = _END, (1.0 - share) / (1.0 - WARM_UP)
    return low + (1.0 - low) * 0.5 * (1.0 - math.cos(math.pi * position))


class AdamW:
    """Changes parameters in place, following their gradients.

    Args:
        parameters: What to train.
        steps: Steps of the whole training.
        peak: Highest learning rate.
        decay: Decoupled weight decay.
    """

    def __init__(
        self, parameters: Iterable[Tensor], *, steps: int, peak: float, decay: float
    ) -> None:
        self._parameters = list(parameters)
        self._first = [torch.zeros_like(p) for p in self._parameters]
        self._second = [torch.zeros_like(p) for p in self._parameters]
        self._steps = steps
        self._peak = peak
        self._decay = decay
        self._step = 0

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Follow the gradients by one step."""
        rate = self._peak * one_cycle(self._step / max(self._steps - 1, 1))
        self._step += 1
        first_bias = 1.0 - _MOMENT**self._step
        second_bias = math.sqrt(1.0 - _SPREAD**self._step)
        for parameter, first, second in zip(
            self._parameters, self._first, self._second, strict=True
        ):
            gradient = parameter.grad
            if gradient is None:
                continue
            first.lerp_(gradient, 1.0 - _MOMENT)
            second.mul_(_SPREAD).addcmul_(gradient, gradient, value=1.0 - _SPREAD)
            parameter.mul_(1.0 - rate * self._decay)
            spread = second.sqrt().div_(second_bias).add_(_EPSILON)
            parameter.addcdiv_(first, spread, value=-rate / first_bias)
