"""The verb `diff`: tell what changed between two specs, and draw it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from graphbuild import console, files
from graphbuild.cli.app import SPEC, Plugins, app
from graphbuild.cli.draw import still_of, usage_told
from graphbuild.errors import Finding, SpecError
from graphbuild.settings import params, sizes
from graphbuild.visible import visible

if TYPE_CHECKING:
    from graphbuild.ir import Graph


@app.command()
def diff(
    before: Annotated[str, SPEC],
    after: Annotated[str, SPEC],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a param of both, read as YAML."),
    ] = None,
    set_before: Annotated[
        list[str] | None,
        typer.Option("--set-a", metavar="NAME=VALUE", help="Set a param of the first alone."),
    ] = None,
    set_after: Annotated[
        list[str] | None,
        typer.Option("--set-b", metavar="NAME=VALUE", help="Set a param of the second alone."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZE", help="Take this size of a free dimension in both."),
    ] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Fold what lies deeper; the totals stay.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Fold nothing: each place, and all that follows.")
    ] = False,
    format: Annotated[
        Literal["text", "json"], typer.Option("--format", help="json is for machines.")
    ] = "text",
    render: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw both in one picture; the ending is its format."),
    ] = None,
    expand: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Open this block in the picture.")
    ] = None,
    collapse: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Leave this one closed.")
    ] = None,
    direction: Annotated[
        Literal["TB", "LR"], typer.Option(help="Top to bottom, or left to right.")
    ] = "TB",
    theme: Annotated[
        Literal["light", "dark", "auto"],
        typer.Option(help="auto: an SVG that is dark where the reader's screen is."),
    ] = "auto",
    plugin: Plugins = None,
) -> None:
    """Tell what changed between two specs.

    Nodes that were added, removed, renamed, rewired or given other arguments, what that makes of
    parameters and MACs, and how many weights still fit. What is the same in every instance of a
    block is one line. Exits with 0 where the networks are the same, 1 where they differ, and 2
    where one of the specs has errors.

    \b
    Examples:
      graphbuild diff old.yaml new.yaml
      graphbuild diff resnet18 resnet34 --render diff.svg
      graphbuild diff densenet121 densenet121 --set-b growth_rate=24
      graphbuild diff old.yaml new.yaml --format json
    """
    from graphbuild.diff import diff as compare
    from graphbuild.render import Folding, Style, draw, most, picture

    chosen = still_of(render) if render is not None else None
    one = _graph(before, {"--set": set_, "--set-a": set_before}, size, format)
    other = _graph(after, {"--set": set_, "--set-b": set_after}, size, format)
    names = (" ".join([before, *(set_before or ())]), " ".join([after, *(set_after or ())]))
    found = compare(one, other, depth=depth, full=full, names=names)
    if render is not None and chosen is not None:
        folding = Folding(
            depth=None if full else depth,
            expand=tuple(expand or ()),
            collapse=tuple(collapse or ()),
            full=full,
            most=most(chosen),
        )
        with usage_told():
            drawing = draw(picture(found.graph, folding), chosen, Style(direction, theme))
        files.write(render, drawing.content)
    if format == "json":
        print(visible(json.dumps(found.to_dict(), indent=2, ensure_ascii=False)))
    else:
        console.say(found)
        if render is not None:
            console.say(f"\nwrote {render}")
    raise typer.Exit(int(bool(found)))


def _graph(
    name: str, given: dict[str, list[str] | None], size: list[str] | None, format: str
) -> Graph:
    """The graph of a spec; what is wrong with it is told, and is trouble rather than a difference."""
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.formats import to_json
    from graphbuild.read import read

    found: list[Finding]
    try:
        spec = read(name)
        values = [params(items, spec, option) for option, items in given.items()]
        graph, found = elaborate_with_findings(spec, values[0] | values[1], sizes(size, spec))
    except SpecError as error:
        graph, found = None, list(error.findings)
    if graph is None and format == "json":
        sys.stdout.write(to_json(found))
    else:
        console.findings(found)
    if graph is None:
        raise typer.Exit(2)
    return graph
