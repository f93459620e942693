"""What names mean while a unit is written, and the choice of how a value is written.

A value is first written as the spec or the shape rules have it (`planes * 4`). That text is only
kept if it gives the right value in every instance of the unit; otherwise the value is written as
a number, or becomes an argument of the constructor.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy

from graphbuild import expr as expressions
from graphbuild.emit import choices
from graphbuild.emit.parts import Irregular, Scope, Statement
from graphbuild.emit.sizes import dimension_name, item, static
from graphbuild.emit.symbols import Sym, SymType, depends, expression, is_lost, lost, trees_of
from graphbuild.emit.trees import operations, rebuild, simplified
from graphbuild.emit.units import Call, Case, Param, Unit, rest_target
from graphbuild.ir import Several, Tensor, Type, Variable
from graphbuild.ops.base import MISSING

Cases = Sequence[Call] | Sequence[Case] | Sequence[Call | Case]


class Context:
    """One unit while it is written."""

    def __init__(self, unit: Unit, reserved: frozenset[str], frozen: frozenset[str]) -> None:
        self.unit = unit
        self.frozen = frozen  # names whose values are written out: structure hangs on them
        self.used: dict[str, None] = {}  # names read by what is written, in order
        self.taken = set(reserved)
        self.extras: dict[str, Param] = {}
        self.sizes: dict[str, Param] = {}
        self.variables: dict[str, Variable] = {}
        self.outer: set[str] = set()
        self.locals: dict[str, ast.expr] = {}  # lets and sizes with a name of their own
        self.local_names: dict[str, str] = {}  # the text of an expression -> its local
        self.statements: list[Statement] = []
        self.rehearsing = False  # true while the effect of a loop's turn is only worked out
        for graph in unit.graphs:
            for variable in graph.outer:
                self.variables.setdefault(variable.name, variable)
                self.outer.add(variable.name)
        for graph in unit.graphs:
            for variable in graph.variables:
                self.variables[variable.name] = variable
                self.outer.discard(variable.name)
        self.taken.update(self.variables)
        self.envs = [dict[str, object]() for _ in unit.graphs]
        for env, graph in zip(self.envs, unit.graphs, strict=True):
            env.update((v.name, v.value) for v in graph.outer)
            env.update((v.name, v.value) for v in graph.variables)
            for name in self.outer:  # an instance that does not read it has no value of its own
                env.setdefault(name, self.variables[name].value)
        self._fill_rest()
        self.fixed = {
            name: env[name]
            for env in self.envs[:1]
            for name in frozen & env.keys()
            if all(expressions.same(env[name], other.get(name)) for other in self.envs)
        }

    def _fill_rest(self) -> None:
        """Give an argument that only some calls passed on its default elsewhere."""
        for name, variable in self.variables.items():
            if variable.kind != "rest" or all(name in env for env in self.envs):
                continue
            found = (rest_target(graph, name)[0] for graph in self.unit.graphs)
            default = next((d for d in found if d is not MISSING), None)
            self.variables[name] = Variable(name, variable.value, "rest", default=default)
            for env in self.envs:
                env.setdefault(name, default)

    # -- choosing ---------------------------------------------------------------------------

    def choose(
        self,
        candidates: Iterable[ast.expr | None],
        values: Sequence[object],
        cases: Cases,
        hint: str,
    ) -> ast.expr:
        """The first candidate that gives `values` in all `cases`; else a literal or an argument.

        Raises Irregular where the values change from turn to turn as no candidate says.
        """
        for candidate in candidates:
            if candidate is not None and (self.rehearsing or self.holds(candidate, values, cases)):
                return self.note(candidate)
            if candidate is not None and is_lost(candidate):
                self.freeze(candidate)
        if self.rehearsing or all(expressions.same(values[0], v) for v in values):
            return expressions.literal(values[0])
        return self.note(self._extra(hint, values, cases))

    def holds(
        self,
        candidate: ast.expr,
        values: Sequence[object],
        cases: Cases,
        alike: Callable[[object, object], bool] = expressions.same,
    ) -> bool:
        """Whether an expression gives these values."""
        if isinstance(candidate, ast.Constant):
            return all(alike(candidate.value, v) for v in values)
        if isinstance(candidate, ast.Name):
            found = (self.environment(case).get(candidate.id, MISSING) for case in cases)
            return all(alike(f, v) for f, v in zip(found, values, strict=True))
        if is_lost(candidate):
            return False
        try:
            return all(
                alike(expressions.evaluate(candidate, self.environment(case)), value)
                for case, value in zip(cases, values, strict=True)
            )
        except expressions.ExprError:
            return False

    def environment(self, case: Call | Case) -> Mapping[str, object]:
        """What names mean in a case, with the locals and arguments that have come up since."""
        own = self.envs[case.instance]
        return own if case.env is own else ChainMap(case.env, own)  # type: ignore[arg-type]

    def note(self, chosen: ast.expr) -> ast.expr:
        """Remember which names are read."""
        if isinstance(chosen, ast.Name) and not self.rehearsing:
            self.used[chosen.id] = None
        elif not self.rehearsing and not isinstance(chosen, ast.Constant):
            for name in sorted(expressions.names(chosen)):
                self.used[name] = None
        return chosen

    def _extra(self, hint: str, values: Sequence[object], cases: Cases) -> ast.expr:
        """An argument of the constructor that carries the values."""
        carried: dict[int, object] = {}
        for case, value in zip(cases, values, strict=True):
            if not expressions.same(carried.setdefault(case.instance, value), value):
                raise Irregular(f"{hint} changes from turn to turn")
        name = self.fresh(hint)
        self.extras[name] = Param(
            name, "extra", name, [carried.get(k) for k in range(len(self.envs))]
        )
        for k, env in enumerate(self.envs):
            env[name] = carried.get(k)
        return ast.Name(name)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is written inside is forgotten if it turns out to be irregular."""
        names = ("used", "taken", "extras", "locals", "local_names", "statements", "frozen")
        kept = {name: copy(getattr(self, name)) for name in names}
        try:
            yield
        except Irregular:
            vars(self).update(kept)
            raise

    def freeze(self, tree: ast.expr | None) -> None:
        """Write out the values of the names in an expression: structure hangs on them."""
        if tree is None or self.rehearsing:
            return
        new = depends(tree) - self.frozen
        self.frozen |= new
        for name in new & self.locals.keys():  # and what they are made of
            self.freeze(self.locals[name])

    def fresh(self, hint: str) -> str:
        """A name that is not taken."""
        name, number = hint, 2
        while name in self.taken:
            name, number = f"{hint}{number}", number + 1
        self.taken.add(name)
        return name

    # -- names of sizes ---------------------------------------------------------------------

    def input_types(self) -> list[SymType]:
        """The unit's inputs with a symbol for each size that does not vary with free ones."""
        found = []
        first = self.unit.graphs[0]
        for position in range(len(first.inputs)):
            types = [graph.inputs[position].type for graph in self.unit.graphs]
            prefix = "in" if len(first.inputs) == 1 else choices.prefix(first, position)
            found.append(self._symbols(types, prefix, str(position)))
        return found

    def _symbols(self, types: list[Type], prefix: str, source: str) -> SymType:
        first = types[0]
        if isinstance(first, Several):
            return [
                self._symbols([item(t, k) for t in types], f"{prefix}{k}", f"{source}.{k}")
                for k in range(len(first.items))
            ]
        shape: list[int] = []
        for d, size in enumerate(first.shape):
            if not all(isinstance(t, Tensor) and static(t, d) for t in types):
                shape.append(size)
                continue
            name = f"{prefix}_{dimension_name(len(first.shape), d)}"
            name = self.fresh(name if name not in self.taken else f"input_{name}")
            values: list[object] = [t.shape[d] for t in types if isinstance(t, Tensor)]
            self.sizes[name] = Param(name, "size", f"{source}.{d}", values)
            for env, value in zip(self.envs, values, strict=True):
                env[name] = value
            shape.append(Sym(size, ast.Name(name)))
        return tuple(shape)

    def shorten(self, size: ast.expr, hint: str) -> ast.expr:
        """A size as it is read in a constructor: a long one gets a local name on first use."""
        if self.rehearsing or operations(size) < 2 or not expressions.names(size):
            return size
        written = expressions.unparse(size)
        size = rebuild(size, self._local)
        if operations(size) < 2:
            return size
        if not all(name in self.envs[0] for name in expressions.names(size)):
            return size  # it reads a loop's variable
        name = self.fresh(hint)
        self.locals[name] = size
        self.local_names[written] = name
        for env in self.envs:
            env[name] = expressions.evaluate(size, env)
        self.note(size)
        text = expressions.unparse(expressions.python(size, self.envs[0]))
        self.statements.append(Statement(f"{name} = {text}"))
        return ast.Name(name)

    def _local(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.BinOp):
            return None
        name = self.local_names.get(expressions.unparse(node))
        return ast.Name(name) if name else None

    # -- expressions of the spec --------------------------------------------------------------

    def translate(
        self, tree: ast.expr | None, scope: Scope, bound: frozenset[str] = frozenset()
    ) -> ast.expr | None:
        """An expression of the spec as it stands in a constructor; None where it cannot be."""
        if tree is None or isinstance(tree, ast.Constant):
            return tree
        unknown: list[ast.expr] = []
        changed = False
        free = expressions.names(tree)

        def replace(node: ast.expr) -> ast.expr | None:
            nonlocal changed
            size = self._size_read(node, scope)
            if size is not None:
                return size
            if isinstance(node, ast.Name) and node.id in free:
                if node.id in scope.lets:
                    changed = True
                    return scope.lets[node.id]
                if node.id in bound:
                    return node
                if node.id in self.fixed:
                    changed = True
                    return expressions.literal(self.fixed[node.id])
                if node.id in scope.shapes and node.id not in self.variables:
                    unknown.extend(trees_of(scope.shapes[node.id]))
                    unknown.append(node)
            return None

        found = rebuild(tree, replace)
        if unknown:
            self.freeze(lost(found, *unknown))
            return None
        return simplified(found) if changed else found

    def _size_read(self, node: ast.expr, scope: Scope) -> ast.expr | None:
        """`input.channels` or `input.shape[1]` as the symbol of that size."""
        index: int | None = None
        if isinstance(node, ast.Attribute):
            index = {"channels": 1, "height": -2, "width": -1}.get(node.attr)
            base: ast.expr = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            try:
                read = expressions.evaluate(node.slice, {})
            except expressions.ExprError:
                return None
            if node.value.attr == "shape" and isinstance(read, int):
                index, base = read, node.value.value
        if index is None or not isinstance(base, ast.Name) or base.id in self.variables:
            return None
        shape = scope.shapes.get(base.id)
        if not isinstance(shape, tuple):
            return None
        return expression(shape[index])
