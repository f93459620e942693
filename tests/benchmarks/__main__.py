"""Starts the command, from `python -m benchmarks` or `python tests/benchmarks`."""

from __future__ import annotations

import sys
from pathlib import Path

tests = Path(__file__).resolve().parent.parent
if not __package__:  # the folder itself was run, which puts it on the path, not what is around it
    sys.path[0] = str(tests)
sys.path.append(str(tests.parent))  # where graphbuild is not installed

from benchmarks.cli import app  # noqa: E402

app(prog_name="benchmarks")
