"""The arguments of a unit's constructor, once everything in it is written."""

from __future__ import annotations

import ast

from graphbuild import expr as expressions
from graphbuild.emit.context import Context
from graphbuild.emit.parts import Scope, Statement
from graphbuild.emit.symbols import Sym, SymType, bounded
from graphbuild.emit.units import Param, Unit, rest_target
from graphbuild.ops.base import MISSING


def lets(context: Context, scope: Scope) -> list[Statement]:
    """Statements for the lets that are read, to stand in front of everything that reads them."""
    written: list[Statement] = []
    for variable in reversed(scope.graph.variables):
        name = variable.name
        if variable.kind != "let" or name not in context.used:
            continue
        tree = context.translate(variable.expr, scope)
        values = [env[name] for env in context.envs]
        chosen = context.choose([tree], values, scope.cases, name)
        context.locals[name] = chosen
        text = expressions.unparse(expressions.python(chosen, context.envs[0]))
        written.insert(0, Statement(f"{name} = {text}"))
    return written


def params(context: Context, unit: Unit) -> list[Param]:
    """What the constructor is given: sizes, the block's params, names from around, extras."""
    graph = unit.graphs[0]
    found = [p for p in context.sizes.values() if p.name in context.used]
    own = {v.name: v for v in graph.variables}
    for name, variable in {**own, **context.variables}.items():
        if name not in context.used or name in context.locals:
            continue
        values = [env[name] for env in context.envs]
        if name in context.outer:
            found.append(Param(name, "outer", name, values))
            continue
        default, leading = variable.default, True
        if graph.kind == "spec":
            default = variable.value
        elif variable.kind == "rest":
            targets = [rest_target(g, name) for g in unit.graphs]
            leading = any(by_position for _, by_position in targets)
            default = next((d for d, _ in targets if d is not MISSING), MISSING)
        elif not _shared_default(unit, name, default):
            default = MISSING
        leading = leading and len(own) <= 5
        found.append(Param(name, "variable", name, values, default, not leading))
    found += context.extras.values()
    return sorted(found, key=lambda p: p.default is not MISSING)


def _shared_default(unit: Unit, name: str, default: object) -> bool:
    """Whether a param has the same default in all instances: it may be an expression."""
    found = [v.default for g in unit.graphs for v in g.variables if v.name == name]
    return len(found) == len(unit.graphs) and all(expressions.same(d, default) for d in found)


def exported(result: SymType, locals: dict[str, ast.expr]) -> SymType:
    """A result in terms of the constructor's arguments: without its local names."""
    meant: dict[str, ast.expr] = {}
    for name, tree in locals.items():  # each reads those before it
        meant[name] = bounded(expressions.substitute(tree, meant))

    def written(part: SymType) -> SymType:
        if isinstance(part, list):
            return [written(each) for each in part]
        return tuple(
            Sym(int(s), expressions.substitute(s.expr, meant)) if isinstance(s, Sym) else s
            for s in part
        )

    return written(result)


def shown(param: Param) -> str:
    """An argument as it stands in the constructor: `stride: int = 1`."""
    text = f"{param.name}: {annotation(param.values)}"
    if param.default is MISSING:
        return text
    if isinstance(param.default, dict):  # a default is one object for all calls
        return f"{text} | None = None"
    return text + default(param.default)


def default(value: object) -> str:
    """The value that an argument has where none is given: ` = 1`."""
    return f" = {expressions.unparse(expressions.literal(value))}"


def mappings(unit: Unit) -> list[Statement]:
    """Statements for the arguments whose defaults could be changed by accident."""
    return [
        Statement(
            f"if {param.name} is None:",
            None,
            [
                Statement(
                    f"{param.name} = {expressions.unparse(expressions.literal(param.default))}"
                )
            ],
        )
        for param in unit.params
        if isinstance(param.default, dict)
    ]


def annotation(values: list[object]) -> str:
    """The type of a constructor's argument, from its values in all instances."""
    kinds = dict.fromkeys(map(_type, values))
    if "float" in kinds:
        kinds.pop("int", None)  # a float may be given as an int
    return " | ".join(sorted(kinds, key=lambda t: t == "None"))


def _type(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        return f"tuple[{annotation([*value]) or 'int'}, ...]"
    if isinstance(value, dict):
        return f"dict[str, {annotation([*value.values()]) or 'int'}]"
    return type(value).__name__
