"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Where nobody is there to look at a new counterexample, the examples are the same each time.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Tests run side by side, one process per core, so each keeps to one thread. By the environment,
# since most tests never import torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files anew from the specs"
    )
    parser.addoption(
        "--fuzz", type=int, metavar="N", help="run N random specs of each kind, new ones every time"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written rather than compared."""
    return bool(request.config.getoption("--update-golden"))
