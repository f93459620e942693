"""The shapes line of a docstring: ``[N, in_channels, H, W] -> [N, planes * 4, H', W']``."""

from __future__ import annotations

from functools import partial

from graphbuild import expr as expressions
from graphbuild.dims import Size
from graphbuild.emit.build import Builder
from graphbuild.emit.choices import laid_out, lead
from graphbuild.emit.parts import Scope
from graphbuild.emit.sizes import static
from graphbuild.emit.symbols import Sym, SymType, is_lost
from graphbuild.emit.units import Case
from graphbuild.ir import ABSENT, Graph, Several, Tensor, Type

_LETTERS = {1: "N", 2: "NF", 3: "NLL", 4: "NCHW", 5: "NCDHW"}


def shapes_line(scope: Scope, result: SymType | None, builder: Builder) -> str:
    """Inputs and outputs of a unit, as far as they are the same in all instances."""
    graph = scope.graph
    if graph.dims is not None:
        inputs = [_root(i.type, graph) for i in graph.inputs]
        return f"{', '.join(inputs)} -> {_root(graph.type, graph)}"
    inputs = []
    for position, given in enumerate(graph.inputs):
        if given not in graph.data:
            continue
        types = [case.graph.inputs[position].type for case in scope.cases]
        inputs.append(_type(types, scope.shapes[given.name], scope, builder, position))
    types = [case.graph.type for case in scope.cases]
    output = _type(types, result, scope, builder, None, named=graph.form == "mapping")
    if graph.routing is not None:
        inputs, output = _chosen(graph, inputs, output)
    return f"{', '.join(inputs)} -> {output}"


def _chosen(graph: Graph, data: list[str], output: str) -> tuple[list[str], str]:
    """The shapes of a scope of cases: what chooses stands first, in the sizes of the data."""
    sizes = [text[1:-1].split(", ") for text in (*data, output)]
    if flat := laid_out(graph):  # a case sees one dimension where the scope is given several
        sizes = [["...", *parts[1:]] for parts in sizes[:-1]] + [["...", *sizes[-1][flat:]]]
    along = sizes[0][: 1 if flat else lead(graph)]
    if graph.routing is not None and graph.routing.kind == "mixture":
        along = [*along, "cases"]
    *inputs, last = (f"[{', '.join(parts)}]" for parts in [along, *sizes])
    return inputs, last


def _root(type_: Type, graph: Graph) -> str:
    if type_ == ABSENT:
        return "None"
    if isinstance(type_, Several):
        inner = [_root(item, graph) for item in type_.items]
        if type_.names and graph.form == "mapping":
            inner = [f"{n}: {i}" for n, i in zip(type_.names, inner, strict=True)]
        return f"({', '.join(inner)})"
    if graph.dims is None:
        raise ValueError("a spec without dimensions")
    columns = zip(*(shape for shape in type_.shapes if shape is not None), strict=True)
    known = [p for p, shape in enumerate(type_.shapes) if shape is not None]
    out = []
    for column in columns:
        values: list[int | None] = [None] * len(type_.shapes)
        for p, value in zip(known, column, strict=True):
            values[p] = value
        out.append(graph.dims.show(values))
    return f"[{', '.join(out)}]"


def _type(
    types: list[Type],
    symbols: SymType | None,
    scope: Scope,
    builder: Builder,
    position: int | None,
    named: bool = False,
) -> str:
    first = next((t for t in types if t != ABSENT), ABSENT)
    if first == ABSENT:
        return "None"
    if isinstance(first, Several):
        parts = []
        for k in range(len(first.items)):
            inner = [
                t.items[k] if isinstance(t, Several) and t != ABSENT else ABSENT for t in types
            ]
            symbol = symbols[k] if isinstance(symbols, list) and k < len(symbols) else None
            name = f"{first.names[k]}: " if named and first.names else ""
            parts.append(name + _type(inner, symbol, scope, builder, position))
        return f"({', '.join(parts)})"
    tensors = [t for t in types if isinstance(t, Tensor)]
    rank = len(first.shape)
    if any(len(t.shape) != rank for t in tensors):
        return "[...]"
    out = []
    for d in range(rank):
        size = symbols[d] if isinstance(symbols, tuple) and len(symbols) == rank else None
        if isinstance(size, Sym) and not is_lost(size.expr) and all(static(t, d) for t in tensors):
            holds = len({t.shape[d] for t in tensors}) == 1 or expressions.names(size.expr)
            out.append(builder.text(size.expr, scope.cases[0]) if holds else _letter(rank, d))
        elif position is not None:
            out.append(_given(scope, position, d))
        else:
            out.append(_relation(types, d, scope))
    return f"[{', '.join(out)}]"


def _letter(rank: int, dimension: int) -> str:
    letters = _LETTERS.get(rank, "")
    return letters[dimension] if dimension < len(letters) else f"D{dimension}"


def _given(scope: Scope, position: int, dimension: int) -> str:
    """What a free size of an input is called: `H`, or `H2` where it is not the first input's."""
    types = [[i.type for i in case.graph.inputs] for case in scope.cases]
    own = [t[position] for t in types]
    letter = _letter(len(own[0].shape) if isinstance(own[0], Tensor) else 0, dimension)
    base = len(types[0]) - len(scope.graph.data)
    first = [t[base] for t in types]
    alike = position == base or all(
        isinstance(a, Tensor)
        and isinstance(b, Tensor)
        and _column(a, dimension) == _column(b, dimension)
        for a, b in zip(own, first, strict=True)
    )
    return letter if alike else f"{letter}{position - base + 1}"


def _column(type_: Tensor, dimension: int) -> list[int | None]:
    return [s[dimension] if s and len(s) > dimension else None for s in type_.shapes]


def _keeps(position: int, dimension: int, case: Case, output: Type) -> bool:
    """Whether a size of an output is that of an input at every probe."""
    given = case.graph.inputs[position].type
    if not isinstance(output, Tensor):  # absent here
        return True
    return isinstance(given, Tensor) and _column(given, dimension) == _column(output, dimension)


def _relation(outputs: list[Type], dimension: int, scope: Scope) -> str:
    """A free size of an output by an input's: `H`, `⌈H/2⌉`, or `H'` where it is another one."""
    for position, source in enumerate(scope.graph.inputs):
        if source not in scope.graph.data:
            continue
        name = _given(scope, position, dimension)
        if all(map(partial(_keeps, position, dimension), scope.cases, outputs)):
            return name
        formulas: dict[tuple[int, int], str | None] = {}
        for case, output in zip(scope.cases, outputs, strict=True):
            if not isinstance(output, Tensor):  # absent here
                continue
            given, size = case.graph.inputs[position].type, output.shape[dimension]
            if not isinstance(given, Tensor) or len(given.shape) <= dimension:
                formulas[-1, -1] = None
                break
            before = given.shape[dimension]
            if (before, size) not in formulas:
                found = size.relative(before, name) if isinstance(size, Size) else None
                formulas[before, size] = None if found is None else found.formula
        told = set(formulas.values())
        known = told.pop()
        if known is not None and not told:
            return known
    ranks = [len(output.shape) for output in outputs if isinstance(output, Tensor)]
    return f"{_letter(ranks[0], dimension)}'"
