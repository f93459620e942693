"""What the verbs of the command line share: the application, its usual options, exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphbuild import __version__
from graphbuild.errors import Finding, SpecError
from graphbuild.settings import params, plugins, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphbuild.ir import Graph

app = typer.Typer(
    name="graphbuild",
    help="Compile neural network architectures, written as YAML, to PyTorch modules.",
    epilog="""\b
    Examples:
      graphbuild compile densenet121
      graphbuild check net.yaml
      graphbuild summary resnet50 --depth 1""",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would take longer to import than the rest together
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _complete(incomplete: str) -> list[str]:
    """Bundled specs by name, and the folders and YAML files that begin like this."""
    from graphbuild.library import bundled

    here = [p for p in Path().glob(f"{incomplete}*") if p.is_dir() or p.suffix in (".yaml", ".yml")]
    names = [name for name in bundled() if name.startswith(incomplete)]
    return names + [f"{p}/" if p.is_dir() else str(p) for p in here]


SPEC = typer.Argument(
    metavar="SPEC", help="A YAML file, or the name of a bundled spec.", autocompletion=_complete
)
SpecName = Annotated[str, SPEC]
Params = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a param; the value is read as YAML."),
]

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="MODULE",
        callback=plugins,
        help="Import a Python module that registers ops; it is run, so trust it.",
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"graphbuild {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def elaborate(
    name: str, set_: list[str] | None, size: list[str] | None = None
) -> tuple[Graph | None, list[Finding]]:
    """The graph of a spec, or None where an error stands against it, and everything found."""
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.read import read

    try:
        spec = read(name)
        given = sizes(size, spec)
        return elaborate_with_findings(spec, params(set_, spec), given)
    except SpecError as error:
        return None, list(error.findings)


def status(found: Iterable[Finding]) -> int:
    """The exit code; a spec that is not there is wrong usage."""
    errors = [finding for finding in found if finding.is_error]
    return 2 if any(f.code == "E001" for f in errors) else int(bool(errors))


def several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
