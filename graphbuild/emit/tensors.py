"""Raw parameters and buffers in a constructor, and how the parameters are drawn anew.

A class whose parameters are all filled with one number fills them in its constructor; any other
allocates them there and draws them in `reset_parameters`, as the layers of torch do. What a buffer
is computed from is computed in the constructor, whatever the `forward` does with the same nodes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from graphbuild import expr as expressions
from graphbuild.emit.build import symbolic
from graphbuild.emit.functions import function, spelled
from graphbuild.emit.items import call
from graphbuild.emit.kinds import FILLS, given, initializer, is_own
from graphbuild.emit.parts import Irregular, Scope, Statement
from graphbuild.emit.rows import Slot
from graphbuild.emit.steps import attribute
from graphbuild.emit.symbols import SymType
from graphbuild.expr.write import quoted
from graphbuild.ir import Edge, Node, Tensor
from graphbuild.names import identifier, is_attribute
from graphbuild.ops.base import Op
from graphbuild.ops.tensors import natural_dtype

if TYPE_CHECKING:
    from graphbuild.emit.classes import Writer

Text = Callable[[ast.expr], str]


class Tensors:
    """Writes the raw parameters and buffers of one class, on behalf of its writer."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.context = writer.context
        self.builder = writer.builder
        self.graph = writer.graph
        self.drawn: list[Statement] = []  # the body of `reset_parameters`
        self.found: dict[str, tuple[Slot, Scope]] = {}
        self.sources = [n for n in self.graph.nodes if is_own(n) and n.operands]
        self.sizes: dict[str, ast.expr] = {}
        self.locals: dict[str, str] = {}  # what is computed in the constructor, by the node
        self.is_drawn = any(
            is_own(n) and n.call.parameters and self._is_drawn(n)  # type: ignore[union-attr]
            for graph in writer.unit.graphs
            for n in graph.nodes
        )

    def _is_drawn(self, node: Node) -> bool:
        return not given(node, "value") and initializer(node).name not in FILLS

    def note(self, name: str, found: Slot, scope: Scope) -> bool:
        """Remember a node as the writer comes by it, for what is written may hang on later ones;
        whether it is a raw tensor."""
        self.found[name] = found, scope
        if not found.present or not is_own(found.present[0].node):
            return False
        self.writer.chains.fixed(found)
        self.writer.guards.freeze(found.present[0].node)
        if found.absent or found.never:
            raise Irregular(f"{name} is not there everywhere")
        self.writer.scope.shapes[name] = self._shape(found, scope)
        return True

    def constructed(self) -> dict[int, list[Statement]]:
        """What stands in the constructor, by the positions of the nodes in the file."""
        return {
            position: self.statements(node.name)
            for position, node in enumerate(self.graph.nodes)
            if is_own(node)
        }

    def _shape(self, found: Slot, scope: Scope) -> SymType:
        node = found.present[0].node
        if node.operands:
            made = self.writer._shape(node.operands[0])
        elif given(node, "shape"):
            made = symbolic(self._size(found, scope), node.args["shape"].value)
        else:
            made = node.type.shape if isinstance(node.type, Tensor) else ()
        return self.builder.results.settle([made], found.present)

    def statements(self, name: str) -> list[Statement]:
        """What stands in the constructor for one node; in file order, as the nodes register."""
        found, scope = self.found[name]
        node = found.present[0].node
        start = len(self.context.statements)
        if isinstance(node.call, Op) and node.call.parameters:
            text = self._parameter(found, scope)
        else:
            value = self.locals.get(name) or self._buffer(found, scope)
            persistent = self._flag(found, "persistent", scope)
            text = f"self.register_buffer({quoted(name)}, {value}{persistent})"
        self.context.statements.append(Statement(text, node.span))
        self.locals.setdefault(name, attribute(name))
        made = self.context.statements[start:]
        del self.context.statements[start:]
        return made

    # -- parameters ---------------------------------------------------------------------------

    def _parameter(self, found: Slot, scope: Scope) -> str:
        node = found.present[0].node
        if given(node, "value"):
            text = self._value(found, scope)
        elif self.is_drawn:
            text = self._allocated("torch.empty", "", found, scope)
            drawn = self._draw(attribute(node.name), found, scope, inside=False)
            self.drawn.append(Statement(drawn, node.span))
        else:
            text = self._filled(found, scope)
        text = f"nn.Parameter({text}{self._flag(found, 'requires_grad', scope)})"
        if is_attribute(node.name):
            return f"self.{node.name} = {text}"
        return f"self.register_parameter({quoted(node.name)}, {text})"

    def _flag(self, found: Slot, name: str, scope: Scope) -> str:
        """An argument that is true unless the spec says otherwise."""
        given = [c.node.args.get(name) for c in found.present]
        first = next((arg for arg in given if arg is not None), None)
        if first is None:
            return ""
        values = [True if arg is None else arg.value for arg in given]
        tree = self.context.translate(first.expr, scope)
        hint = f"{identifier(found.present[0].node.name)}_{name}"
        chosen = self.context.choose([tree], values, found.present, hint)
        text = self._text(found)(chosen)
        return "" if text == "True" else f", {name}={text}"

    def _draw(self, target: str, found: Slot, scope: Scope, *, inside: bool) -> str:
        """A call of `torch.nn.init`: `inside` the constructor names are its own, else of self."""
        calls = found.present
        made = [initializer(c.node) for c in calls]
        self._write_out(found)
        text = self._text(found) if inside else self._attributes(found)
        items = [target]
        for name, arg in made[0].args.items():
            tree = self.context.translate(arg.expr, scope)
            hint = f"{identifier(calls[0].node.name)}_{name}"
            chosen = self.context.choose([tree], [m.args[name].value for m in made], calls, hint)
            items.append(text(chosen) if name == "val" else f"{name}={text(chosen)}")
        return call(f"nn.init.{made[0].name}_", items)

    def _write_out(self, found: Slot) -> None:
        """What decides how a tensor is written is no argument of the constructor."""
        for made in found.present:
            for name in ("init", "dtype"):
                arg = made.node.args.get(name)
                tree = arg.expr if arg is not None else None
                if isinstance(tree, ast.Dict):
                    pairs = zip(tree.keys, tree.values, strict=True)
                    tree = next(
                        v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "op"
                    )
                self.context.freeze(tree)

    def _filled(self, found: Slot, scope: Scope) -> str:
        """A tensor of one number."""
        made = [initializer(c.node) for c in found.present]
        self._write_out(found)
        source, value = FILLS[made[0].name], ""
        if source == "torch.full":
            tree = self.context.translate(made[0].args["val"].expr, scope)
            hint = identifier(found.present[0].node.name)
            values = [float(m.args["val"].value) for m in made]  # type: ignore[arg-type]
            value = self._text(found)(self.context.choose([tree], values, found.present, hint))
        return self._allocated(source, value, found, scope)

    def _allocated(self, source: str, value: str, found: Slot, scope: Scope) -> str:
        size = self._size(found, scope)
        text = self._text(found)
        if value or not isinstance(size, ast.Tuple) or not size.elts:
            items = [text(size)]
        else:
            items = list(map(text, size.elts))
        items += [value] if value else []
        dtype = self._dtype(found)
        if dtype != "float32" or (value and not _is_float(value)):  # a whole number gives int64
            items.append(f"dtype=torch.{dtype}")
        return call(source, items)

    def _dtype(self, found: Slot) -> str:
        type_ = found.present[0].node.type
        self._write_out(found)
        return type_.dtype if isinstance(type_, Tensor) else ""

    def _size(self, found: Slot, scope: Scope) -> ast.expr:
        """The sizes, each as the spec has it."""
        name = found.present[0].node.name
        if name not in self.sizes:
            self.sizes[name] = self._chosen_size(found, scope)
        return self.sizes[name]

    def _chosen_size(self, found: Slot, scope: Scope) -> ast.expr:
        given = [c.node.args["shape"] for c in found.present]
        tree, hint = given[0].expr, f"{identifier(found.present[0].node.name)}_size"
        sizes = [arg.value for arg in given]
        ranks = {len(size) if isinstance(size, tuple) else 0 for size in sizes}
        if not isinstance(tree, ast.Tuple) or len(ranks) > 1:
            whole = self.context.translate(tree, scope)
            return self.context.choose([whole], sizes, found.present, hint)
        parts: list[ast.expr] = []
        for k, part in enumerate(tree.elts):
            candidate = self.context.translate(part, scope)
            values = [size[k] for size in sizes]  # type: ignore[index]
            parts.append(self.context.choose([candidate], values, found.present, hint))
        return ast.Tuple(parts, ast.Load())

    def _value(self, found: Slot, scope: Scope) -> str:
        """A tensor of given numbers."""
        given = [c.node.args["value"] for c in found.present]
        tree = self.context.translate(given[0].expr, scope)
        hint = identifier(found.present[0].node.name)
        values = [arg.value for arg in given]
        chosen = self.context.choose([tree], values, found.present, hint)
        dtype = self._dtype(found)
        natural = {natural_dtype(value) for value in values} == {dtype}
        items = [self._text(found)(_lists(chosen))]
        if not natural or (expressions.names(chosen) and dtype != "int64"):
            items.append(f"dtype=torch.{dtype}")
        return call("torch.tensor", items)

    # -- buffers ------------------------------------------------------------------------------

    def _buffer(self, found: Slot, scope: Scope) -> str:
        node = found.present[0].node
        if node.operands:
            return self._computed(node)
        if given(node, "value"):
            return self._value(found, scope)
        if initializer(node).name in FILLS:
            return self._filled(found, scope)
        empty = self._allocated("torch.empty", "", found, scope)
        return self._draw(empty, found, scope, inside=True)

    def _computed(self, node: Node) -> str:
        """What a buffer is computed from; a memory of its own, for it may be loaded into."""
        edge = self._source(node.operands[0])
        last = self._node(edge.source)
        plain = not (edge.select or is_own(last) or self.found[edge.source][0].absent)
        alone = plain and self._readers(edge.source) == 1
        text = self._call(last) if alone else self._operand(edge)
        return f"{text}.clone()" if self._is_shared(node) else text

    def _source(self, edge: Edge) -> Edge:
        """Where a value comes from: a node that is absent everywhere hands its operand on."""
        while not self.found[edge.source][0].present:
            through = self._node(edge.source).operands[0]
            edge = Edge(through.source, (*through.select, *edge.select))
        return edge

    def _node(self, name: str) -> Node:
        """A node in the first instance that has it."""
        found = self.found[name][0]
        return (found.present or found.absent)[0].node

    def _needed(self) -> dict[str, Node]:
        """All nodes that the constructor computes."""
        needed: dict[str, Node] = {}
        stack = list(self.sources)
        while stack:
            node = stack.pop()
            for edge in map(self._source, node.operands):
                if edge.source not in needed:
                    needed[edge.source] = self._node(edge.source)
                    stack.append(needed[edge.source])
        return needed

    def _readers(self, name: str) -> int:
        nodes = {**self._needed(), **{n.name: n for n in self.sources}}.values()
        return sum(self._source(e).source == name for n in nodes for e in n.operands)

    def _is_shared(self, node: Node) -> bool:
        """Whether a buffer would share memory with another, or be numbers that stand for several."""
        root, stretched = self._root(node)
        others = [self._root(other)[0] for other in self.sources if other is not node]
        return stretched or root in others or is_own(self.graph.by_name[root])

    def _root(self, node: Node) -> tuple[str, bool]:
        """The node whose memory a buffer's operand is, and whether it is stretched on the way."""
        made = self._node(self._source(node.operands[0]).source)
        stretched = False
        while (isinstance(made.call, Op) and made.call.aliases) or self.found[made.name][0].absent:
            before = self._node(self._source(made.operands[0]).source)
            stretched |= _numbers(made) > _numbers(before)
            made = before
        return made.name, stretched

    def _operand(self, edge: Edge) -> str:
        """A value in the constructor: computed into a variable where it is not there yet."""
        edge = self._source(edge)
        if edge.source not in self.locals:
            node = self._node(edge.source)
            text = self._buffer(*self.found[edge.source]) if is_own(node) else self._call(node)
            variable = self.context.fresh(identifier(node.name))
            self.context.statements.append(Statement(f"{variable} = {text}", node.span))
            self.locals[edge.source] = variable
        return self.locals[edge.source] + "".join(f"[{index}]" for index in edge.select)

    def _call(self, node: Node) -> str:
        """A function of what is known in the constructor."""
        if not isinstance(node.call, Op):
            raise TypeError(f"{node.name} is not computed in a constructor")
        found, scope = self.found[node.name]
        operands = [self._operand(edge) for edge in node.operands]
        sizes = [self.writer._shape(edge) for edge in node.operands]
        sizes = self.builder.results.seen_by(found.present[0], sizes)
        chosen, _ = self.builder.layer(
            node.call, found.present, sizes, scope, identifier(node.name), frozenset()
        )
        text = self._text(found)
        arguments = {n: spelled(node.call, n, text(tree)) for n, tree in chosen.items()}
        types = [self.graph.value(edge) for edge in node.operands]
        shapes = [type_.shape for type_ in types if isinstance(type_, Tensor)]
        made = function(node.call, operands, arguments, shapes)
        test = self.writer.chains.condition(found, scope, frozenset())
        return made if test is None else f"{made} if {text(test)} else {operands[0]}"

    # -- texts --------------------------------------------------------------------------------

    def _text(self, found: Slot) -> Text:
        return lambda tree: self.builder.text(tree, found.present[0])

    def _attributes(self, found: Slot) -> Text:
        return lambda tree: self.writer.own.text(tree, found.present[0].env)


def _numbers(node: Node) -> int:
    return prod(node.type.shape) if isinstance(node.type, Tensor) else 0


def _is_float(text: str) -> bool:
    tree = ast.parse(text, mode="eval").body
    inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
    return isinstance(inner, ast.Constant) and isinstance(inner.value, float)


def _lists(tree: ast.expr) -> ast.expr:
    """A display as people write a tensor: of lists."""
    if not isinstance(tree, ast.Tuple):
        return tree
    return ast.List([_lists(item) for item in tree.elts], ast.Load())
