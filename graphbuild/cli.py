"""The command line: one verb per stage.

Exit codes: 0 fine, 1 findings in a spec, 2 wrong usage or an internal error. Everything a verb
needs is imported when it runs, so that `--help` costs little more than typer.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from graphbuild import __version__, console, files
from graphbuild.errors import Finding, SpecError
from graphbuild.settings import params, plugins, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphbuild.ir import Graph
    from graphbuild.report import Report, Row
    from graphbuild.spec import Spec

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

Format = Literal["text", "json"]


def _complete(incomplete: str) -> list[str]:
    """Bundled specs by name, and the folders and YAML files that begin like this."""
    from graphbuild.library import bundled

    here = [p for p in Path().glob(f"{incomplete}*") if p.is_dir() or p.suffix in (".yaml", ".yml")]
    names = [name for name in bundled() if name.startswith(incomplete)]
    return names + [f"{p}/" if p.is_dir() else str(p) for p in here]


_SPEC = typer.Argument(
    metavar="SPEC", help="A YAML file, or the name of a bundled spec.", autocompletion=_complete
)
SpecName = Annotated[str, _SPEC]
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
FormatOption = Annotated[Format, typer.Option("--format", help="json is for machines.")]


@app.command()
def compile(
    spec: SpecName,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout."),
    ] = None,
    set_: Params = None,
    plugin: Plugins = None,
) -> None:
    """Write a spec as PyTorch source.

    The source is that of a torch.nn.Module and needs only torch. It goes to <name>.py where you
    stand, unless -o says otherwise.

    \b
    Examples:
      graphbuild compile specs/densenet121.yaml
      graphbuild compile densenet121 --set growth_rate=24 -o narrow.py
      graphbuild compile densenet121 -o - | less
    """
    from graphbuild import names
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.emit import emit
    from graphbuild.report import report

    read = _read(spec)
    graph, found = elaborate_with_findings(read, params(set_, read))
    console.findings(found)
    if graph is None:
        raise typer.Exit(1)
    generated = emit(graph)
    if output == "-":
        sys.stdout.write(generated.source)
        return
    file = output or f"{names.identifier(read.name)}.py"
    files.write(file, generated.source)
    told = report(graph, depth=1)
    lines = generated.source.splitlines()
    rows = [
        ("wrote", file),
        ("class", generated.class_name),
        ("lines", f"{len(lines)}, in {_several(_classes(lines), 'class', 'classes')}"),
        ("inputs", _shapes(told.inputs)),
        ("outputs", _shapes(told.outputs)),
        ("parameters", f"{told.totals.parameters:,}"),
        ("MACs", f"{told.totals.macs:,} at {_example(graph)}"),
    ]
    console.table([(read.name, False), ("", False)], rows, ())


@app.command()
def check(
    specs: Annotated[list[str], _SPEC],
    format: FormatOption = "text",
    set_: Params = None,
    plugin: Plugins = None,
) -> None:
    """Tell what is wrong with specs.

    Checks every op, argument, reference and shape, and what the spec expects of itself. Exits
    with 1 if a spec has errors; warnings alone are fine.

    \b
    Examples:
      graphbuild check specs/*.yaml
      graphbuild check densenet121 --set growth_rate=24
      graphbuild check net.yaml --format json
    """
    from graphbuild.elaborate import elaborate_with_findings

    every: list[Finding] = []
    told: set[object] = set()  # what is wrong with a spec is wrong with all that it is a part of
    for name in specs:
        try:
            read = _read(name)
            found = list(elaborate_with_findings(read, params(set_, read))[1])
        except SpecError as error:
            found = list(error.findings)
        fresh = [f for f in found if (f.code, f.span or f.message) not in told]
        told.update((f.code, f.span or f.message) for f in fresh)
        every += fresh
        if format == "text":
            console.findings(fresh)
            console.say(f"{name}: {_verdict(found)}")
    if format == "json":
        _print_json([console.to_dict(finding) for finding in every])
    raise typer.Exit(_status(every))


@app.command()
def summary(
    spec: SpecName,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Fold what lies deeper; the totals stay.")
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZE", help="Show the shapes at this size of a free dimension."),
    ] = None,
    set_: Params = None,
    format: FormatOption = "text",
    plugin: Plugins = None,
) -> None:
    """Show layers, shapes, parameters, MACs.

    Free dimensions stay in the shapes (N×256×H/8×W/8); with --size all shapes are concrete.

    \b
    Examples:
      graphbuild summary densenet121 --depth 2
      graphbuild summary resnet50 --size H=320 --size W=320
      graphbuild summary lenet5 --format json
    """
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.report import report

    read = _read(spec)
    given = sizes(size, read)
    graph, found = elaborate_with_findings(read, params(set_, read), given)
    console.findings(found)
    if graph is None:
        raise typer.Exit(1)
    told = report(graph, depth, concrete=bool(given))
    if format == "json":
        _print_json(told.to_dict())
    else:
        _print_report(told, _example(graph))


@app.command("list")
def list_() -> None:
    """List the bundled specs.

    Tells what they are, and the params that --set changes.

    \b
    Example:
      graphbuild list
    """
    from graphbuild.library import bundled
    from graphbuild.source import plain

    rows = []
    for name in bundled():
        read = _read(name)
        params = ", ".join(f"{key}={_value(plain(v))}" for key, v in read.params.items())
        rows.append((name, (str(read.doc).splitlines() or [""])[0], params))
    console.table([("name", False), ("what it is", False), ("params", False)], rows, ())


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


def main(args: list[str] | None = None) -> None:
    """Run the command line; ends with SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that has no × shows a ? for it
            stream.reconfigure(errors="replace")
    try:
        app(args, prog_name="graphbuild")
    except SpecError as error:
        console.findings(error.findings)
        sys.exit(_status(error.findings))
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


def _read(name: str) -> Spec:
    from graphbuild.read import read

    return read(name)


def _status(found: Iterable[Finding]) -> int:
    """The exit code; a spec that is not there is wrong usage."""
    errors = [finding for finding in found if finding.is_error]
    return 2 if any(f.code == "E001" for f in errors) else int(bool(errors))


def _verdict(found: list[Finding]) -> str:
    errors = sum(finding.is_error for finding in found)
    warnings = len(found) - errors
    told = [_several(errors, "error", "errors")] if errors else ["ok"]
    return ", ".join(told + [_several(warnings, "warning", "warnings")] * bool(warnings))


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _example(graph: Graph) -> str:
    """The sizes that concrete shapes and MACs are meant at."""
    sizes = graph.dims.sizes if graph.dims is not None else {}
    return ", ".join(f"{name}={values[0]}" for name, values in sizes.items()) or "every size"


def _classes(lines: list[str]) -> int:
    return sum(line.startswith("class ") for line in lines)


def _value(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _shapes(named: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in named)


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))


def _print_report(told: Report, example: str) -> None:
    text, number = False, True
    columns = [("path", text), ("op", text), ("output", text)]
    columns += [("parameters", number), ("MACs", number)]
    rows = [
        (row.path, _op(row), row.output, f"{row.counts.parameters:,}", f"{row.counts.macs:,}")
        for row in told.rows
    ]
    totals = told.totals
    console.say(f"{told.name}: {_shapes(told.inputs)} -> {_shapes(told.outputs)}\n")
    console.table(columns, rows, ("total", "", "", f"{totals.parameters:,}", f"{totals.macs:,}"))
    mode = "" if all(row.mode == "always" for row in told.rows) else ", in evaluation"
    size = f"{told.parameter_bytes / 1e6:,.1f} MB"
    console.say(f"\nparameters take {size}; MACs are at {example}{mode}")
    if told.idle:
        console.say(f"of cases the costliest are counted: the total leaves {told.idle:,} MACs out")


def _op(row: Row) -> str:
    return row.what if row.mode == "always" else f"{row.what} when {row.mode}"
