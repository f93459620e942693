"""What the panel of the viewer tells of a node: arguments, documentation, its lines in the spec."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from graphbuild.errors import Source, Span
from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op
from graphbuild.render import labels
from graphbuild.render.arguments import show
from graphbuild.render.dot import link_to
from graphbuild.visible import visible

Record = dict[str, Any]
Place = tuple[int, int] | None  # a file's number, and a line


class Details:
    """Gathers them, with the texts of the specs that they come from."""

    def __init__(self, graph: Graph, link_base: str | None) -> None:
        self.home = PurePath(graph.span.source.name if graph.span is not None else "").parent
        self.link_base = link_base
        self.sources: dict[Source, int] = {}

    def files(self) -> list[Record]:
        """The specs, by names that do not tell where they lay."""
        found = []
        for source in self.sources:
            text = "\n".join(map(visible, source.lines))  # whose numbers are those of places
            record = {"name": visible(self._name(source)), "text": text}
            if self.link_base is not None:
                record["link"] = link_to(source, self.link_base)
            found.append(record)
        return found

    def _name(self, source: Source) -> str:
        """A file in the folder of the spec by its path there; a bundled one has its name alone."""
        path = PurePath(source.name)
        inside = path.is_relative_to(self.home)
        return path.relative_to(self.home).as_posix() if inside else path.name

    def place(self, span: Span | None) -> Place:
        if span is None or not span.line:
            return None
        return self.sources.setdefault(span.source, len(self.sources)), span.line

    def node(self, node: Node) -> Record:
        """Of one call: its op with all arguments, each with whether the operands determine it."""
        call = node.call
        record: Record = {
            "op": labels.called(node),
            "args": [[name, _shown(a.value), a.expr is None] for name, a in node.args.items()],
            "at": self.place(node.span),
        }
        if isinstance(call, Op) and call.doc:
            record["doc"] = visible(call.doc)
        if node.times is not None:
            record["times"] = show(node.times.value)
        return record

    def graph(self, graph: Graph) -> Record:
        """Of a block, group or spec: its own params and names."""
        given = [v for v in graph.variables if v.kind != "rest"]
        return {
            "kind": graph.kind,
            "doc": visible(graph.doc),
            "at": self.place(graph.span),
            "args": [[v.name, _shown(v.value), v.kind == "let"] for v in given],
        }


def _shown(value: object) -> str:
    return visible(show(value))
