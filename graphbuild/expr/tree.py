"""Small operations on expression trees: free names, substitution, literals, Python's spelling."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Mapping
from typing import cast

from graphbuild.expr.functions import MATH
from graphbuild.expr.shape import DIMENSIONS, ShapeView
from graphbuild.expr.value import evaluate

_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp)


def literal(value: object) -> ast.expr:
    """The expression of a checked plain value: numbers, strings, tuples, lists and mappings."""
    if isinstance(value, bool) or value is None:
        return ast.Constant(value)
    if isinstance(value, (int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            return ast.Call(ast.Name("float", ast.Load()), [ast.Constant(str(value))], [])
        if value < 0 or (value == 0 and math.copysign(1, value) < 0):
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        return ast.Constant(value)
    if isinstance(value, str):
        return ast.Constant(str(value))
    if isinstance(value, list):
        return ast.List([literal(item) for item in value], ast.Load())
    if isinstance(value, tuple):
        return ast.Tuple([literal(item) for item in value], ast.Load())
    if isinstance(value, Mapping):
        keys: list[ast.expr | None] = [literal(key) for key in value]
        return ast.Dict(keys, [literal(item) for item in value.values()])
    raise TypeError(f"not a plain value: {value!r}")


def same(left: object, right: object) -> bool:
    """Whether two plain values are written alike: lists and tuples are, true and 1 are not."""
    if type(left) is int and type(right) is int:
        return left == right
    if isinstance(left, float) and isinstance(right, float):
        return repr(left) == repr(right)  # so is .nan, and 0.0 is not -0.0
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def names(expr: ast.expr) -> frozenset[str]:
    """The names that an expression reads; functions and a comprehension's own names are not."""
    if isinstance(expr, ast.Constant):
        return frozenset()
    found: set[str] = set()
    _names(expr, frozenset(), found)
    return frozenset(found)


def _names(node: ast.AST, bound: frozenset[str], found: set[str]) -> None:
    if isinstance(node, ast.Name):
        if node.id not in bound:
            found.add(node.id)
    elif isinstance(node, ast.BinOp):  # what most trees are made of
        _names(node.left, bound, found)
        _names(node.right, bound, found)
    elif isinstance(node, _COMPREHENSIONS):
        for part in node.generators:
            _names(part.iter, bound, found)
            bound |= targets(part.target)
            for condition in part.ifs:
                _names(condition, bound, found)
        _names(node.elt, bound, found)
    else:
        skip = _function(node)
        for child in ast.iter_child_nodes(node):
            if child is not skip:
                _names(child, bound, found)


def _function(node: ast.AST) -> ast.AST | None:
    """The head of a call, which is not a value: `len`, `math.ceil`."""
    return node.func if isinstance(node, ast.Call) else None


def targets(target: ast.AST) -> frozenset[str]:
    """The names that a comprehension binds."""
    return frozenset(n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def substitute(expr: ast.expr, replacements: Mapping[str, ast.expr]) -> ast.expr:
    """A new tree in which free names are replaced; a comprehension's names never capture one."""
    if not replacements:
        return expr
    return cast(ast.expr, _substitute(expr, replacements))


def _substitute(node: ast.AST, new: Mapping[str, ast.expr]) -> ast.AST:
    if isinstance(node, ast.Name):
        return new.get(node.id, node)
    if isinstance(node, _COMPREHENSIONS):
        return _comprehension(node, new)
    made = copy.copy(node)
    skip = _function(node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            parts = [_substitute(v, new) if isinstance(v, ast.AST) else v for v in value]
            setattr(made, field, parts)
        elif isinstance(value, ast.AST) and value is not skip:
            setattr(made, field, _substitute(value, new))
    return made


def _comprehension(node: ast.ListComp | ast.GeneratorExp, new: Mapping[str, ast.expr]) -> ast.AST:
    made = copy.copy(node)
    made.generators = []
    free = names(node)
    new = {name: value for name, value in new.items() if name in free}
    for part in node.generators:
        own = copy.copy(part)
        own.iter = cast(ast.expr, _substitute(part.iter, new))
        bound = targets(part.target)
        new = {name: value for name, value in new.items() if name not in bound}
        taken = frozenset[str]().union(*map(names, new.values()))
        swap: dict[str, ast.expr] = {}
        for name in sorted(bound & taken):  # what replaces a name would mean the loop's variable
            other = f"{name}_"
            while other in taken | bound | free:
                other += "_"
            swap[name] = ast.Name(other, ast.Load())
        own.target = cast(ast.expr, _substitute(part.target, swap))
        new = {**new, **swap}
        own.ifs = [cast(ast.expr, _substitute(test, new)) for test in part.ifs]
        made.generators.append(own)
    made.elt = cast(ast.expr, _substitute(node.elt, new))
    return made


def python(expr: ast.expr, env: Mapping[str, object]) -> ast.expr:
    """The expression as Python source says it, given an environment it can be evaluated in.

    `s.width` on a mapping becomes `s["width"]`, `ceil(x)` becomes `math.ceil(x)`, `x == None`
    `x is None`, `x.channels` `x.shape[1]`, and where Python tells lists and iterators from tuples
    (`+`, `*`, `==`, an index) a comprehension, `range` or `zip` is wrapped in `tuple(...)`.
    `make_divisible` stays: the source defines it.
    """
    return cast(ast.expr, _python(expr, dict(env)))


def _python(node: ast.AST, env: dict[str, object]) -> ast.AST:
    if isinstance(node, ast.Attribute):
        return _attribute(node, env)
    if isinstance(node, _COMPREHENSIONS):
        looped = copy.copy(node)
        looped.generators = []
        for part in node.generators:
            own = copy.copy(part)
            own.iter = cast(ast.expr, _python(part.iter, env))
            env = {**env, **_first(part, env)}
            own.ifs = [cast(ast.expr, _python(test, env)) for test in part.ifs]
            looped.generators.append(own)
        looped.elt = cast(ast.expr, _python(node.elt, env))
        return looped
    made = copy.copy(node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            parts = [_python(v, env) if isinstance(v, ast.AST) else v for v in value]
            setattr(made, field, parts)
        elif isinstance(value, ast.AST):
            setattr(made, field, _python(value, env))
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in MATH:
        made.func = ast.Attribute(ast.Name("math", ast.Load()), made.func.id, ast.Load())
    elif isinstance(made, ast.BinOp):
        made.left, made.right = _tuple(made.left), _tuple(made.right)
    elif isinstance(made, ast.Subscript):
        made.value = _tuple(made.value)
    elif isinstance(made, ast.Compare):
        made.left, made.comparators = _tuple(made.left), [_tuple(c) for c in made.comparators]
        made.ops = [
            {ast.Eq: ast.Is, ast.NotEq: ast.IsNot}.get(type(op), type(op))()
            if isinstance(right, ast.Constant) and right.value is None
            else op
            for op, right in zip(made.ops, made.comparators, strict=True)
        ]
    return made


def _attribute(node: ast.Attribute, env: dict[str, object]) -> ast.expr:
    try:
        holder: object = evaluate(node.value, env, raw=True)
    except ValueError:  # a branch that this instance never takes
        holder = None
    made = copy.copy(node)
    made.value = cast(ast.expr, _python(node.value, env))
    if isinstance(holder, Mapping):
        return ast.Subscript(made.value, ast.Constant(node.attr), ast.Load())
    if isinstance(holder, ShapeView) and node.attr in DIMENSIONS:
        made.attr = "shape"
        return ast.Subscript(made, literal(DIMENSIONS[node.attr]), ast.Load())
    return made


def _first(part: ast.comprehension, env: dict[str, object]) -> dict[str, object]:
    """What a comprehension's names are on its first turn, to tell mappings from shapes."""
    target = part.target
    shown = ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target
    one = ast.ListComp(shown, [ast.comprehension(target, part.iter, [], 0)])
    try:
        found = evaluate(one, env, raw=True)
    except ValueError:
        return {}
    if not isinstance(found, tuple) or not found:
        return {}
    bound: dict[str, object] = {}
    stack: list[tuple[ast.AST, object]] = [(target, found[0])]
    while stack:
        name, value = stack.pop()
        if isinstance(name, ast.Name):
            bound[name.id] = value
        elif isinstance(name, ast.Tuple) and isinstance(value, tuple):
            stack += zip(name.elts, value, strict=False)
    return bound


def _tuple(node: ast.expr) -> ast.expr:
    call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id
    if isinstance(node, ast.ListComp):
        node = ast.GeneratorExp(node.elt, node.generators)
    elif call not in ("range", "zip", "enumerate"):
        return node
    return ast.Call(ast.Name("tuple", ast.Load()), [node], [])
