"""The networks andon can train, by name; a file names one and never brings code.

A plant's own network is an installed package with an entry point in the group
`andon.networks`: a name, and a callable from Sizes to a Network. Whoever may install
packages on this machine may bring code; whoever can only write files cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Final

from coordinator.errors import ArtifactError
from coordinator.model.forest import ForestNetwork
from coordinator.model.network import (
    ConvolutionNetwork,
    FeatureNetwork,
    LinearNetwork,
    Network,
    Sizes,
)
from coordinator.model.temporal import TEMPORAL

Maker = Callable[[Sizes], Network]

NETWORKS: Final[dict[str, Maker]] = {
    "features-forest": ForestNetwork,
    "features-linear": LinearNetwork,
    "features-mlp": FeatureNetwork,
    "cnn": ConvolutionNetwork,
    **TEMPORAL,
}
"""Built-in networks by the name that configuration and artifacts use."""
AUTO: Final = "auto"
"""Several are tried, and the best is kept."""
GROUP: Final = "andon.networks"
"""Entry points of a plant's own networks."""


def known() -> list[str]:
    """Names of all networks, built in and installed."""
    own = {point.name for point in metadata.entry_points(group=GROUP)}
    return sorted(own | set(NETWORKS))


def objection(name: str) -> str:
    """Why a network of this name cannot be trained; "" when it can, or for "auto"."""
    if name == AUTO or name in known():
        return ""
    return f"there is no network '{name[:40]}'; known: {', '.join((AUTO, *known()))}."


def build(name: str, sizes: Sizes) -> Network:
    """Return an untrained network; its numbers come from torch's own generator.

    A built-in name always means the built-in network.

    Raises:
        ArtifactError: there is no network of this name, or the installed one fails.
    """
    maker = NETWORKS.get(name) or _installed(name)
    if maker is None:
        raise ArtifactError(
            objection(name) or f"'{name}' is chosen while training, it is no network.",
            "ARTIFACT_MANIFEST",
        )
    network = maker(sizes)
    if not isinstance(network, Network):
        raise ArtifactError(
            f"the installed network '{name[:40]}' is not a coordinator.model.network"
            ".Network.",
            "ARTIFACT_MANIFEST",
        )
    return network


def _installed(name: str) -> Maker | None:
    for point in metadata.entry_points(group=GROUP, name=name):
        try:
            maker: Maker = point.load()
        except (ImportError, AttributeError) as error:
            raise ArtifactError(
                f"the installed network '{name[:40]}' cannot be imported.",
                "ARTIFACT_MANIFEST",
            ) from error
        return maker
    return None
