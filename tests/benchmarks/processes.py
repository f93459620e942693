"""Whole processes of the command line against one that imports torch."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import graphbuild
from benchmarks.contest import Benchmark, Contest, Cost, Setting

COMMANDS = {
    "--help": 0.15,
    "check densenet121": 0.35,
    "render densenet121 -o d.svg": 0.5,
    "render densenet121 -o d.html": 0.5,
}


def benchmarks() -> Iterator[Benchmark]:
    for command, target in COMMANDS.items():
        prepare = functools.partial(_commands, command)
        yield Benchmark(f"process/{command}", target, prepare, rounds=9)


def _commands(command: str, setting: Setting) -> Contest:
    ours = _process("-m", "graphbuild", *command.split(), setting=setting)
    theirs = _process("-c", "import torch", setting=setting)
    ours(), theirs()  # the files are in the system's cache, and compiled, from here on
    return Contest(ours, theirs, theirs)


def _process(*args: str, setting: Setting) -> Cost:
    package = Path(graphbuild.__file__).parent
    env = {**os.environ, "PYTHONPATH": str(package.parent)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    run = functools.partial(
        subprocess.run,
        [sys.executable, *args],
        cwd=setting.folder,
        env=env,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return setting.timed(run)
