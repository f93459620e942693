"""The stages as public functions, in order: read, elaborate, emit, load; `compile` is all of them.

    >>> import graphbuild
    >>> spec = graphbuild.read("densenet121")             # text -> Spec
    >>> graph = graphbuild.elaborate(spec, growth_rate=24)  # Spec + params -> Graph
    >>> print(graphbuild.emit(graph).source)              # Graph -> Python source
    >>> model = graphbuild.load(graphbuild.emit(graph))   # source -> nn.Module

Only `load` and `compile` import torch. What is wrong with a spec is raised as `SpecError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from graphbuild.errors import Finding, SpecError

if TYPE_CHECKING:
    from torch import nn

    from graphbuild.diff import Difference
    from graphbuild.emit.generated import Generated
    from graphbuild.ir import Graph
    from graphbuild.render import ColorBy, Direction, Drawing, Format, ThemeName
    from graphbuild.report import Report
    from graphbuild.spec import Spec

SpecLike = str | os.PathLike[str] | Mapping[str, object]


def _takes(stage: str, value: object, kind: type, maker: str) -> None:
    """Raise where a stage is given what another one makes."""
    if not isinstance(value, kind):
        found = type(value).__name__
        message = f"{stage} takes a {kind.__name__}, which graphbuild.{maker} gives, not a {found}"
        raise TypeError(message)


def specs() -> dict[str, Path]:
    """The bundled specs, by name.

    >>> graphbuild.specs()["lenet5"].name
    'lenet5.yaml'
    """
    from graphbuild.library import bundled

    return bundled()


def read(source: SpecLike, /) -> Spec:
    """Read a spec: a path, the name of a bundled spec, or a mapping as YAML would give it.

    >>> graphbuild.read("specs/densenet121.yaml").name
    'densenet121'
    >>> graphbuild.read({
    ...     "graphbuild": 1,
    ...     "name": "probe",
    ...     "inputs": {"x": ["N", 16]},
    ...     "nodes": {"fc": {"op": "Linear", "out_features": 10}},
    ... }).name
    'probe'

    Raises SpecError with every finding of reading: a file that is not there, text that is not
    YAML, keys that the language does not have. Ops and arguments are not looked at yet.
    """
    from graphbuild.read import read as stage

    given: object = source
    if not isinstance(given, str | os.PathLike | Mapping):
        what = "a path, the name of a bundled spec or a mapping"
        raise TypeError(f"read takes {what}, not a {type(given).__name__}")
    return stage(source)


def elaborate(
    spec: Spec, sizes: Mapping[str, int] = MappingProxyType({}), /, **params: object
) -> Graph:
    """Build the graph of a spec for given params, with every argument and every shape inferred.

    ``sizes`` replaces the example sizes of free dimensions; those stay free all the same.

    >>> spec = graphbuild.read("densenet121")
    >>> graph = graphbuild.elaborate(spec, {"H": 320}, growth_rate=24)
    >>> graph.by_name["classifier"].type.shape
    (1, 1000)

    Raises SpecError with every finding: unknown ops and arguments, undefined references, shapes
    that do not fit, expectations that are not met.
    """
    from graphbuild.elaborate import elaborate as stage
    from graphbuild.ir import Graph
    from graphbuild.spec import Spec

    _takes("elaborate", spec, Spec, "read")
    Graph.drawn = render  # so that a notebook shows it as a picture
    return stage(spec, params, sizes)


def check(source: SpecLike, /, **params: object) -> list[Finding]:
    """Everything that is wrong with a spec, or looks wrong; an empty list if nothing is.

    >>> graphbuild.check("densenet121")
    []
    >>> [f.code for f in graphbuild.check("densenet121", growth_rate="wide")]
    ['E103']
    """
    from graphbuild.elaborate import elaborate_with_findings
    from graphbuild.pause import collection_paused

    try:
        with collection_paused():
            return list(elaborate_with_findings(read(source), params)[1])
    except SpecError as error:
        return list(error.findings)


def summary(graph: Graph, depth: int | None = None) -> Report:
    """The layers of a graph with shapes, parameters and MACs; ``depth`` folds what lies deeper.

    >>> graph = graphbuild.elaborate(graphbuild.read("densenet121"))
    >>> graphbuild.summary(graph).totals.parameters
    7978856
    >>> [row.path for row in graphbuild.summary(graph, depth=1).rows]
    ['features', 'relu', 'pool', 'flatten', 'classifier']
    """
    from graphbuild.ir import Graph
    from graphbuild.report import report

    _takes("summary", graph, Graph, "elaborate")
    return report(graph, depth)


def diff(
    before: Graph, after: Graph, /, *, depth: int | None = None, full: bool = False
) -> Difference:
    """What changed from one graph to another, as a reader would say it; falsy if nothing did.

    What is the same in every instance of a block is one row, and so is what follows from a param;
    ``depth`` folds what lies deeper, ``full`` folds nothing.

    >>> spec = graphbuild.read("densenet121")
    >>> before, after = graphbuild.elaborate(spec), graphbuild.elaborate(spec, growth_rate=24)
    >>> found = graphbuild.diff(before, after)
    >>> [row.text for row in found.rows][:2]
    ['32 → 24', 'out_channels 128 → 96']
    >>> graphbuild.render(found, "diff.svg")
    """
    from graphbuild.diff import diff as stage
    from graphbuild.ir import Graph

    for graph in (before, after):
        _takes("diff", graph, Graph, "elaborate")
    return stage(before, after, depth=depth, full=full)


def render(
    graph: Graph | Difference,
    /,
    output: str | os.PathLike[str] | None = None,
    *,
    format: Format | None = None,
    depth: int | None = None,
    expand: Iterable[str] = (),
    collapse: Iterable[str] = (),
    full: bool = False,
    color_by: ColorBy = "kind",
    direction: Direction = "TB",
    theme: ThemeName = "auto",
    link_base: str | None = None,
) -> Drawing:
    """Draw a graph, folded to what a reader can take in; also into a file, if one is named.

    The format is that of the file's name, or SVG. A notebook shows what is returned. HTML is one
    page, to be opened without any network: blocks open and close, nodes can be searched, and a panel
    tells their arguments, shapes, costs and lines in the spec. What `diff` gives is drawn as one
    still picture of both graphs, with what was added, removed and changed.

    >>> graph = graphbuild.elaborate(graphbuild.read("densenet121"))
    >>> graphbuild.render(graph, "densenet121.pdf", expand=["features.denseblock1"])
    >>> graphbuild.render(graph, direction="LR", color_by="macs").text[:5]
    '<?xml'

    Raises LookupError where a path to expand or collapse is none of the graph's, and ValueError
    where the format is none, `link_base` no address of files or pages, or more is to be shown than
    can be laid out.
    """
    from graphbuild import files
    from graphbuild.diff import Difference
    from graphbuild.ir import Graph
    from graphbuild.render import FORMATS, STILLS, Folding, Style, draw, draw_page, most, picture

    known = STILLS if isinstance(graph, Difference) else FORMATS
    drawn = graph.graph if isinstance(graph, Difference) else graph
    _takes("render", drawn, Graph, "elaborate")
    chosen = format or (Path(output).suffix.lstrip(".").lower() if output is not None else "svg")
    if chosen not in known:
        raise ValueError(f"no format {chosen!r}; there are {', '.join(known)}")
    folding = Folding(
        depth=depth,
        expand=tuple(expand),
        collapse=tuple(collapse),
        full=full,
        most=most(chosen),
    )
    style = Style(direction=direction, theme=theme, link_base=link_base)
    what = picture(drawn, folding, color_by)
    if chosen == "html":
        drawing = draw_page(drawn, what, folding, style)
    else:
        drawing = draw(what, chosen, style)
    if output is not None:
        files.write(output, drawing.content)
    return drawing


def emit(graph: Graph, /) -> Generated:
    """Write a graph as the Python source of a module that needs only torch; nothing is run.

    >>> generated = graphbuild.emit(graphbuild.elaborate(graphbuild.read("lenet5")))
    >>> generated.class_name
    'Lenet5'
    >>> Path("lenet5.py").write_text(generated.source)
    """
    from graphbuild.emit import emit as stage
    from graphbuild.ir import Graph

    _takes("emit", graph, Graph, "elaborate")
    return stage(graph)


def load(
    generated: Generated, /, *, init: bool = True, weights: str | os.PathLike[str] | None = None
) -> nn.Module:
    """Run emitted source and construct its module.

    With ``weights`` the parameters are those of a file, ``.pt``, ``.pth`` or ``.safetensors``, which
    may hold nothing but tensors; with ``init=False`` they are left as allocated.

    >>> model = graphbuild.load(generated, weights="lenet5.pt")

    Raises WeightsError, which lists every key that does not fit, and MemoryError where there is not
    enough memory for the parameters.
    """
    from graphbuild.emit.generated import Generated
    from graphbuild.load import load as stage

    _takes("load", generated, Generated, "emit")
    return stage(generated, init=init, weights=weights)


def compile(
    source: SpecLike,
    /,
    *,
    init: bool = True,
    weights: str | os.PathLike[str] | None = None,
    **params: object,
) -> nn.Module:
    """Compile a spec to a module: `read`, `elaborate`, `emit` and `load` in one call.

    >>> model = graphbuild.compile("densenet121", growth_rate=24)
    >>> model(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])

    Raises SpecError where the spec, or a param, is wrong.
    """
    return load(emit(elaborate(read(source), **params)), init=init, weights=weights)
