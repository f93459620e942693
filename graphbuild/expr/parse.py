"""The inside of `$(...)`: Python's parser, and what of Python an expression may hold."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import cast

from graphbuild.errors import did_you_mean
from graphbuild.expr.error import ExprError
from graphbuild.expr.functions import FUNCTIONS, LARGEST

MAX_DEPTH = 60
MAX_NODES = 500
OPEN = {"(": ")", "[": "]", "{": "}"}

_OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow,
    ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
_PLAIN = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.List, ast.ListComp,
    ast.Subscript, ast.Slice, ast.comprehension, ast.Load, ast.Store, *_OPERATORS,
)  # fmt: skip
_FREE = frozenset({ast.Load, ast.Store, *_OPERATORS})  # parts that are never wrong
_REFUSED: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.Lambda: ("a lambda", None),
    ast.JoinedStr: ("an f-string", None),
    ast.NamedExpr: ("':='", "name the value under `let`"),
    ast.Dict: ("a mapping display", "write the mapping in YAML"),
    ast.DictComp: ("a mapping comprehension", None),
    ast.Set: ("a set", "write [...]"),
    ast.SetComp: ("a set comprehension", "write [...]"),
    ast.Starred: ("'*' in front of a list", "join lists with +"),
    ast.GeneratorExp: ("a bare generator", "write [... for ... in ...]"),
    ast.BitAnd: ("'&'", "write 'and'"),
    ast.BitOr: ("'|'", "write 'or'"),
    ast.BitXor: ("'^'", "a power is written **"),
    ast.Invert: ("'~'", "write 'not'"),
    ast.LShift: ("'<<'", "write * 2 **"),
    ast.RShift: ("'>>'", "write // 2 **"),
    ast.MatMult: ("'@'", None),
    ast.Is: ("'is'", "only 'is None' can be written; else compare with =="),
    ast.IsNot: ("'is not'", "only 'is not None' can be written; else compare with !="),
}


def parse(code: str, base: int) -> ast.expr:
    """The inside of `$(...)`, which starts at `base` in its text."""
    if not code.strip():
        raise ExprError("E121", "an empty expression", base - 2, base + len(code) + 1)
    nesting = deepest = 0
    for c in code:
        nesting += (c in OPEN) - (c in ")]}")
        deepest = max(deepest, nesting)
    if deepest > MAX_DEPTH:
        raise ExprError("E121", "an expression that is nested too deep", base, base + len(code))
    line = " ".join(code.splitlines()) if len(code.splitlines()) > 1 else code
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Parentheses let it start with a space, and make a comment swallow its end.
            tree = ast.parse(f"({line})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        at = (getattr(error, "offset", None) or 2) - 2
        at = max(0, min(at, len(code) - 1))
        detail = getattr(error, "msg", "") or "it cannot be read"
        detail = detail.removesuffix(" '('").replace("invalid syntax. Perhaps", "perhaps")
        item = re.search(r"([^\W\d]\w*)\.(\d+)", code)  # `$name.0` stands bare only
        hint = f"inside of $(...) write {item[1]}[{item[2]}]" if item else None
        message = f"bad expression: {detail}"
        raise ExprError("E121", message, base + at, base + at + 1, hint) from None
    raw = line.encode()
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, (ast.expr, ast.keyword)):
            count += 1
            start, end = node.col_offset - 1, (node.end_col_offset or 0) - 1
            if len(raw) != len(line):  # ast counts bytes
                start, end = (len(raw[: max(0, at)].decode(errors="ignore")) for at in (start, end))
            node.col_offset, node.end_col_offset = base + start, base + end
    if count > MAX_NODES:
        raise _refuse(tree, "an expression that is too large")
    return _check(tree)


def _check(tree: ast.expr) -> ast.expr:
    """The tree in its canonical form, if all of it is within the subset."""
    canonical = True
    stack: list[tuple[ast.AST, ast.AST, int]] = [(tree, tree, 1)]
    while stack:
        node, holder, depth = stack.pop()
        kind = type(node)
        if kind in _FREE:
            continue
        canonical &= kind is not ast.List and kind is not ast.UnaryOp
        place = node if isinstance(node, ast.expr) else holder
        if depth > MAX_DEPTH:
            raise _refuse(tree, "an expression that is nested too deep")
        _admit(node, place)
        if kind is ast.Constant or kind is ast.Name:
            continue
        skip = _heads(node)
        for child in ast.iter_child_nodes(node):
            if child not in skip:
                stack.append((child, place, depth + isinstance(child, ast.expr)))
    return tree if canonical else cast(ast.expr, _Canonical().visit(tree))


def _refuse(place: ast.AST, message: str, suggestion: str | None = None) -> ExprError:
    start, end = getattr(place, "col_offset", 0), getattr(place, "end_col_offset", 0)
    return ExprError("E121", message, start, end, suggestion)


def _heads(node: ast.AST) -> list[ast.AST]:
    """The children that are admitted together with their parent."""
    if isinstance(node, ast.Call):
        lone = len(node.args) == 1 and not node.keywords
        takes = isinstance(node.func, ast.Name) and node.func.id in ("sum", "min", "max")
        inner = node.args[0] if lone and takes else None
        return [node.func, *([inner] if isinstance(inner, ast.GeneratorExp) else [])]
    if isinstance(node, ast.Compare):
        # `x is None` is the one use of `is`
        pairs = zip(node.ops, node.comparators, strict=True)
        return [
            op
            for op, right in pairs
            if isinstance(op, (ast.Is, ast.IsNot))
            and isinstance(right, ast.Constant)
            and right.value is None
        ]
    return []


def _admit(node: ast.AST, place: ast.AST) -> None:
    """Raises unless the node, its children aside, may stand in an expression."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, (bytes, complex)) or value is ...:
            raise _refuse(node, f"{ast.unparse(node)} cannot stand in an expression")
        huge = value == float("inf") or (isinstance(value, int) and value > LARGEST)
        if huge:
            raise _refuse(node, "a number that is too large")
    elif isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name.startswith("__"):
            raise _refuse(node, f"{name!r} cannot be read")
    elif isinstance(node, ast.Call):
        _admit_call(node)
    elif isinstance(node, ast.comprehension):
        if node.is_async or not all(isinstance(t, (ast.Name, ast.Tuple)) for t in _targets(node)):
            raise _refuse(node.target, "a comprehension binds plain names")
    elif isinstance(node, ast.keyword):
        pass  # with its call
    elif not isinstance(node, _PLAIN):
        what, hint = _REFUSED.get(type(node), (f"'{type(node).__name__.lower()}'", None))
        raise _refuse(place, f"{what} cannot stand in an expression", hint)


def _targets(node: ast.comprehension) -> Iterator[ast.expr]:
    stack = [node.target]
    while stack:
        target = stack.pop()
        yield target
        if isinstance(target, ast.Tuple):
            stack += target.elts


def _admit_call(node: ast.Call) -> None:
    if isinstance(node.func, ast.Attribute):
        raise _refuse(node.func, "a method cannot be called", f"known functions: {_known()}")
    if not isinstance(node.func, ast.Name):
        raise _refuse(node.func, "this cannot be called")
    name = node.func.id
    function = FUNCTIONS.get(name)
    if function is None:
        hint = did_you_mean(name, FUNCTIONS) or f"known functions: {_known()}"
        raise _refuse(node.func, f"unknown function {name!r}", hint)
    for keyword in node.keywords:
        if keyword.arg not in function.keywords:
            nearest = did_you_mean(keyword.arg or "", function.keywords)
            raise _refuse(keyword, f"{name} takes no argument {keyword.arg!r}", nearest)
    if not function.least <= len(node.args) <= function.most:
        most = "more" if function.most > 9 else function.most
        wanted = most if function.least == function.most else f"{function.least} to {most}"
        message = f"{name} takes {wanted} arguments, not {len(node.args)}"
        raise _refuse(node, message)


def _known() -> str:
    return " ".join(sorted(FUNCTIONS))


class _Canonical(ast.NodeTransformer):
    """`[a, b]` is a tuple, `not a in b` is `a not in b`."""

    def visit_List(self, node: ast.List) -> ast.expr:
        self.generic_visit(node)
        return ast.copy_location(ast.Tuple(node.elts, ast.Load()), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            opposite = {ast.In: ast.NotIn, ast.Is: ast.IsNot}.get(type(inner.ops[0]))
            if opposite is not None:
                found = ast.Compare(inner.left, [opposite()], inner.comparators)
                return ast.copy_location(found, node)
        return node
