"""Errors raised while a compiled module is built or runs, told in the words of its spec.

The error stays what it is; a note is added to it, which names the node and its place in the spec,
the line of the source, and the tensors that went in. Nothing is looked at while nothing fails.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from graphbuild.emit.generated import Generated
from graphbuild.errors import Span, excerpt
from graphbuild.ir import Graph, Node

_texts: dict[str, Generated | None] = {}  # by file name; None where a pickle brought the text


def watch(module: ModuleType, file: str) -> None:
    """Make the errors of the classes of an emitted text say where they come from."""
    _texts[file] = None
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            # Not a def in a common base: the text stays free of graphbuild. Each class has code of
            # its own, since torch.compile gives up at the eighth class that enters by the same.
            own = FunctionType(_call.__code__.replace(), globals(), "__call__")
            setattr(value, "__call__", own)  # noqa: B010


def know(file: str, generated: Generated) -> None:
    """The spec behind a text; without it, errors tell of the module and the source alone."""
    _texts[file] = generated


def _call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    try:
        return nn.Module.__call__(self, *args, **kwargs)
    except Exception as error:
        if not torch.compiler.is_compiling() and not _inside_another(sys._getframe(1)):
            explain(error, self)
        raise


def _inside_another(frame: FrameType | None) -> bool:
    """Whether this is a part of the call of another emitted module, which knows more of the path."""
    while frame is not None and frame.f_code != _call.__code__:
        frame = frame.f_back
    return frame is not None


@dataclass(frozen=True)
class _Step:
    """A frame of a traceback."""

    frame: FrameType
    line: int

    @property
    def file(self) -> str:
        return self.frame.f_code.co_filename

    @property
    def text(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    @property
    def span(self) -> Span | None:
        generated = _texts.get(self.file)
        return generated.lines.get(self.line) if generated is not None else None


def explain(error: Exception, root: nn.Module | None = None) -> None:
    """Add a note to an error that `root` raised when called, or else one of constructing it."""
    steps = list(_steps(error.__traceback__))
    own = [step for step in steps if step.file in _texts]
    if not own:
        return
    last = own[-1]
    if root is None:
        kind = type(last.frame.f_locals.get("self")).__name__
        _add(error, _note(f"raised while {kind} is built", last.span, last, {}))
        return
    paths = {id(module): path for path, module in root.named_modules()}
    inside = [step for step in steps if _is_forward(step, paths)]
    inner = inside[-1] if inside else last
    module = inner.frame.f_locals.get("self")
    path = paths.get(id(module), "")
    node, scope = _find(root, path, last)
    if inner.frame is last.frame:  # the line computes a function of its own
        function = _computed(scope, last.span)
        path = ".".join(filter(None, [path, function]))
        _add(error, _note(f"raised in {path or 'the model'}", last.span, last, _read(last)))
    else:
        span = node.span if node is not None and node.span is not None else last.span
        told = f"raised in {path} ({type(module).__name__})"
        _add(error, _note(told, span, last, _given(inner.frame)))


def _steps(traceback: TracebackType | None) -> Iterator[_Step]:
    while traceback is not None:
        yield _Step(traceback.tb_frame, traceback.tb_lineno)
        traceback = traceback.tb_next


def _is_forward(step: _Step, paths: dict[int, str]) -> bool:
    frame = step.frame
    return frame.f_code.co_name == "forward" and id(frame.f_locals.get("self")) in paths


def _find(root: nn.Module, path: str, last: _Step) -> tuple[Node | None, Graph | None]:
    """The node at a path, and the scope that it calls: paths of modules are those of the spec."""
    generated = _texts.get(last.file)
    if generated is None or generated.class_name != type(root).__name__:
        return None, None  # a block that is called by itself: its path does not begin at the root
    node, scope = None, generated.graph
    for name in filter(None, path.split(".")):
        node = scope.by_name.get(name) if scope is not None else None
        scope = node.call if node is not None and isinstance(node.call, Graph) else None
    return node, scope


def _computed(scope: Graph | None, span: Span | None) -> str:
    """The name of the one node of a scope that is written at a place."""
    found = [node.name for node in scope.nodes if node.span == span] if scope is not None else []
    return found[0] if len(found) == 1 else ""


def _given(frame: FrameType) -> dict[str, object]:
    """What a function was called with."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04)
    return {name: frame.f_locals.get(name) for name in code.co_varnames[:count]}


def _read(step: _Step) -> dict[str, object]:
    """The local variables that a line reads."""
    try:
        found = {node.id for node in ast.walk(ast.parse(step.text)) if isinstance(node, ast.Name)}
    except SyntaxError:  # a part of a statement that takes several lines
        found = {word for word in step.frame.f_locals if word in step.text}
    return {name: value for name, value in step.frame.f_locals.items() if name in found}


def _note(told: str, span: Span | None, step: _Step, values: dict[str, object]) -> str:
    lines = [f"{span}: {told}", *excerpt(span)] if span is not None else [told]
    lines.append(f"  line {step.line} of the source: {step.text}")
    for name, value in values.items():
        items = value if isinstance(value, list | tuple) else [value]
        shown = [_shape(item) for item in items[:8] if isinstance(item, Tensor)]
        if shown:
            lines.append(f"  {name} is {'; '.join(shown)}")
    return "\n".join(lines)


def _shape(tensor: Tensor) -> str:
    sizes = "×".join(map(str, tensor.shape)) or "a scalar"
    return f"{sizes}, {str(tensor.dtype).removeprefix('torch.')}, on {tensor.device}"


def _add(error: Exception, note: str) -> None:
    if hasattr(error, "add_note"):
        error.add_note(note)
    elif error.args and isinstance(error.args[0], str):  # Python 3.10
        error.args = (f"{error.args[0]}\n{note}", *error.args[1:])
