"""What emitting gives: a text and where each of its lines comes from. Nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphbuild.errors import Span
from graphbuild.ir import Graph


@dataclass(frozen=True)
class Generated:
    """Python source of a model that needs only torch.

    Its class `class_name` is constructed without arguments. `lines` tells which place of the spec
    a line of the source stands for (lines count from 1).
    """

    source: str
    class_name: str
    name: str  # the spec's
    lines: Mapping[int, Span] = field(default_factory=dict, compare=False, repr=False)
    graph: Graph | None = field(default=None, compare=False, repr=False)  # what it was written from
