"""Expressions as Python text on one line, spelled as `ruff format` spells them."""

from __future__ import annotations

import ast

# How tightly an expression binds; an operand that binds less than its place gets parentheses.
TEST, OR, AND, NOT, COMPARE, BITS, SUM, PRODUCT, UNARY, POWER, ATOM = range(11)

BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", BITS),  # of types
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.MatMult: ("@", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.FloorDiv: ("//", PRODUCT),
    ast.Mod: ("%", PRODUCT),
    ast.Pow: ("**", POWER),
}
UNARIES: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.USub: ("-", UNARY),
    ast.UAdd: ("+", UNARY),
    ast.Not: ("not ", NOT),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


def binding(node: ast.expr) -> int:
    """How tightly an expression binds."""
    if isinstance(node, ast.BinOp):
        return BINARY[type(node.op)][1]
    if isinstance(node, ast.UnaryOp):
        return UNARIES[type(node.op)][1]
    if isinstance(node, ast.BoolOp):
        return OR if isinstance(node.op, ast.Or) else AND
    if isinstance(node, ast.Compare):
        return COMPARE
    if isinstance(node, (ast.IfExp, ast.Lambda)):
        return TEST
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return UNARY if str(node.value).startswith("-") else ATOM
    return ATOM


def unparse(node: ast.expr) -> str:
    """The expression as Python text with the fewest parentheses."""
    return _write(node, TEST)


def _write(node: ast.expr, place: int) -> str:
    text = _bare(node)
    return f"({text})" if binding(node) < place else text


def _bare(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Constant():
            return constant(node.value)
        case ast.Attribute():
            return f"{holder(node.value)}.{node.attr}"
        case ast.Subscript():
            return f"{holder(node.value)}[{index(node.slice)}]"
        case ast.Call():
            return f"{holder(node.func)}({', '.join(arguments(node))})"
        case ast.BinOp() | ast.BoolOp() | ast.Compare():
            return _operation(node)
        case ast.UnaryOp():
            return UNARIES[type(node.op)][0] + _write(*operands(node)[0])
        case ast.IfExp():
            test, body = _write(node.test, OR), _write(node.body, OR)
            return f"{body} if {test} else {_write(node.orelse, TEST)}"
        case ast.Tuple():
            inside = ", ".join(map(unparse, node.elts))
            return f"({inside},)" if len(node.elts) == 1 else f"({inside})"
        case ast.List():
            return f"[{', '.join(map(unparse, node.elts))}]"
        case ast.Dict():
            return f"{{{', '.join(entries(node))}}}"
        case ast.ListComp():
            return f"[{' '.join(clauses(node))}]"
        case ast.GeneratorExp():
            return f"({' '.join(clauses(node))})"
        case ast.DictComp():
            return f"{{{' '.join(clauses(node))}}}"
        case ast.Starred():
            return f"*{_write(node.value, BITS)}"
        case ast.JoinedStr():
            return _joined(node)
    raise TypeError(f"no spelling for {type(node).__name__}")


def holder(node: ast.expr) -> str:
    """What stands in front of `.name`, `[...]` or `(...)`."""
    number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return f"({_bare(node)})" if number else _write(node, ATOM)


def operands(node: ast.expr) -> list[tuple[ast.expr, int]]:
    """The operands of an operation or condition, in the order of the text, each with its place."""
    match node:
        case ast.BinOp():
            place = binding(node)
            left, right = (ATOM, UNARY) if place == POWER else (place, place + 1)
            return [(node.left, left), (node.right, right)]
        case ast.BoolOp():
            return [(value, binding(node) + 1) for value in node.values]
        case ast.Compare():
            return [(value, BITS) for value in (node.left, *node.comparators)]
        case ast.IfExp():
            return [(node.body, OR), (node.test, OR), (node.orelse, TEST)]
        case ast.UnaryOp():
            # -a**b reads wrong to many, so ruff writes -(a**b)
            power = binding(node.operand) == POWER
            return [(node.operand, ATOM if power else UNARIES[type(node.op)][1])]
    return []


def symbols(node: ast.expr) -> list[str]:
    """The operators between the operands."""
    match node:
        case ast.BinOp():
            return [BINARY[type(node.op)][0]]
        case ast.BoolOp():
            return ["or" if isinstance(node.op, ast.Or) else "and"] * (len(node.values) - 1)
        case ast.Compare():
            return [_COMPARE[type(op)] for op in node.ops]
    return []


def _operation(node: ast.expr) -> str:
    (first, place), *rest = operands(node)
    tight = binding(node) == POWER and simple(first, place) and simple(*_leading(*rest[0]))
    gap = "" if tight else " "
    text = _write(first, place)
    for symbol, (operand, place) in zip(symbols(node), rest, strict=True):
        text += f"{gap}{symbol}{gap}{_write(operand, place)}"
    return text


def _leading(node: ast.expr, place: int) -> tuple[ast.expr, int]:
    """The operand that a power's right side starts with."""
    while isinstance(node, ast.BinOp) and binding(node) >= place:
        node, place = operands(node)[0]
    return node, place


def simple(node: ast.expr, place: int) -> bool:
    """Whether a `**` is written tight next to it: names, dotted names, numbers, signed ones."""
    if binding(node) < place:
        return False
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        node = node.operand
    return dotted(node) or (isinstance(node, ast.Constant) and not isinstance(node.value, str))


def dotted(node: ast.expr) -> bool:
    """Whether it is `a` or `a.b.c`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def arguments(node: ast.Call) -> list[str]:
    """A call's arguments, each as it is written."""
    if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
        return [" ".join(clauses(node.args[0]))]
    named = [
        f"{k.arg}={unparse(k.value)}" if k.arg else f"**{unparse(k.value)}" for k in node.keywords
    ]
    return [*map(unparse, node.args), *named]


def entries(node: ast.Dict) -> list[str]:
    """A mapping display's entries."""
    return [
        f"{unparse(key)}: {unparse(value)}" if key is not None else f"**{_write(value, BITS)}"
        for key, value in zip(node.keys, node.values, strict=True)
    ]


def clauses(node: ast.ListComp | ast.GeneratorExp | ast.DictComp) -> list[str]:
    """A comprehension's element, and its `for` and `if` clauses."""
    if isinstance(node, ast.DictComp):
        parts = [f"{unparse(node.key)}: {unparse(node.value)}"]
    else:
        parts = [unparse(node.elt)]
    for part in node.generators:
        parts.append(f"for {target(part.target)} in {_write(part.iter, OR)}")
        parts += [f"if {_write(test, OR)}" for test in part.ifs]
    return parts


def target(node: ast.expr) -> str:
    """What a loop or an assignment binds."""
    if isinstance(node, ast.Tuple) and len(node.elts) > 1:
        return ", ".join(map(unparse, node.elts))
    return unparse(node)


def index(node: ast.expr) -> str:
    if not isinstance(node, ast.Slice):
        return unparse(node)
    return "".join(part if isinstance(part, str) else unparse(part) for part in slices(node))


def slices(node: ast.Slice) -> list[ast.expr | str]:
    """The parts of a slice and what stands between them."""
    ends = [node.lower, node.upper, node.step]
    gap = "" if all(part is None or _short(part) for part in ends) else " "
    made: list[ast.expr | str] = [node.lower, gap] if node.lower else []
    made += [":", gap, node.upper] if node.upper else [":"]
    if node.step:
        made += [gap if node.upper else "", ":", gap, node.step]
    return made


def _short(node: ast.expr) -> bool:
    """Whether a slice's colon is written tight next to it."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return isinstance(node.operand, (ast.Constant, ast.Name))
    return isinstance(node, (ast.Constant, ast.Name))


def constant(value: object) -> str:
    """A literal."""
    if value is ...:
        return "..."
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """A string literal, in double quotes unless that takes more escapes."""
    quote = _quote(text)
    return f"{quote}{_escaped(text, quote)}{quote}"


def _quote(text: str) -> str:
    return "'" if text.count('"') > text.count("'") else '"'


def _escaped(text: str, quote: str) -> str:
    return "".join(
        f"\\{c}" if c in (quote, "\\") else c if c.isprintable() else repr(c)[1:-1] for c in text
    )


def _joined(node: ast.JoinedStr) -> str:
    texts = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
    values = [unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
    # Before Python 3.12 an expression in an f-string cannot hold the quotes around it.
    quote = "'" if any('"' in value for value in values) else _quote("".join(texts))
    inside = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            inside += _escaped(str(part.value), quote).replace("{", "{{").replace("}", "}}")
        else:
            inside += f"{{{values.pop(0)}}}"
    return f"f{quote}{inside}{quote}"
