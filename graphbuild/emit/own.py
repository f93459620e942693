"""What the methods of a class read from self: values that its constructor was given."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from graphbuild import expr as expressions
from graphbuild.emit.context import Context
from graphbuild.emit.functions import spelled
from graphbuild.emit.parts import Scope
from graphbuild.emit.rows import Slot
from graphbuild.emit.steps import MARK, Step
from graphbuild.emit.trees import rebuild
from graphbuild.ir import Graph
from graphbuild.names import problem
from graphbuild.ops.base import Op


class Own:
    """The attributes of one class that are no modules, and expressions that read them."""

    def __init__(self, context: Context, graph: Graph) -> None:
        self.context = context
        self.graph = graph
        self.names: dict[str, None] = {}

    def attribute(self, name: str) -> str:
        """What the module keeps a value under: not a child's name, nor one of torch's."""
        taken = self.graph.by_name
        while problem(name) is not None or name in taken:
            name += "_"
        return name

    def text(self, tree: ast.expr, env: Mapping[str, object]) -> str:
        """An expression as a method says it."""
        own = {
            n: ast.Attribute(ast.Name("self"), self.attribute(n), ast.Load())
            for n in sorted(expressions.names(tree))
            if not n.startswith(MARK)
        }
        for read in own:
            self.names[read] = None
            self.context.used[read] = None
        return expressions.unparse(expressions.substitute(expressions.python(tree, env), own))

    def said(self, tree: ast.expr, env: Mapping[str, object], scope: Scope) -> str:
        """An expression of the spec as a method says it."""
        return self.text(self.context.translate(tree, scope) or tree, env)

    def arguments(self, step: Step, found: Slot, chosen: dict[str, ast.expr], scope: Scope) -> None:
        """A function's arguments as the forward says them."""
        reads: set[str] = set()
        for name, tree in chosen.items():
            given = [c.node.args[name] for c in found.present if name in c.node.args]
            free = next((arg.expr for arg in given if arg.free), None)
            if free is not None:
                tree = self._read_shapes(free, scope, reads)
            text, op = self.text(tree, found.present[0].env), step.node.call
            step.arguments[name] = spelled(op, name, text) if isinstance(op, Op) else text
        step.reads = tuple(sorted(reads))

    def _read_shapes(self, tree: ast.expr, scope: Scope, reads: set[str]) -> ast.expr:
        """An expression that reads free sizes; values stand in it as marked names."""

        def replace(node: ast.expr) -> ast.expr | None:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                value, index = node.value.id, {"channels": 1, "height": -2, "width": -1}
                if value in scope.shapes and value not in self.context.variables:
                    reads.add(value)
                    shape = ast.Attribute(ast.Name(f"{MARK}{value}"), "shape", ast.Load())
                    if node.attr == "shape":
                        return shape
                    return ast.Subscript(shape, ast.Constant(index[node.attr]), ast.Load())
            if isinstance(node, ast.Name) and node.id in scope.lets:
                return scope.lets[node.id]
            if isinstance(node, ast.Name) and node.id in self.context.fixed:
                return expressions.literal(self.context.fixed[node.id])
            return None

        return rebuild(tree, replace)
