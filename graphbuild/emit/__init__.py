"""Graph -> the Python source of an ordinary `nn.Module`. A value is made here; nothing is run.

The source needs only torch. It holds one class (for a plain chain a function) per distinct block,
whose constructor takes the block's params and the input sizes that it needs; what differs between
instances is written as the spec's own expression, and `if` and `repeat` as Python's. Every text is
checked against the values of all instances before it is kept, so what is written is what was
elaborated.
"""

from __future__ import annotations

from graphbuild.emit.classes import Written, write
from graphbuild.emit.generated import Generated
from graphbuild.emit.module import small_module
from graphbuild.emit.parts import Irregular
from graphbuild.emit.text import Lines, head
from graphbuild.emit.units import SmallModule, Units
from graphbuild.ir import Graph
from graphbuild.pause import collection_paused

__all__ = ["Generated", "emit"]


@collection_paused()
def emit(graph: Graph) -> Generated:
    """The source of a spec's graph.

    >>> source = emit(elaborate(read("densenet121"))).source
    """
    apart: set[str] = set()
    while True:
        units = Units(graph, apart)
        modules: dict[str, SmallModule] = {}
        written: list[Written] = []
        try:
            for unit in units.all:
                written.append(write(unit, units, modules))
            break
        except Irregular:  # its instances have too little in common
            if unit.template in apart:
                raise
            apart.add(unit.template)
    lines = Lines()
    for small in modules.values():
        small_module(lines, small)
    for part in written:
        lines.unit(part)
    start = head(graph, "\n".join(lines.code))
    shift = start.count("\n")
    return Generated(
        start + lines.text,
        units.all[-1].name,
        graph.name,
        {line + shift: span for line, span in lines.spans.items()},
        graph,
    )
