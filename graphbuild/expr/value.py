"""Computing expressions: quick, and within limits on magnitude, size and cost.

A tree is turned into nested closures once; each takes the environment and a budget of steps.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphbuild.expr.error import FAILURES, ExprError, failed, undefined
from graphbuild.expr.functions import (
    BINARY,
    COMPARE,
    FUNCTIONS,
    LARGEST,
    MATH,
    MAX_TEXT,
    UNARY,
    WRITTEN,
    Budget,
    arithmetic,
    bounded,
    clean,
    cut,
    item,
    items,
    member,
    number,
    show,
    weigh,
)
from graphbuild.expr.shape import ShapeView, Sizes

Env = Mapping[str, object]
Run = Callable[[Env, Budget], Any]


def evaluate(expr: ast.expr, env: Env, *, raw: bool = False, budget: Budget | None = None) -> Any:
    """The value of an expression, names read from `env` (plain values and `ShapeView`s).

    Lists come out as tuples. Raises `ExprError` (E123, E124), with offsets into its text. `raw`
    lets a value be a `ShapeView`; `budget` tells what it took.
    """
    if type(expr) is ast.Constant:
        return expr.value
    budget = Budget() if budget is None else budget
    try:
        run, size = compiled(expr)
        budget.left -= size
        value = run(env, budget)
        if raw or isinstance(value, (int, float, str, type(None))):
            return value
        return clean(_kept(value, budget))
    except ExprError:
        raise
    except RecursionError:
        raise ExprError("E124", "the expression is nested too deep") from None
    except FAILURES as error:
        raise failed(expr, error) from None


_compiled: dict[int, tuple[ast.expr, Run, int]] = {}
_QUICK = 4  # parts of a tree that take one step together


def compiled(expr: ast.expr) -> tuple[Run, int]:
    """The closure of a tree, made once per tree, and its steps without those of loops and lists."""
    found = _compiled.get(id(expr))
    if found is not None and found[0] is expr:
        return found[1:]
    run = _run(expr)
    size = 1 + sum(isinstance(node, ast.expr) for node in ast.walk(expr)) // _QUICK
    if len(_compiled) > 20_000:
        _compiled.clear()
    _compiled[id(expr)] = (expr, run, size)
    return run, size


def _run(node: ast.AST) -> Run:
    maker = _MAKERS.get(type(node))
    if maker is None:
        raise failed(node, TypeError(f"{type(node).__name__} has no value"))
    return maker(node)


def _attempt(node: ast.AST, run: Run) -> Run:
    """Gives whatever fails in `run` the node's place."""

    def guarded(env: Env, budget: Budget) -> Any:
        try:
            return run(env, budget)
        except ExprError:
            raise
        except FAILURES as error:
            raise failed(node, error) from None

    return guarded


def _name(node: ast.Name) -> Run:
    name = node.id

    def run(env: Env, budget: Budget) -> Any:
        try:
            return env[name]
        except KeyError:
            raise undefined(node, env) from None

    return run


def _attribute(node: ast.Attribute) -> Run:
    holder, name = _run(node.value), node.attr
    return _attempt(node, lambda env, budget: member(holder(env, budget), name))


def _subscript(node: ast.Subscript) -> Run:
    holder = _run(node.value)
    if not isinstance(node.slice, ast.Slice):
        index = _run(node.slice)
        return _attempt(node, lambda env, budget: item(holder(env, budget), index(env, budget)))
    ends = (node.slice.lower, node.slice.upper, node.slice.step)
    parts = [_run(part) if part else None for part in ends]

    def run(env: Env, budget: Budget) -> Any:
        chosen = slice(*(part(env, budget) if part else None for part in parts))
        return cut(holder(env, budget), chosen, budget)

    return _attempt(node, run)


def _binary(node: ast.BinOp) -> Run:
    left, right = _run(node.left), _run(node.right)
    symbol, op = BINARY[type(node.op)]
    slow = arithmetic(symbol, op)

    def run(env: Env, budget: Budget) -> Any:
        x, y = left(env, budget), right(env, budget)
        try:
            if type(x) is int and type(y) is int:
                value = op(x, y)
                if -LARGEST <= value <= LARGEST:
                    return value
                raise OverflowError("the number is too large")
            return slow(x, y, budget)
        except FAILURES as error:
            raise failed(node, error) from None

    return run


def _unary(node: ast.UnaryOp) -> Run:
    operand = _run(node.operand)
    if isinstance(node.op, ast.Not):
        return _attempt(node, lambda env, budget: not _truth(operand(env, budget)))
    if type(node.op) not in UNARY:
        raise failed(node, TypeError("an operator that expressions do not have"))
    op = UNARY[type(node.op)]
    return _attempt(node, lambda env, budget: op(number(operand(env, budget))))


def _truth(value: Any) -> Any:
    if isinstance(value, ShapeView):
        raise TypeError("a tensor is neither true nor false")
    return value


def _boolean(node: ast.BoolOp) -> Run:
    parts = [_run(part) for part in node.values]
    stop = isinstance(node.op, ast.Or)

    def run(env: Env, budget: Budget) -> Any:
        value = None
        for part in parts:
            value = _truth(part(env, budget))
            if bool(value) is stop:
                break
        return value

    return _attempt(node, run)


def _compare(node: ast.Compare) -> Run:
    first = _run(node.left)
    rest = [(COMPARE[type(op)], _run(c)) for op, c in zip(node.ops, node.comparators, strict=True)]

    def run(env: Env, budget: Budget) -> bool:
        left = first(env, budget)
        for test, comparator in rest:
            right = comparator(env, budget)
            if not test(left, right, budget):
                return False
            left = right
        return True

    return _attempt(node, run)


def _choice(node: ast.IfExp) -> Run:
    test, body, orelse = _run(node.test), _run(node.body), _run(node.orelse)
    return _attempt(
        node,
        lambda env, budget: (body if _truth(test(env, budget)) else orelse)(env, budget),
    )


def _display(node: ast.Tuple | ast.List) -> Run:
    parts = [_run(part) for part in node.elts]

    def run(env: Env, budget: Budget) -> Any:
        made = _each(node, parts, env, budget)
        budget.spend(len(made))
        return tuple(made)

    return _attempt(node, run)


def _each(node: ast.expr, parts: list[Run], env: Env, budget: Budget) -> list[Any]:
    """Every part's value; a failure keeps the text it was read from."""
    made: list[Any] = []
    try:
        for part in parts:
            made.append(_kept(part(env, budget), budget))
    except ExprError as error:
        if error.text is None and hasattr(node, "texts"):
            error.text = node.texts[len(made)]
        raise
    return made


def _kept(value: Any, budget: Budget) -> Any:
    """A value that becomes a part of another one, and is paid for."""
    if type(value) is Sizes:
        value = value.read()
    if isinstance(value, (tuple, list, Mapping)):
        weigh(value, budget)
    return value


def _mapping(node: ast.Dict) -> Run:
    keys = [_run(key) for key in node.keys if key is not None]
    parts = [_run(part) for part in node.values]

    def run(env: Env, budget: Budget) -> Any:
        names = [key(env, budget) for key in keys]
        values = [clean(v) for v in _each(node, parts, env, budget)]
        return dict(zip(names, values, strict=True))

    return _attempt(node, run)


def _comprehension(node: ast.ListComp | ast.GeneratorExp) -> Run:
    element = _run(node.elt)
    cost = 1 + sum(isinstance(n, ast.expr) for n in ast.walk(node.elt)) // _QUICK
    loops = [
        (part.target, _run(part.iter), [_run(test) for test in part.ifs])
        for part in node.generators
    ]

    def turns(at: int, env: dict[str, object], budget: Budget) -> Iterator[None]:
        if at == len(loops):
            yield
            return
        target, source, tests = loops[at]
        for value in items(source(env, budget)):
            budget.spend(cost)
            _bind(target, value, env)
            if all(_truth(test(env, budget)) for test in tests):
                yield from turns(at + 1, env, budget)

    def run(env: Env, budget: Budget) -> Any:
        own = dict(env)
        made = []
        for _ in turns(0, own, budget):
            made.append(_kept(element(own, budget), budget))
        return tuple(made)

    return _attempt(node, run)


def _bind(target: ast.expr, value: Any, env: dict[str, object]) -> None:
    if isinstance(target, ast.Name):
        env[target.id] = value
    elif isinstance(target, ast.Tuple):
        found = items(value)
        if len(found) != len(target.elts):
            raise ValueError(f"{len(target.elts)} names for {len(found)} values")
        for name, part in zip(target.elts, found, strict=True):
            _bind(name, part, env)


def _call(node: ast.Call) -> Run:
    head = node.func
    name = head.id if isinstance(head, ast.Name) else ""
    if isinstance(head, ast.Attribute) and isinstance(head.value, ast.Name):
        name = head.attr if head.value.id == "math" and head.attr in MATH else ""
    function = FUNCTIONS.get(name) or WRITTEN.get(name)
    if function is None:
        raise failed(node, TypeError("this cannot be called"))
    call = function.run
    arguments = [_run(part) for part in node.args]
    keywords = [(k.arg or "", _run(k.value)) for k in node.keywords]

    def run(env: Env, budget: Budget) -> Any:
        values = [part(env, budget) for part in arguments]
        for value in values:
            if isinstance(value, (tuple, list, range, Mapping)):
                budget.spend(len(value))
        return bounded(call(*values, **{key: part(env, budget) for key, part in keywords}))

    return _attempt(node, run)


def _text(node: ast.JoinedStr) -> Run:
    parts = [_run(p.value if isinstance(p, ast.FormattedValue) else p) for p in node.values]

    def run(env: Env, budget: Budget) -> str:
        made = ""
        for part in parts:
            value = part(env, budget)
            if not isinstance(value, (int, float, str)):
                raise TypeError(f"{show(value)} cannot stand inside of a text")
            made += str(value)
            if len(made) > MAX_TEXT:
                raise ValueError(f"the text has more than {MAX_TEXT:,} characters")
        return made

    return _attempt(node, run)


_MAKERS: dict[type[ast.AST], Callable[[Any], Run]] = {
    ast.Constant: lambda node: lambda env, budget: node.value,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Tuple: _display,
    ast.List: _display,
    ast.Dict: _mapping,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Call: _call,
    ast.JoinedStr: _text,
}
