"""Random Python: expressions and statements such as emitted source is made of, and ruff's opinion."""

from __future__ import annotations

import ast
import subprocess
import sys
from random import Random

from graphbuild.expr.write import unparse

NAMES = (
    "x", "y", "i", "in_channels", "planes", "growth_rate", "self.conv1", "self.features.norm",
    "layers", "nn.Identity", "a_rather_long_name_of_a_thing", "another_name_long_enough_to_break",
)  # fmt: skip
HEADS = (
    "nn.Conv2d", "nn.Sequential", "torch.cat", "OrderedDict", "self.forward_features", "f",
    "nn.functional.adaptive_average_pooling",
)  # fmt: skip
ARGUMENTS = ("kernel_size", "stride", "padding", "bias", "a")
KINDS = (
    *("call",) * 5, "chain", "chain", "list", "tuple", "dict", "binary", "binary", "compare", "boolean", "choice",
    "comprehension", "generator", "entries", "subscript", "slice", "attribute", "unary", "text",
)  # fmt: skip
LOAD = ast.Load()


def parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


class Writer:
    """Draws expressions and statements."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def leaf(self) -> ast.expr:
        text = "t" * self.random.randint(1, 90)
        word = "name" * self.random.randint(1, 7)
        leaves = ("1", "2.5", "1e-05", "True", "None", '"a few words"', f'"{text}"', word)
        return parsed(self.random.choice((*NAMES, *NAMES, *leaves)))

    def several(self, depth: int, least: int, most: int) -> list[ast.expr]:
        return [self.expression(depth) for _ in range(self.random.randint(least, most))]

    def expression(self, depth: int) -> ast.expr:
        """An expression of at most so many levels."""
        if depth <= 0 or self.random.random() < 0.1:
            return self.leaf()
        made: ast.expr = getattr(self, self.random.choice(KINDS))(depth - 1)
        return made

    def chain(self, depth: int) -> ast.expr:
        """A name, or a part of it, and methods that are called one after the other."""
        made = parsed(self.random.choice((*NAMES, "x[0]", 'found["key"]', "f(x)")))
        for _ in range(self.random.randint(1, 5)):
            method = self.random.choice(("flatten", "permute", "unflatten", "to_something_else"))
            call = self.call(depth if self.random.random() < 0.3 else 0)
            assert isinstance(call, ast.Call)
            made = ast.Call(ast.Attribute(made, method, LOAD), call.args, call.keywords)
        return made

    def call(self, depth: int) -> ast.expr:
        args = self.several(depth, 0, 3)
        if self.random.random() < 0.15:
            args.append(ast.Starred(self.expression(depth), LOAD))
        named = [
            ast.keyword(f"{self.random.choice(ARGUMENTS)}{k}", value)
            for k, value in enumerate(self.several(depth, 0, 3))
        ]
        if self.random.random() < 0.05:
            named.append(ast.keyword(None, self.expression(depth)))
        return ast.Call(parsed(self.random.choice(HEADS)), args, named)

    def list(self, depth: int) -> ast.expr:
        return ast.List(self.several(depth, 0, 4), LOAD)

    def tuple(self, depth: int) -> ast.expr:
        return ast.Tuple(self.several(depth, 0, 4), LOAD)

    def dict(self, depth: int) -> ast.expr:
        values = self.several(depth, 0, 3)
        keys = [ast.Constant(f"key{k}") for k in range(len(values))]
        return ast.Dict([None if self.random.random() < 0.05 else key for key in keys], values)

    def binary(self, depth: int) -> ast.expr:
        ops = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
        op = self.random.choice(ops)()
        return ast.BinOp(self.expression(depth), op, self.expression(depth))

    def compare(self, depth: int) -> ast.expr:
        left, *rest = self.several(depth, 2, 3)
        ops = (ast.Eq, ast.NotEq, ast.Lt, ast.GtE, ast.In, ast.NotIn, ast.Is)
        return ast.Compare(left, [self.random.choice(ops)() for _ in rest], rest)

    def boolean(self, depth: int) -> ast.expr:
        op = self.random.choice((ast.And, ast.Or))()
        return ast.BoolOp(op, self.several(depth, 2, 3))

    def choice(self, depth: int) -> ast.expr:
        return ast.IfExp(*self.several(depth, 3, 3))

    def generators(self, depth: int) -> list[ast.comprehension]:
        return [
            ast.comprehension(
                parsed(self.random.choice(("i", "layer", "(i, layer)", "(k, (a, b))"))),
                self.expression(depth),
                self.several(depth, 0, 1) if self.random.random() < 0.5 else [],
                0,
            )
            for _ in range(self.random.choice((1, 1, 2)))
        ]

    def comprehension(self, depth: int) -> ast.expr:
        return ast.ListComp(self.expression(depth), self.generators(depth))

    def generator(self, depth: int) -> ast.expr:
        made = ast.GeneratorExp(self.expression(depth), self.generators(depth))
        return ast.Call(parsed("sum"), [made], []) if self.random.random() < 0.7 else made

    def entries(self, depth: int) -> ast.expr:
        return ast.DictComp(self.leaf(), self.expression(depth), self.generators(depth))

    def holder(self, depth: int) -> ast.expr:
        made = self.expression(depth)
        return parsed("x") if isinstance(made, (ast.Constant, ast.JoinedStr)) else made

    def subscript(self, depth: int) -> ast.expr:
        return ast.Subscript(self.holder(depth - 1), self.expression(depth), LOAD)

    def slice(self, depth: int) -> ast.expr:
        ends = [self.random.choice((None, self.expression(min(depth, 1)))) for _ in range(3)]
        return ast.Subscript(self.holder(0), ast.Slice(*ends), LOAD)

    def attribute(self, depth: int) -> ast.expr:
        return ast.Attribute(self.holder(depth), "attribute", LOAD)

    def unary(self, depth: int) -> ast.expr:
        op = self.random.choice((ast.USub, ast.UAdd, ast.Not))()
        return ast.UnaryOp(op, self.expression(depth))

    def text(self, depth: int) -> ast.expr:
        shown = ast.FormattedValue(parsed(self.random.choice(("i", "i + 1", "len(x)"))), -1, None)
        return ast.JoinedStr([ast.Constant("layer"), shown])

    def code(self, depth: int) -> str:
        """An expression's text."""
        while True:
            made = self.expression(depth)
            text = unparse(made)
            if len(text) < 1500 and not _fluent(made):
                return text

    def statement(self) -> str:
        """A statement on one line, or the header of a compound one."""
        code = self.code(self.random.choice((1, 2, 3, 3, 4, 5)))
        kind = self.random.randrange(10)
        if kind < 4:
            return f"self.features = {code}"
        if kind < 6:
            return f"return {code}"
        if kind == 6:
            return f"if {code}:"
        if kind == 7:
            return self.signature()
        if not code.endswith(")") or not code.startswith(("nn.", "torch.", "self.f", "Ord")):
            return f"total += {code}"  # ruff breaks other targets where a long name follows
        return self.random.choice((f"for i, layer in {code}:", f"left, right = {code}", code))

    def signature(self) -> str:
        kinds = ("int", "Tensor", "tuple[int, int]")
        parts = ["self"]
        for k in range(self.random.randint(0, 5)):
            default = f" = {self.code(2)}" if self.random.random() < 0.3 else " = 1"
            parts.append(
                f"{self.random.choice(ARGUMENTS)}{k}: {self.random.choice(kinds)}{default}"
            )
        returns = self.random.choice(("None", "Tensor", "tuple[Tensor, Tensor]"))
        return f"def forward({', '.join(parts)}) -> {returns}:"


def _fluent(tree: ast.expr) -> bool:
    """Whether it holds a chain of method calls, which ruff lays out in a way of its own."""
    for node in ast.walk(tree):
        links = 0
        while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
            inner = node.func if isinstance(node, ast.Call) else node.value
            links += isinstance(node, ast.Attribute) and not isinstance(
                inner, (ast.Name, ast.Attribute)
            )
            node = inner
        if links > 1:
            return True
    return False


def formatted(code: str) -> str:
    """The code as `ruff format` prints it with its own settings."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "-q", "-"]
    return subprocess.run(
        command, input=code, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout
