"""What differs in specs as a whole: params, inputs and outputs, sizes, initialisation, ties."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuild.diff.matching import Pairing
from graphbuild.diff.rows import Row
from graphbuild.diff.values import exact, shape, shown
from graphbuild.diff.wiring import Wiring, output_name, wire
from graphbuild.diff.words import line
from graphbuild.ir import InitRule


def whole(
    pairing: Pairing, differs: bool
) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[str, ...]]:
    """Rows of params, which are causes and no differences; other rows; and notes."""
    rows = (*_inputs(pairing), *_outputs(pairing), *_init(pairing), *_ties(pairing))
    params = tuple(_params(pairing))
    notes = list(_notes(pairing))
    if not differs and not rows:
        notes = [f"param {row.where} {row.text} changes nothing" for row in params] + notes
        params = ()
    return params, rows, tuple(notes)


def _params(pairing: Pairing) -> Iterator[Row]:
    one, other = (
        {v.name: v.value for v in graph.variables if v.kind == "param"}
        for graph in (pairing.before, pairing.after)
    )
    for name in filter(other.__contains__, one):
        if exact(one[name]) != exact(other[name]):
            yield Row("~", "param", f"param {name}", f"{shown(one[name])} → {shown(other[name])}")


def _inputs(pairing: Pairing) -> Iterator[Row]:
    dims = pairing.before.dims, pairing.after.dims
    for a, b in pairing.inputs:
        if a is None and b is not None:
            yield Row(
                "+", "input", f"input {b.name}", shape(b.type, dims[1]), lines=("", line(b.span))
            )
        elif b is None and a is not None:
            yield Row(
                "-", "input", f"input {a.name}", shape(a.type, dims[0]), lines=(line(a.span), "")
            )
        elif a is not None and b is not None:
            told = [f"renamed from {a.name}"] if a.name != b.name else []
            old, new = shape(a.type, dims[0]), shape(b.type, dims[1])
            told += [f"{old} → {new}"] if old != new else []
            if told:
                lines = line(a.span), line(b.span)
                yield Row("~", "input", f"input {b.name}", ", ".join(told), lines=lines)
    ranges = [
        {dim.name: (dim.multiple, dim.min, dim.max) for dim in (d.free if d else ())} for d in dims
    ]
    for name in filter(ranges[1].__contains__, ranges[0]):
        if ranges[0][name] != ranges[1][name]:
            old, new = (_range(*found[name]) for found in ranges)
            yield Row("~", "size", f"size {name}", f"{old} → {new}")


def _range(multiple: int, least: int, most: int | None) -> str:
    told = [f"a multiple of {multiple}"] if multiple > 1 else []
    told += [f"at least {least}"] if least > 1 else []
    told += [f"at most {most}"] if most is not None else []
    return ", ".join(told) or "any size"


def _outputs(pairing: Pairing) -> Iterator[Row]:
    one, other = pairing.before, pairing.after
    dims = one.dims, other.dims
    words = {"single": "one tensor", "list": "a tuple", "mapping": "a dict"}
    if one.form != other.form:
        yield Row("~", "output", "outputs", f"{words[one.form]} → {words[other.form]}")
    wiring = Wiring(pairing)
    single = one.form == other.form == "single"
    for a, b in wiring.outputs:
        old, new = (
            shape(graph.value(output.edge), d) if output is not None else ""
            for graph, output, d in zip((one, other), (a, b), dims, strict=True)
        )
        lines = line(a.edge.span) if a else "", line(b.edge.span) if b else ""
        if b is None and a is not None:
            yield Row("-", "output", f"output {output_name(one, a)}", old, lines=lines)
        elif a is None and b is not None:
            yield Row("+", "output", f"output {output_name(other, b)}", new, lines=lines)
        elif a is not None and b is not None:
            names = output_name(one, a), output_name(other, b)
            told = [f"was {names[0]}"] if names[0] != names[1] and not single else []
            told += [] if wiring.same(a.edge, b.edge) else [f"{wire(a.edge)} → {wire(b.edge)}"]
            follows = not told and old != new
            told += [f"{old} → {new}"] if old != new else []
            modes = one.mode(a.edge), other.mode(b.edge)
            told += [f"there {modes[0]} → {modes[1]}"] if modes[0] != modes[1] else []
            if told:
                called = "output" if single else f"output {names[1]}"
                text = ", ".join(told)
                yield Row("~", "output", called, text, follows=follows, lines=lines)


def _init(pairing: Pairing) -> Iterator[Row]:
    one, other = ([_rule(rule) for rule in graph.init] for graph in (pairing.before, pairing.after))
    if one == other:
        return
    left, right = dict(one), dict(other)
    for name in {**left, **right}:
        old, new = left.get(name), right.get(name)
        if old != new:
            mark = "+" if old is None else "-" if new is None else "~"
            told = f"{old} → {new}" if old is not None and new is not None else old or new or ""
            yield Row(mark, "init", f"init {name}", told)  # type: ignore[arg-type]
    if sorted(one) == sorted(other):
        yield Row("~", "init", "init", "the rules stand in another order")


def _rule(rule: InitRule) -> tuple[str, str]:
    within = f" within {', '.join(rule.within)}" if rule.within else ""
    told = ", ".join(f"{name} {shown(value)}" for name, value in rule.parameters.items())
    return f"{rule.match}{within}", told


def _ties(pairing: Pairing) -> Iterator[Row]:
    one, other = ({tie.path: tie.source for tie in g.ties} for g in (pairing.before, pairing.after))
    for path in {**one, **other}:
        old, new = one.get(path), other.get(path)
        if old is None:
            yield Row("+", "tie", path, f"tied to {new}")
        elif new is None:
            yield Row("-", "tie", path, f"no longer tied to {old}")
        elif old != new:
            yield Row("~", "tie", path, f"tied to {old} → {new}")


def _notes(pairing: Pairing) -> Iterator[str]:
    sizes = [
        {dim.name: dim.example for dim in (g.dims.free if g.dims else ())}
        for g in (pairing.before, pairing.after)
    ]
    for name in filter(sizes[1].__contains__, sizes[0]):
        old, new = sizes[0][name], sizes[1][name]
        if old != new:
            yield f"MACs are at {name}={old or 1} and {name}={new or 1}"
