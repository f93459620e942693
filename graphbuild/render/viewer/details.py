"""What the panel of the viewer tells of a node: arguments, documentation, its lines in the spec."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any

from graphbuild.errors import Source, Span
from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op
from graphbuild.render import labels
from graphbuild.render.arguments import show
from graphbuild.render.dot import link_to

Record = dict[str, Any]
Place = tuple[int, int] | None  # a file's number, and a line


class Details:
    """Gathers them, with the texts of the specs that they come from."""

    def __init__(self, link_base: str | None) -> None:
        self.link_base = link_base
        self.sources: dict[Source, int] = {}

    def files(self) -> list[Record]:
        """The specs, by names that do not tell where they lay."""
        names = [PurePath(source.name) for source in self.sources]
        folders = [str(name.parent) for name in names]
        try:
            common = os.path.commonpath(folders) if folders else ""
        except ValueError:  # on other drives, or some of them relative
            common = ""
        found = []
        for source, name in zip(self.sources, names, strict=True):
            short = name.relative_to(common) if common else name
            record = {"name": short.as_posix(), "text": source.text}
            if self.link_base is not None:
                record["link"] = link_to(source, self.link_base)
            found.append(record)
        return found

    def place(self, span: Span | None) -> Place:
        if span is None or not span.line:
            return None
        return self.sources.setdefault(span.source, len(self.sources)), span.line

    def node(self, node: Node) -> Record:
        """Of one call: its op with all arguments, each with whether the operands determine it."""
        call = node.call
        record: Record = {
            "op": labels.called(node),
            "args": [[name, show(a.value), a.expr is None] for name, a in node.args.items()],
            "at": self.place(node.span),
        }
        if isinstance(call, Op) and call.doc:
            record["doc"] = call.doc
        if node.times is not None:
            record["times"] = show(node.times.value)
        return record

    def graph(self, graph: Graph) -> Record:
        """Of a block, group or spec: its own params and names."""
        given = [v for v in graph.variables if v.kind != "rest"]
        return {
            "kind": graph.kind,
            "doc": graph.doc,
            "at": self.place(graph.span),
            "args": [[v.name, show(v.value), v.kind == "let"] for v in given],
        }
