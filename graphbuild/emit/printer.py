"""Statements of emitted source, laid out exactly as `ruff format` lays them out in 88 columns.

`statement` takes a statement, or the header of a compound one, written on one line:

    statement("self.conv1 = nn.Conv2d(3, planes, kernel_size=3)", 8)      -> list of lines
    statement("def forward(self, x: Tensor) -> Tensor:", 4)

The line must be spelled as ruff spells it (`expr.unparse` does so), because one that fits is given
back as it is. Any other is parsed and printed anew, with the parentheses that its lines need and
without needless ones; so is every statement that holds a conditional expression.

- Expressions may hold names, attributes, calls, subscripts, displays, comprehensions, operators,
  conditions, literals and plain f-strings; no lambdas, no strings side by side, no comments.
- `indent` counts spaces. No line ends in white space.
- Blank lines between statements are the caller's.
"""

from __future__ import annotations

import ast

from graphbuild.emit.expressions import INSIDE, bare, items, target, value
from graphbuild.emit.layout import SOFT, WIDTH, Doc, Group, IfBroken, Indent, print_doc, width
from graphbuild.expr import write
from graphbuild.visible import visible


def statement(code: str, indent: int = 0) -> list[str]:
    """The lines of a statement, or of a compound statement's header, written on one line."""
    if indent + width(code) <= WIDTH and " if " not in code:
        return [" " * indent + code]
    alternative = code.startswith("elif ")
    parsed = ast.parse(f"{code[2 * alternative :]} pass" if code.endswith(":") else code).body[0]
    doc = _statement(parsed)
    return print_doc(["el", doc] if alternative else doc, indent)


def docstring(text: str, indent: int = 0) -> list[str]:
    """The lines of a docstring; the text's own line breaks and inner indentation stay."""
    escaped = visible(text.replace("\\", "\\\\")).replace('"""', '\\"\\"\\"')
    first, *more = [line.rstrip() for line in escaped.strip().splitlines()] or [""]
    pad = " " * indent
    first = f" {first}" if first.startswith('"') else first
    if not more:
        return [f'{pad}"""{first} """' if first.endswith('"') else f'{pad}"""{first}"""']
    return [f'{pad}"""{first}', *(pad + line if line else "" for line in more), f'{pad}"""']


def _statement(node: ast.stmt) -> Doc:
    match node:
        case ast.Assign():
            heads: list[Doc] = [[target(one), " = "] for one in node.targets]
            return [*heads, value(node.value)]
        case ast.AnnAssign():
            head: list[Doc] = [target(node.target), ": ", value(node.annotation)]
            return head if node.value is None else [*head, " = ", value(node.value)]
        case ast.AugAssign():
            symbol = write.BINARY[type(node.op)][0]
            return [target(node.target), f" {symbol}= ", value(node.value)]
        case ast.Return():
            return "return" if node.value is None else ["return ", value(node.value)]
        case ast.Expr():
            operation = isinstance(node.value, (ast.BinOp, ast.BoolOp, ast.Compare))
            return value(node.value) if operation else bare(node.value, None)
        case ast.Delete():
            names = ast.Tuple(node.targets, ast.Load())
            return ["del ", target(names if len(node.targets) > 1 else node.targets[0])]
        case ast.If():
            return ["if ", value(node.test), ":"]
        case ast.For():
            return ["for ", target(node.target), " in ", value(node.iter), ":"]
        case ast.Raise() if node.exc is not None:
            return ["raise ", value(node.exc)]
        case ast.ClassDef():
            call = ast.Call(ast.Name(node.name, ast.Load()), node.bases, node.keywords)
            return ["class ", bare(call, None), ":"]
        case ast.FunctionDef():
            return _signature(node)
    raise TypeError(f"no layout for {type(node).__name__}")


def _signature(node: ast.FunctionDef) -> Doc:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    pairs = zip(positional, [*defaults, *given.defaults], strict=True)
    parts = [_parameter(arg, default) for arg, default in pairs]
    if given.vararg:
        parts.append(["*", _parameter(given.vararg, None)])
    elif given.kwonlyargs:
        parts.append("*")
    pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    parts += [_parameter(arg, default) for arg, default in pairs]
    if given.kwarg:
        parts.append(["**", _parameter(given.kwarg, None)])
    inner: Doc = [*items(parts), IfBroken(",")] if len(parts) == 1 else Group(items(parts))
    head: list[Doc] = [f"def {node.name}("]
    head += [Indent([SOFT, inner]), SOFT] if parts else []
    returns: list[Doc] = [" -> ", bare(node.returns, None)] if node.returns else []
    return [Group([*head, ")", *returns]), ":"]


def _parameter(arg: ast.arg, default: ast.expr | None) -> Doc:
    if arg.annotation is None:
        return arg.arg if default is None else [f"{arg.arg}=", bare(default, INSIDE)]
    head: list[Doc] = [f"{arg.arg}: ", bare(arg.annotation, INSIDE)]
    return head if default is None else [*head, " = ", bare(default, INSIDE)]
