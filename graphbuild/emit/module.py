"""A function as a module of its own, for a chain that has no layer for it."""

from __future__ import annotations

from graphbuild.emit.arguments import annotation, default
from graphbuild.emit.functions import function
from graphbuild.emit.printer import statement
from graphbuild.emit.text import Lines
from graphbuild.emit.units import SmallModule
from graphbuild.ops.base import Argument


def small_module(lines: Lines, small: SmallModule) -> None:
    """The class that stands in an `nn.Sequential` where the spec has a function."""
    given = [a for a in small.op.arguments if a.name in small.arguments]
    lines.add(["", "", f"class {small.name}(nn.Module):"])
    source = small.op.source
    lines.say(f"`{'Tensor' * source.startswith('.')}{source}` as a module.", 4)
    lines.add([""])
    if given:
        named = (_parameter(a, small.arguments[a.name]) for a in given)
        signature = ", ".join(["self", *named])
        lines.add(statement(f"def __init__({signature}) -> None:", 4))
        lines.add(["        super().__init__()"])
        lines.add([f"        self.{a.name} = {a.name}" for a in given])
        lines.add([""])
    operands = ["x"] if small.operands == 1 else [f"x{k}" for k in range(small.operands)]
    signature = ", ".join(["self", *(f"{name}: Tensor" for name in operands)])
    lines.add(
        ["    def forward(self, x):"]
        if small.op.several
        else statement(f"def forward({signature}) -> Tensor:", 4)
    )
    value = function(small.op, operands, {a.name: f"self.{a.name}" for a in given})
    lines.add(statement(f"return {value}", 8))


def _parameter(argument: Argument, values: list[object]) -> str:
    known = values if argument.required else [*values, argument.default]
    kind = annotation(known)
    if argument.type.startswith("Dtype"):
        kind = kind.replace("str", "torch.dtype")
    return f"{argument.name}: {kind}" + ("" if argument.required else default(argument.default))
