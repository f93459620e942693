"""The command line: one verb per stage.

Exit codes: 0 fine, 1 findings in a spec, 2 wrong usage or an internal error. Everything a verb
needs is imported when it runs, so that `--help` costs little more than typer.
"""

from __future__ import annotations

import os
import sys

from graphbuild import console
from graphbuild.cli import build as build  # the verbs, in the order that --help has them in
from graphbuild.cli import compare as compare
from graphbuild.cli import draw as draw
from graphbuild.cli import judge as judge
from graphbuild.cli.app import app, status
from graphbuild.errors import SpecError

__all__ = ["app", "main"]


def main(args: list[str] | None = None) -> None:
    """Run the command line; ends with SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that has no × shows a ? for it
            stream.reconfigure(errors="replace")
    try:
        app(args, prog_name="graphbuild")
    except SpecError as error:
        console.findings(error.findings)
        sys.exit(status(error.findings))
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error
        console.say(f"graphbuild: {what}", error=True)
        sys.exit(2)
    except Exception as error:
        if os.environ.get("GRAPHBUILD_DEBUG"):
            raise
        kind = type(error).__name__
        console.say(f"graphbuild: internal error: {kind}: {error}", error=True)
        console.say("This is a bug in graphbuild, please report it with the spec.", error=True)
        console.say("GRAPHBUILD_DEBUG=1 shows where it happened.", error=True)
        sys.exit(2)
