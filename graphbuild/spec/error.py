"""The findings about a spec's own text: one function for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphbuild.errors import Finding, Note, Span, closest, did_you_mean
from graphbuild.source import Map, Seq, Text, Value
from graphbuild.spec.kinds import kind

VERSION = 1
# What keys are called in other languages of this kind.
ELSEWHERE = {"layers": "nodes", "modules": "nodes", "network": "nodes", "parameters": "params"}


def unknown(key: Text, what: str, known: Sequence[str]) -> Finding:
    """A key that `what` does not have."""
    near = ELSEWHERE.get(key)
    hint = f"did you mean {near!r}?" if near in known else did_you_mean(key, known)
    hint = hint or f"its keys are {', '.join(known)}"
    if what in ("a spec", "a block") and key in ("tie", "share", "repeat", "op", "from"):
        hint = f"{str(key)!r} stands in a node"
    return Finding("E101", f"unknown key {str(key)!r} of {what}", key.span, suggestion=hint)


def unknown_dimension(key: Text, known: Iterable[str]) -> Finding:
    message = f"no input has a dimension {str(key)!r}"
    return Finding("E101", message, key.span, suggestion=did_you_mean(key, known))


def misplaced(key: Text, message: str, suggestion: str | None = None) -> Finding:
    """A key that is known, but has no place here."""
    return Finding("E101", message, key.span, suggestion=suggestion)


def misfit(message: str, value: Value, expected: str, code: str = "E103") -> Finding:
    """A value that is not what is `expected`."""
    return Finding(code, message, value.span, expected=expected, found=kind(value))


def unusable(key: Text, reason: str) -> Finding:
    """A name that cannot be one."""
    return Finding("E104", f"{str(key)!r} is not a usable name: {reason}", key.span)


def twice(key: Text, first: Text | None) -> Finding:
    """A name that is taken; by the scope's undeclared input where it has no first place."""
    if first is None:
        return Finding("E106", f"{str(key)!r} is the name of the scope's own input", key.span)
    notes = (Note("it is defined here already", first.span),)
    return Finding("E106", f"the name {str(key)!r} is defined twice", key.span, notes=notes)


class Places:
    """Makes findings of pydantic's errors; finds their places along their path in the data."""

    def __init__(self, data: Value) -> None:
        self.data = data
        self.keys: dict[int, dict[str, Text | None]] = {}

    def finding(self, error: Any) -> Finding:
        path = tuple(step for step in error["loc"] if step not in ("group", "routing", "include"))
        context = error.get("ctx", {})
        if error["type"] == "missing":
            who, span = self._find(path[:-1])
            hint = f"begin with graphbuild: {VERSION}" if path[-1] == "graphbuild" else None
            return Finding("E102", f"missing key {path[-1]!r} in {who}", span, suggestion=hint)
        who, span = self._find(path)
        if error["type"] == "no_op":
            hint = "op: names its layer, function or block, or nodes: makes it a group"
            data = context.get("data")
            key = next(iter(data), None) if isinstance(data, Map) and len(data) == 1 else None
            inner = data[key] if key is not None else None
            listed = who.startswith("item ")
            if listed and (isinstance(inner, Text) or (isinstance(inner, Map) and "op" in inner)):
                named = f"'{str(key)[:40]}:'"
                hint = (
                    f"nodes in a list have no names: leave out {named}, or the dashes of the list"
                )
            elif isinstance(inner, Map):
                hint = f"write {{op: {str(key)[:40]}, ...}} with the arguments beside it"
            elif isinstance(data, Map) and "type" in data:
                hint = "did you mean op in place of type?"
            return Finding("E102", f"{who} has no op", span, suggestion=hint)
        if error["type"] == "no_cases":
            hint = "cases: is a list or a mapping of what there is to choose from"
            return Finding("E102", f"{who} has no cases", span, suggestion=hint)
        value = context.get("value")
        if value is not None and (not isinstance(value, Text) or value):
            span = value.span
        return Finding(
            "E103",
            f"{who} has a value of the wrong kind",
            span,
            expected=context.get("expected", error["msg"]),
            found=context.get("found"),
            suggestion=context.get("hint"),
        )

    def _find(self, path: tuple[str | int, ...]) -> tuple[str, Span]:
        """What stands at the end of a path, in words, and its key's place."""
        here, who, span = self.data, "the spec", _first(self.data)
        for step in path:
            if isinstance(here, Map):
                if id(here) not in self.keys:
                    self.keys[id(here)] = {str(key): key for key in here}
                keys = self.keys[id(here)]
                if step not in keys:  # a misspelt key was read as the one that it resembles
                    keys[str(step)] = keys.get(closest(str(step), keys) or "")
                key = keys[str(step)]
                if key is not None:
                    here, who, span = here[key], repr(str(key)), key.span
            elif isinstance(here, Seq) and int(step) < len(here):
                here, who = here[int(step)], f"item {int(step)} (counted from 0) of {who}"
                span = _first(here)
        return who, span


def _first(value: Value) -> Span:
    """The first key of a mapping, so that a finding about all of it marks one word."""
    return next(iter(value)).span if isinstance(value, Map) and value else value.span
