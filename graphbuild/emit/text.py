"""Printing what was written: classes, functions, statements, and the file's head."""

from __future__ import annotations

import re
from textwrap import wrap

from graphbuild.emit import tying
from graphbuild.emit.choices import input_types, sentence
from graphbuild.emit.classes import Written
from graphbuild.emit.forms import form
from graphbuild.emit.parts import Statement
from graphbuild.emit.printer import docstring, statement
from graphbuild.emit.units import distinct
from graphbuild.emit.variables import input_variables
from graphbuild.errors import Span
from graphbuild.ir import ABSENT, Graph, Several, Type
from graphbuild.modes import Modes, both, leaves
from graphbuild.modes import part as part_of
from graphbuild.ops.base import Op

WIDTH = 88

_DIVISIBLE = '''

def make_divisible(value: float, divisor: int = 8, min_value: int | None = None) -> int:
    """Round to a multiple of `divisor`, by no more than a tenth down (MobileNet)."""
    least = divisor if min_value is None else min_value
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
'''


class Lines:
    """The lines of a source so far, and the place in the spec that each stands for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.code: list[str] = []  # without what is said in docstrings
        self.spans: dict[int, Span] = {}

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def say(self, text: str, indent: int) -> None:
        """A docstring."""
        self.lines += docstring(text, indent)

    def add(self, lines: list[str], span: Span | None = None) -> None:
        self.code += lines
        for line in lines:
            self.lines.append(line)
            if span is not None and line:
                self.spans[len(self.lines)] = span

    def unit(self, part: Written) -> None:
        """A class or a function, with two blank lines in front."""
        self.add(["", ""])
        graph = part.unit.graphs[0]
        if not part.base:
            given = ", ".join(part.arguments)
            self.add(statement(f"def {part.unit.name}({given}) -> nn.Sequential:"), part.span)
            self.say(_doc(part, graph), 4)
            self.block(part.constructor, 4)
            return
        self.add([f"class {part.unit.name}({part.base}):"], part.span)
        self.say(_doc(part, graph), 4)
        self.add([""])
        signature = ", ".join(["self", *part.arguments])
        self.add(statement(f"def __init__({signature}) -> None:", 4), part.span)
        if part.base == "nn.Module":
            self.add(["        super().__init__()"])
        self.block(part.constructor, 8)
        if part.reset:
            self.add(["        self.reset_parameters()"])
        if graph.ties and graph.kind == "spec":
            self.add(["        self.tie_weights()"])
            hook = f"self.register_load_state_dict_post_hook({part.unit.name}.tie_weights)"
            self.add(statement(hook, 8))
        if part.init:
            self.add(["        self.init_weights()"])
        if part.reset:
            self.add(["", "    def reset_parameters(self) -> None:"])
            self.say("Draw the parameters of this module itself.", 8)
            self.block(part.reset, 8)
        inputs = [
            f"{name}: {chosen if chosen != 'Tensor' else annotation(given.type)}"
            for name, given, chosen in zip(
                input_variables(graph), graph.inputs, input_types(graph), strict=True
            )
        ]
        returns = "list[Tensor]" if part.unit.form == "parallel" else _returns(graph)
        self.add([""])
        given = ", ".join(["self", *inputs])
        self.add(statement(f"def forward({given}) -> {returns}:", 4), part.span)
        self.block(part.forward, 8)
        if part.init:
            self.add(["", "    def init_weights(self) -> None:"])
            self.say("Draw the parameters anew, by the rules of the spec.", 8)
            self.block(part.init, 8)
        if graph.ties and graph.kind == "spec":
            self.ties(graph)

    def ties(self, graph: Graph) -> None:
        """The methods that make tied parameters one, and keep them so."""
        self.add(["", "    def tie_weights(self, *_: object) -> None:"])
        self.say("Make each tied parameter the one that it is tied to.", 8)
        self.block(tying.assignments(graph), 8)
        self.add(["", "    def _apply(self, fn, recurse=True):"])
        self.say("Move or cast; `to_empty` would make two parameters of one.", 8)
        self.add(["        super()._apply(fn, recurse)", "        self.tie_weights()"])
        self.add(["        return self"])
        given = "self, state_dict, prefix, metadata, strict, missing, *args"
        self.add(["", *statement(f"def _load_from_state_dict({given}) -> None:", 4)])
        self.say("Load one value for what is tied, also where only the tied key has it.", 8)
        self.block(tying.loading(graph), 8)

    def block(self, statements: list[Statement], indent: int) -> None:
        for made in statements:
            self.add(statement(made.code, indent) if made.code else [""], made.span)
            self.block(made.body or [], indent + 4)


def annotation(type_: Type, modes: Modes = "always") -> str:
    """The type of a value that a forward takes or gives, and that may be absent."""
    if type_ == ABSENT:
        return "None"
    text = "Tensor"
    if isinstance(type_, Several):
        inner: Modes = modes if isinstance(modes, tuple) else "always"
        items = [annotation(t, part_of(inner, k)) for k, t in enumerate(type_.items)]
        text = f"tuple[{', '.join(items)}]"
    return _optional(text, modes)


def _optional(text: str, modes: Modes) -> str:
    return text if isinstance(modes, tuple) or modes == "always" else f"{text} | None"


def _returns(graph: Graph) -> str:
    if graph.form == "mapping":
        modes = [leaf for output in graph.outputs for leaf in leaves(graph.mode(output.edge))]
        return f"dict[str, {_optional('Tensor', both(*modes))}]"
    edge = graph.outputs[0].edge
    node = graph.by_name.get(edge.source)
    if graph.form == "single" and not edge.select and node and isinstance(node.call, Graph):
        inner = "list[Tensor]" if form(node.call) == "parallel" else _returns(node.call)
        return inner if inner.endswith("None") else _optional(inner, node.mode)
    parts = [annotation(graph.value(o.edge), graph.mode(o.edge)) for o in graph.outputs]
    return parts[0] if graph.form == "single" else f"tuple[{', '.join(parts)}]"


def _doc(part: Written, graph: Graph) -> str:
    shapes = _folded(f"{part.shapes}.")
    first = " ".join(graph.doc.split()) if graph.doc and graph.kind != "spec" else sentence(graph)
    return "\n".join([_wrapped(_sentence(first), 4), "", *shapes] if first else shapes)


def _folded(text: str) -> list[str]:
    if len(text) <= WIDTH - 12:
        return [text]
    left, _, right = text.partition(" -> ")
    return [left, f"-> {right}"]


def _wrapped(text: str, indent: int = 0) -> str:
    return "\n".join(wrap(text, WIDTH - indent - 4, break_long_words=False))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def head(graph: Graph, code: str) -> str:
    """The head of the file: what it is, and the imports that the code reads."""
    title = f"{graph.name}: {' '.join(graph.doc.split())}" if graph.doc else graph.name
    file = graph.span.source.name.replace("\\", "/").rsplit("/", 1)[-1] if graph.span else "a spec"
    own = sorted({module for scope in distinct(graph) for module in _modules(scope)})
    others = ", ".join(dict.fromkeys(module.split(".")[0] for module in own))
    needs = f"needs torch and {others}" if own else "needs only torch"
    lines = docstring(
        f"{_wrapped(_sentence(title))}\n\nWritten by graphbuild from {file}; {needs}."
    )
    lines.append("")
    if _reads(code, "functools"):
        lines.append("import functools")
    if _reads(code, "math"):
        lines.append("import math")
    if "OrderedDict(" in code:
        lines.append("from collections import OrderedDict")
    if "fnmatchcase(" in code:
        lines.append("from fnmatch import fnmatchcase")
    if lines[-1]:
        lines.append("")
    if _reads(code, "torch"):
        lines.append("import torch")
    if _reads(code, "F"):
        lines.append("import torch.nn.functional as F")
    if "torchvision.ops" in own:
        lines.append("import torchvision.ops")
        own.remove("torchvision.ops")
    lines.append("from torch import Tensor, nn")
    lines += ["", *(f"import {module}" for module in own)] if own else []
    text = "\n".join(lines) + "\n"
    return text + _DIVISIBLE if "make_divisible(" in code else text


def _reads(code: str, module: str) -> bool:
    return re.search(rf"(?<![\w.\"]){module}\.", code) is not None


def _modules(graph: Graph) -> list[str]:
    """Where the user's own ops come from."""
    sources = [node.call.source for node in graph.nodes if isinstance(node.call, Op)]
    modules = {source.rpartition(".")[0] for source in sources}
    return [m for m in modules if m and m.split(".")[0] not in ("nn", "torch", "F")]
