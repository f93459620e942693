"""The one intermediate representation: a frozen graph of calls, one `Graph` per distinct scope.

A `Graph` is what a scope (the whole spec, a block, an inline group, a repeated group) became for
one set of params and input types. A node is a call: of a registered op, or of another `Graph`.
Equal calls of a block share one `Graph` object. Nothing here is changed after it is built.

Every argument keeps, beside its value, the expression that the spec wrote, so that `emit` can
write `planes * 4` where the value is 2048.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from graphbuild.dims import Dims
from graphbuild.errors import Span
from graphbuild.modes import Mode, Modes, packed, part, within
from graphbuild.ops.base import MISSING, Op, Shape

INPUT = "input"  # the name of a scope's only, undeclared input
NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's dtype, and its shape at each probe (None where the graph cannot take that probe)."""

    dtype: str
    shapes: tuple[Shape | None, ...]

    @property
    def shape(self) -> Shape:
        """The shape at the example, which every op must take."""
        shape = self.shapes[0]
        if shape is None:
            raise ValueError("a tensor without a shape at the example")
        return shape


@dataclass(frozen=True, slots=True)
class Several:
    """Several values together: of `chunk`, of a parallel group, of a block with named outputs."""

    items: tuple[Type, ...]
    names: tuple[str, ...] = ()  # as many as items, or none


Type = Tensor | Several
ABSENT = Several(())  # of a value that is never there: it has no parts, and None stands for it


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an operand comes from: a node or an input of the same scope, or a part of its value."""

    source: str
    select: tuple[int, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument's checked value, and how the spec wrote it.

    `expr` is the expression (a literal is an `ast.Constant` or a display of them), or None where
    the value was inferred from the operands. An argument that reads a free dimension is `free`:
    its value is the one at the example, and `emit` computes it in `forward`.
    """

    value: object
    expr: ast.expr | None = field(default=None, compare=False)
    span: Span | None = field(default=None, compare=False)
    free: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that expressions of a scope can read, with its value in this instance.

    kind: "param" (declared by the block, or by the spec), "rest" (passed on to a child), "let".
    """

    name: str
    value: object
    kind: Literal["param", "rest", "let"]
    default: object = MISSING  # of a param
    expr: ast.expr | None = field(default=None, compare=False)  # of a let


@dataclass(frozen=True, slots=True)
class Loop:
    """The repetition that a node is one turn of. Nodes of one repetition share `key` and `span`."""

    key: str  # the repeated node's name as written ("denselayer$(i + 1)", "layer2", "3")
    index: int
    count: int
    variables: Mapping[str, object]  # the values in this turn: always "i", and the named ones
    over: Mapping[str, ast.expr]  # what each variable runs over; "i" over the count
    name: ast.expr | None = None  # the children's name as an expression, under a name with `$`


@dataclass(frozen=True, slots=True)
class Node:
    """A call. `call` is an op, another scope, or None: absent (its `if` is false), passed through.

    A node made by the language itself (a merge on an edge, a dense group's running concat) is
    `synthetic`: a function whose name has a dot ("conv.from"), which no key can clash with.

    A node that is `shared` makes no module: it calls that of another node of its scope once more.
    `times` says how often one module is applied in turn, each time to what it gave (`repeat` with
    `share: true`). `mode` says when the node runs: `never` has no module either. `when` is what
    the node's own `when` says: its mode, and the expression, which may read `training`. A merge
    (a variadic op) runs on those of its operands that are there; any other node runs only where
    all of them are.
    """

    name: str
    call: Op | Graph | None
    operands: tuple[Edge, ...]
    type: Type
    args: Mapping[str, Arg] = field(default_factory=lambda: NOTHING)  # type: ignore[arg-type,return-value]
    condition: Arg | None = None  # what `if` says, where the node has one
    loop: Loop | None = None
    synthetic: bool = False
    span: Span | None = field(default=None, compare=False)
    shared: str = ""
    times: Arg | None = None
    ties: Mapping[str, tuple[str, Span]] = field(default_factory=lambda: NOTHING)  # type: ignore[arg-type,return-value]
    mode: Mode = "always"
    when: Arg | None = None

    @property
    def through(self) -> int:
        """The position of the operand that stands for the value where the node is left out."""
        return 1 if isinstance(self.call, Graph) and self.call.routing is not None else 0


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a scope; of a spec's inputs also how each size is written (`$in_channels`).

    A free dimension has no expression.
    """

    name: str
    type: Tensor | Several
    sizes: tuple[ast.expr | None, ...] = field(default=(), compare=False)
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Output:
    """One value that a scope hands out; `name` is "" where the scope has a single value or a list."""

    name: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class Initializer:
    """A `torch.nn.init` function without its underscore ("kaiming_normal"), and its arguments.

    Where an expression reads attributes of the layer (`out_features`), the value is that of one.
    """

    name: str
    args: Mapping[str, Arg]


@dataclass(frozen=True, slots=True)
class InitRule:
    """Initialisers by parameter name, for layers of an op (`Conv2d`) or paths (`features.*`).

    A raw parameter is a path as well; among its own parameters it is called `value`. `within`: a
    rule of a spec inside this one, for the layers below these paths only.
    """

    match: str
    parameters: Mapping[str, Initializer]
    span: Span | None = field(default=None, compare=False)
    within: tuple[str, ...] = ()

    @property
    def by_path(self) -> bool:
        """Whether it speaks of paths: else of an op."""
        return "." in self.match or "*" in self.match or not self.match[:1].isupper()

    def matches(self, op: str, path: str) -> bool:
        """Whether it speaks of a layer."""
        return self.covers(path) and (self.by_path or op == self.match)

    def covers(self, path: str) -> bool:
        """Whether it speaks of layers at a path, whatever they are."""
        if self.by_path:
            return fnmatchcase(path, self.match)
        return not self.within or any(path.startswith(f"{p}.") for p in self.within)


@dataclass(frozen=True, slots=True)
class Routing:
    """How a scope chooses among its nodes, the cases, by the value of its first input.

    switch: one case for the whole batch, by a bool or an int without dimensions. route: a case per
    sample, by an index [N]. mixture: the sum of all cases, weighted by a gate [N, cases]; with
    `top_k` of the chosen ones alone. Its nodes take all other inputs, its outputs are its nodes in
    file order, and its type is what one of them gives.
    """

    kind: Literal["switch", "route", "mixture"]
    top_k: Arg | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def by_rows(self) -> bool:
        """Whether a case is given single rows of the data, else all of it."""
        return self.kind == "route" or self.top_k is not None

    def lead(self, chooser: Tensor) -> int:
        """How many of the first dimensions of the data it chooses along."""
        return {"switch": 0, "route": 0, "mixture": -1}[self.kind] + len(chooser.shape)


@dataclass(frozen=True, slots=True)
class Tie:
    """A parameter that is another one: paths from the spec's own root, with the parameters' names."""

    path: str
    source: str  # which is not tied itself
    shape: Shape
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Graph:
    """What a scope became. `nodes` stand in file order, which is the order of registration.

    `template` is the same for all instances of one piece of the spec: a block's name, or for the
    spec itself and its groups the place where they are written. `connect` says how children were
    wired ("dense": each takes the running concat, which stands as synthetic nodes), `listed`
    whether they were written as a list. `variables` are the scope's own; `outer` are the names
    from around it (the spec's params, for a group also those of the scope it stands in) that its
    expressions, or those of scopes inside it, read.
    """

    name: str
    template: str
    kind: Literal["spec", "block", "group", "repeat"]
    connect: Literal["chain", "dense", "parallel"]
    listed: bool
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    order: tuple[int, ...]  # positions in `nodes`, in the order of execution
    outputs: tuple[Output, ...]
    form: Literal["single", "list", "mapping"]  # tensor, tuple or dict
    type: Type
    variables: tuple[Variable, ...] = ()
    outer: tuple[Variable, ...] = ()
    empty: tuple[ast.expr, ...] = ()  # the counts of repetitions that do not turn at all
    doc: str = ""
    span: Span | None = None
    routing: Routing | None = None
    init: tuple[InitRule, ...] = ()  # of a spec: all of the root's, and each inner one's own
    ties: tuple[Tie, ...] = ()  # of a spec only, with those of the specs inside
    dims: Dims | None = None  # of the spec only: the free dimensions and their probes

    # How a notebook draws a graph; set from a floor above, where drawing is known.
    drawn: ClassVar[Callable[[Graph], Any] | None] = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        text = {"text/plain": f"<graphbuild graph {self.name}>"}
        draw = type(self).drawn
        if draw is None or self.kind != "spec":
            return text
        return {**draw(self)._repr_mimebundle_(), **text}

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        return tuple(i.name for i in self.inputs)

    @property
    def data(self) -> tuple[Input, ...]:
        """The inputs, without what chooses among cases."""
        return self.inputs[1:] if self.routing is not None else self.inputs

    def value(self, edge: Edge) -> Type:
        """The type of what an edge carries."""
        if edge.source in self.by_name:
            found: Type = self.by_name[edge.source].type
        else:
            found = next(i.type for i in self.inputs if i.name == edge.source)
        for index in edge.select:
            if not isinstance(found, Several):
                raise ValueError(f"{edge.source} has no parts")
            found = found.items[index]
        return found

    @cached_property
    def modes(self) -> Modes:
        """When what this scope hands out is there, where it is called."""
        for node in self.nodes:
            if node.mode != "always" or (type(node.call) is Graph and node.call.modes != "always"):
                break
        else:
            return "always"
        found = [self.mode(output.edge) for output in self.outputs]
        return found[0] if self.form == "single" and len(found) == 1 else packed(found)

    def mode(self, edge: Edge) -> Modes:
        """When what an edge carries is there; inputs always are."""
        node = self.by_name.get(edge.source)
        if node is None:
            return "always"
        found: Modes = node.mode
        if isinstance(node.call, Graph):
            found = within(node.mode, node.call.modes)
        for index in edge.select:
            found = part(found, index)
        return found
