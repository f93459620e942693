"""How many specs are tried, and in how many parts, so that several cores can share them."""

from __future__ import annotations

import pytest
import torch
from fuzzing import SHARD, USUAL


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "examples" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--fuzz")
        count = max(2, -(-(wanted or USUAL) // SHARD))
        share = -(-(wanted or USUAL) // count)
        metafunc.parametrize(
            ("shard", "examples"), [(k, share) for k in range(count)], ids=map(str, range(count))
        )


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> bool:
    """Whether specs are to be new ones, rather than the same each time."""
    return request.config.getoption("--fuzz") is not None


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)
