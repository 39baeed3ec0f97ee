"""What holds for every test: one thread for torch, no deadline for a busy machine."""

import importlib.util
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Before torch is imported anywhere: its default of one thread a core makes small
# tensors slower, and the tests' own child processes starve one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# gRPC writes to stderr when a test kills a link on purpose.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

# The same examples in every run: a red run can be repeated. A deadline would measure
# the machine and its neighbours.
settings.register_profile(
    "andon",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("andon")


@pytest.fixture(autouse=True)
def _no_log_of_another_test() -> Iterator[None]:
    """Forget where a program under test sent its log: that file is closed by now."""
    yield
    structlog.reset_defaults()


def _has_accelerator() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, and say so, what this machine cannot run."""
    marked = {
        mark: [item for item in items if item.get_closest_marker(mark) is not None]
        for mark in ("ros", "gpu")
    }
    if marked["ros"] and importlib.util.find_spec("rclpy") is None:
        for item in marked["ros"]:
            item.add_marker(pytest.mark.skip(reason="rclpy is not installed"))
    if marked["gpu"] and not _has_accelerator():
        for item in marked["gpu"]:
            item.add_marker(pytest.mark.skip(reason="no accelerator"))
