"""Statements, and the scopes that they are written for."""

from __future__ import annotations

import ast
import re
from collections.abc import Container
from dataclasses import dataclass, field

from graphbuild.emit.symbols import SymType
from graphbuild.emit.units import Case
from graphbuild.errors import Span
from graphbuild.ir import Graph

_WORD = re.compile(r"[^\W\d]\w*")


class EmitError(Exception):
    """A graph that cannot be written: our mistake, not the user's."""


class Irregular(EmitError):
    """Several calls cannot be said in one text; each by itself can."""


@dataclass
class Statement:
    """A statement, or with a body the header of one, and the place in the spec it stands for."""

    code: str
    span: Span | None = None
    body: list[Statement] | None = None


def in_order(statements: list[Statement], names: Container[str]) -> list[Statement]:
    """The statements as they stand, but each that names a size in front of what reads it.

    Sizes are named in the order of execution, and modules register in that of the file.
    """
    naming = {name: s for s in statements if (name := s.code.partition(" = ")[0]) in names}
    out: list[Statement] = []
    seen: set[int] = set()

    def write(statement: Statement) -> None:
        if id(statement) in seen:
            return
        seen.add(id(statement))
        for word in _WORD.findall(_text(statement)):
            if word in naming:
                write(naming[word])
        out.append(statement)

    for statement in statements:
        write(statement)
    return out


def _text(statement: Statement) -> str:
    return "\n".join([statement.code, *map(_text, statement.body or ())])


def collapsed(statement: Statement) -> Statement:
    """An `if` around nothing but another one, as one."""
    (inner, *others) = statement.body or [Statement("")]
    if others or not inner.body or not inner.code.startswith("if "):
        return statement
    return Statement(f"{statement.code[:-1]} and {inner.code[3:]}", statement.span, inner.body)


@dataclass
class Scope:
    """A graph while it is written: its instances, and the symbolic sizes of its values so far."""

    cases: list[Case]
    shapes: dict[str, SymType] = field(default_factory=dict)
    lets: dict[str, ast.expr] = field(default_factory=dict)  # of an inline group, written out

    @property
    def graph(self) -> Graph:
        return self.cases[0].graph
