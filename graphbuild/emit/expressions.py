"""Expressions as documents for `layout`: where they may break, and what stands there then."""

from __future__ import annotations

import ast

from graphbuild.emit.layout import LINE, SOFT, BestFit, Doc, FitsExpanded, Group, IfBroken, Indent
from graphbuild.emit.parentheses import fluent, kind, looseness, opens
from graphbuild.expr import write

# Where an expression stands: inside of brackets it breaks freely; a `Group` is the one that adds
# parentheses around it if it breaks; None is outside of any.
Level = Group | bool | None
INSIDE = True


def value(node: ast.expr) -> Doc:
    """An expression that gets parentheses where that lets it break."""
    how = kind(node)
    if how != "lines":
        return BestFit(bare(node, None)) if how == "atom" else bare(node, None)
    group = Group("")
    inner = Indent([SOFT, bare(node, group if opens(node) else INSIDE)], when=group)
    group.content = [IfBroken("("), inner, SOFT, IfBroken(")")]
    return group


def target(node: ast.expr) -> Doc:
    """What an assignment or a loop binds; names in a row need no parentheses on one line."""
    if not isinstance(node, ast.Tuple) or len(node.elts) < 2:
        return bare(node, None)
    inner = Indent([SOFT, items([bare(part, INSIDE) for part in node.elts])])
    return Group([IfBroken("("), inner, SOFT, IfBroken(")")])


def _doc(node: ast.expr, place: int, level: Level) -> Doc:
    """An expression, in parentheses where its place needs them."""
    if write.binding(node) < place:
        return _brackets("(", bare(node, INSIDE), ")", level)
    return bare(node, level)


def bare(node: ast.expr, level: Level) -> Doc:
    """An expression without parentheses around it."""
    if fluent(node):
        return Group(_links(node, level))
    match node:
        case ast.Attribute():
            return [_holder(node.value, level), f".{node.attr}"]
        case ast.Call():
            return [_holder(node.func, level), _arguments(node, level)]
        case ast.Subscript():
            return [_holder(node.value, level), _brackets("[", _index(node.slice), "]", level)]
        case ast.BinOp() | ast.BoolOp() | ast.Compare():
            return _only_group(_operation(*_flat(node), level), level)
        case ast.IfExp():
            return _only_group(_condition(node, level), level)
        case ast.UnaryOp():
            return [write.UNARIES[type(node.op)][0], _doc(*write.operands(node)[0], level)]
        case ast.Tuple():
            return _display("(", [bare(item, INSIDE) for item in node.elts], ")", level)
        case ast.List():
            return _display("[", [bare(item, INSIDE) for item in node.elts], "]", level)
        case ast.Dict():
            return _display("{", _entries(node), "}", level)
        case ast.ListComp():
            return _brackets("[", _clauses(bare(node.elt, INSIDE), node.generators), "]", level)
        case ast.GeneratorExp():
            return _brackets("(", _clauses(bare(node.elt, INSIDE), node.generators), ")", level)
        case ast.DictComp():
            entry: Doc = [bare(node.key, INSIDE), ": ", bare(node.value, INSIDE)]
            return _brackets("{", _clauses(entry, node.generators), "}", level)
        case ast.Starred():
            return ["*", _doc(node.value, write.BITS, level)]
    return write.unparse(node)


def _links(node: ast.expr, level: Level) -> Doc:
    """A chain of calls, which breaks at each dot that follows brackets."""
    match node:
        case ast.Call():
            return [_links(node.func, level), _arguments(node, INSIDE)]
        case ast.Subscript():
            return [_links(node.value, level), _brackets("[", _index(node.slice), "]", INSIDE)]
        case ast.Attribute():
            after = isinstance(node.value, (ast.Call, ast.Subscript))
            return [_links(node.value, level), SOFT if after else "", f".{node.attr}"]
    return _holder(node, level)


def _holder(node: ast.expr, level: Level) -> Doc:
    if isinstance(node, ast.Constant):
        return write.holder(node)
    return _doc(node, write.ATOM, level)


def _brackets(left: str, inner: Doc, right: str, level: Level) -> Doc:
    group = Group([left, Indent([SOFT, inner]), SOFT, right])
    return FitsExpanded(group, level) if isinstance(level, Group) else group


def items(docs: list[Doc]) -> list[Doc]:
    """Items between commas; where they break, the last has one too unless it is alone."""
    parts: list[Doc] = []
    for doc in docs:
        parts += [[",", LINE], doc] if parts else [doc]
    return [*parts, IfBroken(",")] if len(docs) > 1 else parts


def _display(left: str, parts: list[Doc], right: str, level: Level) -> Doc:
    if not parts:
        return left + right
    inner = [parts[0], ","] if left == "(" and len(parts) == 1 else items(parts)
    return _brackets(left, inner, right, level)


def _entries(node: ast.Dict) -> list[Doc]:
    return [
        ["**", _doc(value, write.BITS, INSIDE)]
        if key is None
        else [bare(key, INSIDE), ": ", bare(value, INSIDE)]
        for key, value in zip(node.keys, node.values, strict=True)
    ]


def _arguments(node: ast.Call, level: Level) -> Doc:
    parts = [bare(item, INSIDE) for item in node.args]
    if len(parts) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
        only = node.args[0]
        parts = [_clauses(bare(only.elt, INSIDE), only.generators)]
    parts += [[f"{k.arg}=" if k.arg else "**", bare(k.value, INSIDE)] for k in node.keywords]
    return _brackets("(", Group(items(parts)), ")", level) if parts else "()"


def _clauses(element: Doc, generators: list[ast.comprehension]) -> Doc:
    parts: list[Doc] = [element]
    for part in generators:
        source = _doc(part.iter, write.OR, INSIDE)
        parts += [LINE, "for ", target(part.target), " in ", source]
        for test in part.ifs:
            parts += [LINE, "if ", _doc(test, write.OR, INSIDE)]
    return Group(parts)


def _index(node: ast.expr) -> Doc:
    if isinstance(node, ast.Slice):
        return [p if isinstance(p, str) else bare(p, INSIDE) for p in write.slices(node)]
    if isinstance(node, ast.Tuple) and node.elts:
        return items(
            [
                _index(item) if isinstance(item, ast.Slice) else bare(item, INSIDE)
                for item in node.elts
            ]
        )
    return bare(node, INSIDE)


def _only_group(content: Doc, level: Level) -> Doc:
    if level is None:
        return content
    return Group(content, when=level if isinstance(level, Group) else None)


def _break(level: Level, flat: str = " ") -> Doc:
    if level is None:
        return flat
    line = LINE if flat else SOFT
    return IfBroken(line, flat, level) if isinstance(level, Group) else line


def _gap(level: Level) -> Doc:
    """The space after an operator that is tight where nothing breaks."""
    return IfBroken(" ", "", level if isinstance(level, Group) else None) if level else ""


_Operand = tuple[ast.expr, int]  # with its place


def _flat(node: ast.expr) -> tuple[list[_Operand], list[str]]:
    """An operation with those inside of it that have no parentheses: operands, and the operators
    between them."""
    operands: list[_Operand] = []
    symbols: list[str] = []
    for symbol, (operand, place) in zip(
        ["", *write.symbols(node)], write.operands(node), strict=True
    ):
        symbols += [symbol] if symbol else []
        nested = isinstance(operand, (ast.BinOp, ast.BoolOp, ast.Compare))
        if nested and write.binding(operand) >= place:
            inner = _flat(operand)
            operands += inner[0]
            symbols += inner[1]
        else:
            operands.append((operand, place))
    return operands, symbols


def _operation(operands: list[_Operand], symbols: list[str], level: Level) -> Doc:
    """Breaks at the loosest operators; what is between two of them is a group of its own."""
    if not symbols:
        return _doc(*operands[0], level)
    loosest = max(map(looseness, symbols))
    breaks = [at for at, symbol in enumerate(symbols) if looseness(symbol) == loosest]
    made: list[Doc] = []
    start = 0
    for at in [*breaks, len(symbols)]:
        inner = _operation(operands[start : at + 1], symbols[start:at], level)
        made.append(inner if at == start else _only_group(inner, level))
        start = at + 1
        if at < len(symbols):
            ends = (operands[at], operands[start])
            tight = symbols[at] == "**" and all(write.simple(*end) for end in ends)
            made += [_break(level, "" if tight else " "), symbols[at]]
            made.append(_gap(level) if tight else " ")
    return made


def _condition(node: ast.IfExp, level: Level) -> list[Doc]:
    orelse = (
        _condition(node.orelse, level)
        if isinstance(node.orelse, ast.IfExp)
        else _doc(node.orelse, write.TEST, level)
    )
    body, test = _doc(node.body, write.OR, level), _doc(node.test, write.OR, level)
    return [body, _break(level), "if ", test, _break(level), "else ", orelse]
