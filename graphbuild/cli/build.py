"""Verbs that make something of a spec: its source, a table of its layers, a list of the bundled."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from graphbuild import console, files
from graphbuild.cli.app import Params, Plugins, SpecName, app, elaborate, several, status

if TYPE_CHECKING:
    from graphbuild.ir import Graph
    from graphbuild.report import Report, Row


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
    from graphbuild.emit import emit
    from graphbuild.report import report

    graph, found = elaborate(spec, set_)
    console.findings(found)
    if graph is None:
        raise typer.Exit(status(found))
    generated = emit(graph)
    if output == "-":
        sys.stdout.write(generated.source)
        return
    file = output or f"{names.identifier(graph.name)}.py"
    files.write(file, generated.source)
    told = report(graph, depth=1)
    lines = generated.source.splitlines()
    rows = [
        ("wrote", file),
        ("class", generated.class_name),
        ("lines", f"{len(lines)}, in {several(_classes(lines), 'class', 'classes')}"),
        ("inputs", _shapes(told.inputs)),
        ("outputs", _shapes(told.outputs)),
        ("parameters", f"{told.totals.parameters:,}"),
        ("MACs", f"{told.totals.macs:,} at {_example(graph)}"),
    ]
    console.table([(graph.name, False), ("", False)], rows, ())


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
    format: Annotated[
        Literal["text", "json"], typer.Option("--format", help="json is for machines.")
    ] = "text",
    plugin: Plugins = None,
) -> None:
    """Show layers, shapes, parameters, MACs.

    Free dimensions stay in the shapes (N×256×H/8×W/8); with --size all shapes are concrete. With
    --format json, a spec that is wrong gives its findings as `check` does.

    \b
    Examples:
      graphbuild summary densenet121 --depth 2
      graphbuild summary resnet50 --size H=320 --size W=320
      graphbuild summary lenet5 --format json
    """
    from graphbuild.formats import to_json
    from graphbuild.report import report

    graph, found = elaborate(spec, set_, size)
    if graph is None and format == "json":
        print(to_json(found))
    else:
        console.findings(found)
    if graph is None:
        raise typer.Exit(status(found))
    told = report(graph, depth, concrete=bool(size))
    if format == "json":
        print(json.dumps(told.to_dict(), indent=2, ensure_ascii=False))
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
    from graphbuild.read import read
    from graphbuild.source import plain

    rows = []
    for name in bundled():
        spec = read(name)
        params = ", ".join(f"{key}={_value(plain(v))}" for key, v in spec.params.items())
        rows.append((name, (str(spec.doc).splitlines() or [""])[0], params))
    console.table([("name", False), ("what it is", False), ("params", False)], rows, ())


def _example(graph: Graph) -> str:
    """The sizes that concrete shapes and MACs are meant at."""
    sizes = graph.dims.sizes if graph.dims is not None else {}
    return ", ".join(f"{name}={values[0]}" for name, values in sizes.items()) or "every size"


def _classes(lines: list[str]) -> int:
    return sum(line.startswith("class ") for line in lines)


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shapes(named: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in named)


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
    size = _size(told.parameter_bytes)
    console.say(f"\nparameters take {size}; MACs are at {example}{mode}")
    if told.idle:
        console.say(f"of cases the costliest are counted: the total leaves {told.idle:,} MACs out")


def _size(count: int) -> str:
    if count >= 10**5:
        return f"{count / 10**6:,.1f} MB"
    return f"{count / 1000:,.1f} kB" if count >= 1000 else f"{count} bytes"


def _op(row: Row) -> str:
    return row.what if row.mode == "always" else f"{row.what} when {row.mode}"
