"""Random specs, nearly all of them valid: a hypothesis strategy for the whole language.

A spec is drawn as plain data, scope by scope. Of each value its width is known by a key: equal
keys are equal widths, so that sums are drawn of values that can be added; and its level, which is
how often it has been halved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from command import ROOT
from hypothesis import strategies as st

from graphbuild.elaborate import elaborate
from graphbuild.errors import SpecError
from graphbuild.ir import Tensor
from graphbuild.read import read_text
from graphbuild.report import report
from specgen.draws import Data
from specgen.whole import Maker

PARTS = ROOT / "tests" / "parts"  # what specs can include


class _Dumper(yaml.SafeDumper):
    """Writes as `graphbuild fmt` does, nearly always."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# by YAML 1.2 the words `on` and `no` are text
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if first in "tf" or not tag.endswith(":bool")]
    for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def written(data: Data) -> str:
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=10**6,
    )
    return text


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any], size: int = 2) -> str:
    """The text of a spec, without `graphbuild` and `name`."""
    maker = Maker(draw, size)
    data = maker.spec()
    if maker.chance(8):
        data |= expected(written(data))
    return written(data)


def expected(text: str) -> Data:
    """What comes out of a spec, as it can expect it of itself."""
    try:
        graph = elaborate(
            read_text(f"graphbuild: 1\nname: net\n{text}", "net.yaml", PARTS / "net.yaml")
        )
    except SpecError:
        return {}
    outputs = {}
    for output in graph.outputs:
        type_ = graph.value(output.edge)
        if isinstance(type_, Tensor) and graph.dims is not None:
            sizes = zip(*type_.shapes, strict=True)
            shown = [graph.dims.show(size) for size in sizes]
            name = output.name or ".".join([output.edge.source, *map(str, output.edge.select)])
            outputs[name] = [int(s) if s.isdecimal() else s for s in shown]
    return {"expect": {"parameters": report(graph).totals.parameters, "outputs": outputs}}
