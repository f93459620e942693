"""Statements, and the scopes that they are written for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from graphbuild.emit.symbols import SymType
from graphbuild.emit.units import Case
from graphbuild.errors import Span
from graphbuild.ir import Graph


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
