"""The verb `render`: draw a spec."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from graphbuild import console, files
from graphbuild.cli.app import Params, Plugins, SpecName, app
from graphbuild.settings import params, sizes

Still = Literal["svg", "png", "pdf", "dot", "mmd"]
Format = Literal["svg", "png", "pdf", "dot", "mmd", "html"]
_STILLS, _FORMATS = get_args(Still), get_args(Format)


@app.command()
def render(
    spec: SpecName,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Where to write; its ending is the format."
        ),
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="The format, where the file's name does not tell it.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Open as many levels, and no others.")
    ] = None,
    expand: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Open this block or repetition.")
    ] = None,
    collapse: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Leave this one closed.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Open all; each node by itself.")] = False,
    color_by: Annotated[
        Literal["kind", "params", "macs", "memory"], typer.Option(help="What colours tell.")
    ] = "kind",
    direction: Annotated[
        Literal["TB", "LR"], typer.Option(help="Top to bottom, or left to right.")
    ] = "TB",
    theme: Annotated[
        Literal["light", "dark", "auto"],
        typer.Option(help="auto: SVG and HTML that are dark where the reader's screen is."),
    ] = "auto",
    link_base: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Link each box to its line in the spec below this."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZE", help="Show the shapes at this size of a free dimension."),
    ] = None,
    set_: Params = None,
    plugin: Plugins = None,
) -> None:
    """Draw a spec as SVG, PNG, PDF, DOT, Mermaid, or as a page to look around in.

    About 40 boxes are shown: a repetition is one, and blocks open while there is room. --expand
    opens one more, --depth and --full open them all. The totals stay the same. It goes to
    <name>.svg where you stand, unless -o says otherwise. An .html file needs no network: there blocks
    open and close by a click, nodes can be searched, and a panel tells all about one.

    \b
    Examples:
      graphbuild render densenet121 -o densenet121.svg
      graphbuild render densenet121 -o densenet121.html
      graphbuild render densenet121 --expand features.denseblock1 -o block.pdf
      graphbuild render resnet50 --color-by macs --direction LR -o resnet50.png
      graphbuild render lenet5 --format dot -o -
      graphbuild render net.yaml --link-base https://github.com/me/nets/blob/main
    """
    from graphbuild import names
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.read import read
    from graphbuild.render import Folding, Style, draw, draw_page, most, picture

    chosen = format_of(output, format)
    try:
        style = Style(direction, theme, link_base)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--link-base") from None
    spec_ = read(spec)
    given = sizes(size, spec_)
    graph, found = elaborate_with_findings(spec_, params(set_, spec_), given)
    console.findings(found)
    if graph is None:
        raise typer.Exit(1)
    shut = tuple(collapse or ())
    folding = Folding(depth=depth, expand=tuple(expand or ()), collapse=shut, most=most(chosen))
    if full:
        folding = Folding(full=True, collapse=shut, most=most(chosen))
    with usage_told():
        what = picture(graph, folding, color_by, concrete=bool(given))
        if chosen == "html":
            drawing = draw_page(graph, what, folding, style, concrete=bool(given))
        else:
            drawing = draw(what, chosen, style)
    if output == "-":
        sys.stdout.buffer.write(drawing.content)
        return
    file = output or f"{names.identifier(spec_.name)}.{chosen}"
    files.write(file, drawing.content)
    note = f" ({drawing.note})" if drawing.note else ""
    console.say(f"wrote {file}: {drawing.visible:,} boxes, {what.totals}{note}")


@contextmanager
def usage_told() -> Iterator[None]:
    """Tell as wrong usage that a path is none of the graph's, or that too much is to be shown."""
    from graphbuild.render import NoSuchPath, TooLarge

    try:
        yield
    except NoSuchPath as error:
        raise typer.BadParameter(str(error), param_hint="--expand, --collapse") from None
    except TooLarge as error:
        raise typer.BadParameter(str(error), param_hint="--full, --depth, --expand") from None


def format_of(output: str | None, given: Format | None) -> Format:
    """The format that is asked for, by name or by the ending of the file."""
    if given is not None:
        return given
    if output is None:
        return "svg"
    ending = _ending(output)
    if ending not in _FORMATS:
        what = "standard output" if output == "-" else repr(output)
        message = f"{what} does not tell the format; give --format, or end in {_either(_FORMATS)}"
        raise typer.BadParameter(message, param_hint="--format")
    return cast("Format", ending)


def still_of(output: str) -> Still:
    """The format of a file that can show one picture only."""
    ending = _ending(output)
    if ending not in _STILLS:
        message = f"{output!r} does not tell the format; end in {_either(_STILLS)}"
        raise typer.BadParameter(message, param_hint="--render")
    return cast("Still", ending)


def _ending(output: str) -> str:
    return Path(output).suffix.lstrip(".").lower()


def _either(formats: Iterable[str]) -> str:
    return ", ".join(f".{format}" for format in formats)
