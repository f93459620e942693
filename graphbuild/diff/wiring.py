"""Operands that differ, and whether nodes that came, went or moved explain it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from graphbuild.diff.matching import OUTPUT, Pairing, passed, users
from graphbuild.diff.sequences import stayed
from graphbuild.ir import Edge, Graph, Node, Output

End = tuple[str, tuple[int, ...]]
MOST = 3  # of nodes, that are named


class Wiring:
    """The operands of a pair of scopes, by the names of the second.

    A node that is added between two others is told by itself: the one behind it is not rewired.
    """

    def __init__(self, pairing: Pairing) -> None:
        self.pairing = pairing
        pairs = pairing.pairs
        self.gone = {a.name for a, b in pairs if a is not None and b is None}
        self.come = {b.name for a, b in pairs if a is None and b is not None}

    def changed(self, a: Node, b: Node) -> bool | None:
        """None: a node takes what it took; else whether it stands at another place of a row."""
        if self._operands(a, b, moved=False) or (
            self._operands(a, b, moved=True) and (a.name, b.name) not in self.moved
        ):
            return None
        return (a.name, b.name) in self.moved

    def same(self, one: Edge, other: Edge) -> bool:
        """Whether two edges carry the same value."""
        return self._end(one, False) == self._end(other, True) or self._end(
            one, False, moved=True
        ) == self._end(other, True, moved=True)

    @cached_property
    def outputs(self) -> list[tuple[Output | None, Output | None]]:
        """The outputs by name, else by what they carry, in the order of the second."""
        one, other = self.pairing.before, self.pairing.after
        if len(one.outputs) == len(other.outputs) == 1 and one.form == other.form == "single":
            return list(zip(one.outputs, other.outputs, strict=True))
        left, right = ({output_name(g, o): o for o in g.outputs} for g in (one, other))
        partner: dict[str, Output] = {name: left[name] for name in right if name in left}
        lonely = [output for name, output in left.items() if name not in right]
        for name, output in right.items():
            found = next((o for o in lonely if self.same(o.edge, output.edge)), None)
            if name not in partner and found is not None:
                lonely.remove(found)
                partner[name] = found
        pairs: list[tuple[Output | None, Output | None]] = []
        pairs += [(partner.get(name), output) for name, output in right.items()]
        return pairs + [(output, None) for output in lonely]

    @cached_property
    def moved(self) -> set[tuple[str, str]]:
        """Nodes that are executed after others than before, and take something else."""
        graphs = self.pairing.before, self.pairing.after
        place = [{g.nodes[p].name: at for at, p in enumerate(g.order)} for g in graphs]
        pairs = list(self.pairing.matched)
        names = [(a.name, b.name) for a, b in pairs]
        kept = stayed(names, [(place[0][a], place[1][b]) for a, b in names])
        others = [pair for at, pair in enumerate(pairs) if at not in kept]
        return {(a.name, b.name) for a, b in others if not self._operands(a, b, moved=False)}

    @cached_property
    def _users(self) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
        return users(self.pairing.before), users(self.pairing.after)

    def around(self, node: Node, *, after: bool) -> str:
        """Where a node that came or went stands: what it takes, and who takes it, as it is written.

        Another instance of a block may have what is not there in this one.
        """
        sources = list(dict.fromkeys(edge.source for edge in node.operands))
        takers = [name for name in self._users[after].get(node.name, ()) if name != OUTPUT]
        told = [f"from {_names(sources)}"] if sources else []
        told += [f"to {_names(takers)}"] if takers else []
        return " ".join(told)

    def _operands(self, a: Node, b: Node, *, moved: bool) -> bool:
        """Whether two nodes take the same."""
        if len(a.operands) != len(b.operands):
            return False
        return all(
            self._end(one, False, moved=moved) == self._end(other, True, moved=moved)
            for one, other in zip(a.operands, b.operands, strict=True)
        )

    def _end(self, edge: Edge, after: bool, *, moved: bool = False) -> End:
        """Where an edge comes from, through what is not in both; by the names of the second."""
        graph = self.pairing.after if after else self.pairing.before
        skipped = self.come if after else self.gone
        if moved:
            skipped = skipped | {names[after] for names in self.moved}
        for source, select in self._ways(graph, edge, skipped):
            end = source, select
        source, select = end
        return (source if after else self.pairing.names.get(source, f"{source} (before)")), select

    def _ways(self, graph: Graph, edge: Edge, skipped: set[str]) -> Iterator[End]:
        while True:
            source, select = passed(graph, edge)
            yield source, select
            node = graph.by_name.get(source)
            if node is None or source not in skipped or not node.operands:
                return
            edge = node.operands[0]


def wire(edge: Edge) -> str:
    """Where an edge comes from, as a spec says it."""
    return ".".join([edge.source, *map(str, edge.select)])


def output_name(graph: Graph, output: Output) -> str:
    """What an output is called: its name, its place in a tuple, or what it carries."""
    if output.name:
        return output.name
    return str(graph.outputs.index(output)) if graph.form == "list" else wire(output.edge)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (", …" if len(names) > MOST else "")
