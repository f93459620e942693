"""The command line in a process of its own, as a user's shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import graphbuild

PACKAGE = Path(graphbuild.__file__).parent
ROOT = Path(__file__).parent.parent
BUNDLED = tuple(sorted(path.stem for path in (ROOT / "specs").glob("*.yaml")))


def run(
    *args: str, cwd: Path, without: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `graphbuild ARGS`; modules in the folder `without` stand in front of the installed ones."""
    return python("-m", "graphbuild", *args, cwd=cwd, without=without, **env)


def python(
    *args: str, cwd: Path, without: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    path = [str(without)] * bool(without) + [str(PACKAGE.parent)]
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", **env},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def barred(folder: Path, *modules: str) -> Path:
    """A folder that makes `import MODULE` fail, for `without`."""
    folder.mkdir(exist_ok=True)
    for module in modules:
        text = f"raise ImportError({module!r} + ' is barred')\n"
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return folder
