"""How modules are constructed: layers, calls of other units, chains, and repetitions."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

from graphbuild import expr as expressions
from graphbuild import ops
from graphbuild.emit import choices
from graphbuild.emit.chains import Chains
from graphbuild.emit.context import Context
from graphbuild.emit.functions import spelled
from graphbuild.emit.items import call
from graphbuild.emit.parts import EmitError, Scope
from graphbuild.emit.results import Results, lost_sizes, substituted
from graphbuild.emit.symbols import Sym, SymType, expression, lost, trees_of
from graphbuild.emit.units import Call, Case, Param, SmallModule, Unit, Units, called
from graphbuild.ir import Arg
from graphbuild.names import class_name, identifier
from graphbuild.ops.base import MISSING, Argument, Op


class Builder:
    """Writes what stands in a constructor of one unit."""

    def __init__(self, context: Context, units: Units, modules: dict[str, SmallModule]):
        self.context = context
        self.units = units
        self.results = Results(context)
        self.chains = Chains(self)
        self.modules = modules  # functions that need a small module of their own

    # -- one call -----------------------------------------------------------------------------

    def call(
        self,
        calls: list[Call],
        operands: list[SymType],
        scope: Scope,
        hint: str,
        bound: frozenset[str] = frozenset(),
    ) -> tuple[str, SymType]:
        """The construction of a node's module, and its result with symbolic sizes."""
        target = calls[0].node.call
        operands = self.results.seen_by(calls[0], operands)
        if isinstance(target, Op):
            arguments, result = self.layer(target, calls, operands, scope, hint, bound)
            return self.module(target, arguments, calls), self.results.settle([result], calls)
        if target is None:
            raise EmitError("an absent node is not built")
        operands = choices.given(target, operands)
        unit = self.units.of(target)
        if unit is None:
            return self.chains.in_place(calls, operands, scope, bound)
        return self.unit(unit, calls, operands, scope, hint, bound)

    def layer(
        self,
        op: Op,
        calls: list[Call],
        operands: list[SymType],
        scope: Scope,
        hint: str,
        bound: frozenset[str],
    ) -> tuple[dict[str, ast.expr], SymType | None]:
        """The written arguments of an op by name, and its symbolic result."""
        context = self.context
        chosen: dict[str, ast.expr] = {}
        values: dict[str, object] = {a.name: a.default for a in op.arguments}
        inferred: list[tuple[Argument, list[object]]] = []
        for argument in op.arguments:
            given = [c.node.args.get(argument.name) for c in calls]
            first = next((g for g in given if g is not None), None)
            if first is None:
                if argument.explicit:  # our default is not torch's
                    chosen[argument.name] = expressions.literal(argument.default)
                continue
            if any(g is not None and g.free for g in given):  # the forward computes it
                values[argument.name] = self._fixed_parts(first, calls, scope, bound)
                chosen[argument.name] = ast.Constant(None)
                continue
            actual = [argument.default if g is None else g.value for g in given]
            if first.expr is None:
                inferred.append((argument, actual))
                continue
            if argument.structural:
                context.freeze(first.expr)
            tree = None if argument.structural else context.translate(first.expr, scope, bound)
            found = self._chosen(tree, actual, calls, self._name(calls, argument.name))
            values[argument.name] = symbolic(found, actual[0])
            if argument.explicit or not _is_default(found, argument.default, actual):
                chosen[argument.name] = found
        for argument, actual in inferred:
            value = op.infer[argument.name](SimpleNamespace(**values), operands)  # type: ignore[arg-type]
            tree = context.shorten(_tree(value), hint)
            found = context.choose([tree], actual, calls, self._name(calls, argument.name))
            values[argument.name] = symbolic(found, actual[0])
            chosen[argument.name] = found
        try:
            if op.shape is None:
                raise LookupError("no rule says how its sizes follow")
            result: SymType | None = op.shape(SimpleNamespace(**values), *operands)
        except Exception:  # a rule that needs more than sizes: the values are known all the same
            result = lost_sizes(calls[0].node.type, lost(*trees_of(operands), *chosen.values()))
        return chosen, result

    def _chosen(
        self, tree: ast.expr | None, actual: list[Any], calls: list[Call], hint: str
    ) -> ast.expr:
        """How an argument is written; a mapping always as one, whose keys say what is written."""
        if not isinstance(actual[0], dict):
            return self.context.choose([tree], actual, calls, hint)
        given: dict[str, ast.expr] = {}
        if isinstance(tree, ast.Dict):
            keys = [k.value for k in tree.keys if isinstance(k, ast.Constant)]
            given = dict(zip(map(str, keys), tree.values, strict=True))
        parts = [
            self.context.choose([given.get(k)], [a[k] for a in actual], calls, f"{hint}_{k}")
            for k in actual[0]
        ]
        return ast.Dict([ast.Constant(key) for key in actual[0]], parts)

    def _fixed_parts(
        self, argument: Arg, calls: list[Call], scope: Scope, bound: frozenset[str]
    ) -> object:
        """An argument that reads free sizes, with expressions for what in it reads none."""
        value = argument.value
        if not isinstance(argument.expr, ast.Tuple) or not isinstance(value, tuple):
            return value
        parts: list[object] = []
        for part, tree in zip(value, argument.expr.elts, strict=True):
            found = self.context.translate(tree, scope, bound)
            known = found is not None and self.context.holds(found, [part], calls[:1])
            parts.append(symbolic(found, part) if known and found is not None else part)
        return tuple(parts)

    def module(self, op: Op, arguments: dict[str, ast.expr], calls: list[Call]) -> str:
        """The text that constructs a layer; a function becomes a layer or a small module."""
        if op.layer:
            return self.written(op, op.source, arguments, calls[0])
        if op.module is not None:
            layer = ops.get(op.module) or op
            for argument in op.arguments:  # torch.flatten begins at 0, and nn.Flatten at 1
                theirs = layer.argument(argument.name)
                if theirs is not None and not expressions.same(theirs.default, argument.default):
                    arguments.setdefault(argument.name, expressions.literal(argument.default))
            return self.written(layer, f"nn.{op.module}", arguments, calls[0])
        operands = len(calls[0].node.operands)
        key = op.name if operands == 1 else f"{op.name} of {operands}"
        small = self.modules.get(key)
        if small is None:
            name = class_name(op.name)
            name = name if name not in self.units.names else f"{name}Function"
            name = name if operands == 1 else f"{name}{operands}"
            small = self.modules[key] = SmallModule(op, name, operands=operands)
        for name in arguments:
            values = (c.node.args[name].value for c in calls if name in c.node.args)
            small.arguments.setdefault(name, []).extend(values)
        items = [f"{n}={spelled(op, n, self.text(t, calls[0]))}" for n, t in arguments.items()]
        return call(small.name, items)

    def written(self, op: Op, head: str, arguments: dict[str, ast.expr], of: Call | Case) -> str:
        """A call with its leading arguments by position, and the others by name."""
        items: list[str] = []
        for position, argument in enumerate(op.arguments):
            if argument.name not in arguments:
                continue
            piece = self.text(arguments[argument.name], of)
            leading = position < op.positional and len(items) == position
            items.append(piece if leading else f"{argument.name}={piece}")
        return call(head, items)

    def unit(
        self,
        unit: Unit,
        calls: list[Call],
        operands: list[SymType],
        scope: Scope,
        hint: str,
        bound: frozenset[str],
    ) -> tuple[str, SymType]:
        """The construction of another class of the source."""
        context = self.context
        mapping: dict[str, ast.expr] = {}
        items: list[tuple[Param, str]] = []
        written = {param.name for param in unit.params}
        for param in [*unit.params, *(s for s in unit.sizes if s.name not in written)]:
            actual = [param.values[unit.position(called(c))] for c in calls]
            given = [c.node.args.get(param.source) for c in calls]
            first = next((g for g in given if g is not None), None)
            tree: ast.expr | None = None
            if param.kind == "size":
                tree = expression(_at(operands, param.source))
                if param.name not in written:  # only the result may read it
                    mapping[param.name] = tree
                    continue
                tree = context.shorten(tree, hint)
            elif param.kind == "variable" and first is not None:
                tree = context.translate(first.expr, scope, bound)
            elif param.kind == "outer":
                tree = context.translate(ast.Name(param.source), scope, bound)
            omitted = param.default is not MISSING and all(
                expressions.same(param.default, v) for v in actual
            )
            if omitted and (first is None or isinstance(first.expr, ast.Constant)):
                mapping[param.name] = expressions.literal(param.default)
                continue
            found = context.choose([tree], actual, calls, self._name(calls, param.name))
            mapping[param.name] = found
            items.append((param, self.text(found, calls[0])))
        passed: list[str] = []
        by_name = False
        for param, piece in items:
            by_name = by_name or param.by_name or param.default is not MISSING
            passed.append(f"{param.name}={piece}" if by_name else piece)
        around = [ast.Name(name) for name in sorted({v.name for v in called(calls[0]).outer})]
        everything = lost(*mapping.values(), *trees_of(operands), *around)
        if any(param.kind == "extra" for param in unit.params):
            context.freeze(everything)
        given_sizes = {s.name: expression(_at(operands, s.source)) for s in unit.sizes}
        for name in sorted(unit.frozen):
            written_out = [c.node.args[name].expr for c in calls if name in c.node.args]
            for tree in written_out or [given_sizes.get(name, ast.Name(name))]:
                context.freeze(tree)
        result = substituted(unit.result, mapping, everything, calls[0].node.type)
        return call(unit.name, passed), self.results.settle([result], calls)

    def _name(self, calls: list[Call], argument: str) -> str:
        return f"{identifier(calls[0].node.name)}_{argument}"

    def text(self, tree: ast.expr, of: Call | Case) -> str:
        """An expression as the source says it."""
        if isinstance(tree, ast.Name):
            return tree.id
        if isinstance(tree, ast.Constant):
            return expressions.unparse(tree)
        return expressions.unparse(expressions.python(tree, of.env))


def symbolic(tree: ast.expr, value: object) -> Any:
    """An argument's value as the rules read it, with the expression that it is written as."""
    if isinstance(value, dict) and isinstance(tree, ast.Dict):
        return {k: symbolic(t, v) for t, (k, v) in zip(tree.values, value.items(), strict=True)}
    if isinstance(value, tuple):
        if isinstance(tree, ast.Tuple) and len(tree.elts) == len(value):
            return tuple(symbolic(t, v) for t, v in zip(tree.elts, value, strict=True))
        return value
    if type(value) is not int or isinstance(tree, ast.Constant):
        return value
    return Sym(value, tree)


def _tree(value: object) -> ast.expr:
    if isinstance(value, (tuple, list)):
        return ast.Tuple([_tree(v) for v in value], ast.Load())
    return expression(value)


def _is_default(tree: ast.expr, default: object, actual: list[object]) -> bool:
    if default is MISSING or not all(expressions.same(default, v) for v in actual):
        return False
    return not expressions.names(tree)


def _at(operands: list[SymType], source: str) -> object:
    found: Any = operands
    for part in source.split("."):
        found = found[int(part)]
    return found
