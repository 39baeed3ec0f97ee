"""One trunk, several heads: what is shared, what is not, and what folding leaves."""

from __future__ import annotations

import pytest
import torch

from coordinator.model.network import Network, Sizes
from coordinator.model.registry import build
from coordinator.model.temporal import TEMPORAL, Attention

SIZES = Sizes(channels=4, labels=3, members=5)


def learned(name: str) -> Network:
    torch.manual_seed(0)
    network = build(name, SIZES)
    network.train()
    with torch.no_grad():
        network.member_logits(torch.randn(32, 4, 40))
    network.eval()
    return network


@pytest.mark.parametrize("name", sorted(TEMPORAL))
def test_folding_changes_no_answer(name: str) -> None:
    network, inputs = learned(name), torch.randn(6, 4, 40)
    with torch.inference_mode():
        before = network(inputs)
        network.fold()
        assert torch.allclose(network(inputs), before, atol=1e-5)


@pytest.mark.parametrize("name", sorted(TEMPORAL))
def test_members_share_a_trunk_and_say_so(name: str) -> None:
    network = learned(name)
    with torch.inference_mode():
        said = network.member_logits(torch.randn(6, 4, 40))

    assert network.common
    assert said.shape == (5, 6, 3)
    assert not torch.allclose(said[0], said[1])


@pytest.mark.parametrize("rows", [2, 7, 128])
@pytest.mark.parametrize("name", sorted(TEMPORAL))
def test_windows_of_any_length_are_read(name: str, rows: int) -> None:
    with torch.inference_mode():
        assert learned(name)(torch.randn(2, 4, rows)).shape == (2, 3)


def test_attention_looks_where_it_is_told_to() -> None:
    attention = Attention(2)
    with torch.no_grad():
        attention.query.weight.copy_(torch.tensor([[[50.0], [0.0]]]))
    moments = torch.zeros(1, 2, 10)
    moments[0, 0, 7], moments[0, 1, 7] = 1.0, 3.0

    with torch.inference_mode():
        assert attention(moments)[0].tolist() == pytest.approx([1.0, 3.0], abs=1e-4)
