"""What a scope falls into when it is drawn: single calls, chains that read as one, repetitions.

Only the scope itself counts here, not where it stands, so equal calls of a block are looked at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op
from graphbuild.render.kinds import kind
from graphbuild.render.marks import mark

# A main layer with what belongs to it; read from the first, the longest that fits.
_MAIN = ("conv", "linear")
_CHAINS = (
    (("norm",), ("activation",), _MAIN),
    (_MAIN, ("norm",), ("activation",), ("dropout",)),
    (_MAIN, ("norm",), ("activation",)),
    (_MAIN, ("activation",), ("dropout",)),
    (_MAIN, ("norm",)),
    (_MAIN, ("activation",)),
    (_MAIN, ("dropout",)),
    (("norm",), ("activation",)),
)

Form = Literal["call", "chain", "repeat", "run", "stretch", "router", "join"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some nodes of a scope that are drawn together.

    call: one node. chain: ops in a row that read as one. repeat: all turns of a repetition. run:
    turns of one that are equal in all, each fed by the one before; the first stands for all.
    stretch: whatever stands in a row in a scope too long to be drawn. The last two hold no node:
    they are where a routed scope chooses among its cases, and where these meet again.
    """

    form: Form
    nodes: tuple[Node, ...]
    turns: int = 1  # of a repeat and of a run
    parts: tuple[Part, ...] = ()  # that a stretch takes together

    @property
    def first(self) -> Node:
        return self.nodes[0]


def present(node: Node) -> bool:
    """Whether a node is there at all: its `if` holds, and its `when` in one mode at least."""
    return node.call is not None and node.mode != "never"


def parts(graph: Graph, *, chains: bool = True) -> tuple[Part, ...]:
    """The parts of a scope, in the order of its file."""
    nodes = [node for node in graph.nodes if present(node)]
    if graph.routing is not None:  # each case is shown by itself
        return tuple(Part("call", (node,)) for node in nodes)
    uses = Counter(edge.source for node in nodes for edge in node.operands)
    uses.update(output.edge.source for output in graph.outputs)
    kinds = [kind(node.call) if isinstance(node.call, Op) else "" for node in nodes]
    out: list[Part] = []
    at = 0
    while at < len(nodes):
        end = _repetition(nodes, at)
        turns = len({_turn(node) for node in nodes[at:end]})
        if turns > 1:
            out.append(Part("repeat", tuple(nodes[at:end]), turns))
        else:
            end = at + (_chain(nodes, kinds, at, uses) if chains else 1)
            out.append(Part("chain" if end > at + 1 else "call", tuple(nodes[at:end])))
        at = end
    return tuple(out)


def _turn(node: Node) -> int:
    return node.loop.index if node.loop is not None else 0


def _repetition(nodes: list[Node], at: int) -> int:
    """Where the repetition ends that begins here."""
    loop = nodes[at].loop
    end = at + 1
    while loop is not None and end < len(nodes):
        other, before = nodes[end].loop, nodes[end - 1].loop
        if other is None or before is None or other.key != loop.key or other.index < before.index:
            break
        end += 1
    return end


def _chain(nodes: list[Node], kinds: list[str], at: int, uses: Counter[str]) -> int:
    """How many ops from here on read as one."""
    for pattern in _CHAINS:
        end = at + len(pattern)
        fits = all(one in group for one, group in zip(kinds[at:end], pattern, strict=False))
        if fits and end <= len(nodes) and _joined(nodes[at:end], uses):
            return len(pattern)
    return 1


def _joined(found: list[Node], uses: Counter[str]) -> bool:
    """Whether each is all that becomes of the one before it."""
    if any(n.shared or n.times is not None or n.mode != found[0].mode for n in found):
        return False
    marks = {mark(node) for node in found}
    if len(marks) > 1 and marks != {"", "changed"}:
        return False
    return all(
        len(after.operands) == 1
        and after.operands[0].source == before.name
        and not after.operands[0].select
        and uses[before.name] == 1
        for before, after in pairwise(found)
    )


def turns(part: Part) -> Iterator[tuple[Node, ...]]:
    """The nodes of each turn of a repetition."""
    found: list[Node] = []
    for node in part.nodes:
        if found and _turn(node) != _turn(found[-1]):
            yield tuple(found)
            found = []
        found.append(node)
    yield tuple(found)


def runs(part: Part) -> tuple[Part, ...]:
    """A repetition as turns, those that are equal and in a row together."""
    out: list[list[tuple[Node, ...]]] = []
    for turn in turns(part):
        if out and _same(out[-1][-1], turn):
            out[-1].append(turn)
        else:
            out.append([turn])
    found: list[Part] = []
    for group in out:
        nodes = tuple(node for turn in group for node in turn)
        if len(group) > 1:
            found.append(Part("run", nodes, len(group)))
        else:
            found += [Part("call", (node,)) for node in nodes]
    return tuple(found)


def _same(before: tuple[Node, ...], turn: tuple[Node, ...]) -> bool:
    """Whether a turn does to what the turn before it gave the same as that one did."""
    if len(before) > 1 or len(turn) > 1:
        return False
    one, other = before[0], turn[0]
    fed = len(other.operands) == 1 and other.operands[0].source == one.name
    alike = one.call is other.call and dict(one.args) == dict(other.args)
    plain = not (one.shared or other.shared) and one.mode == other.mode
    plain = plain and mark(one) == mark(other)
    return fed and alike and plain and one.times == other.times and one.type == other.type


def stretches(graph: Graph, found: tuple[Part, ...], limit: int) -> tuple[Part, ...]:
    """At most so many parts: in the order of execution, as many in a row as it takes together."""
    if len(found) <= limit:
        return found
    place = {graph.nodes[position].name: at for at, position in enumerate(graph.order)}
    ordered = sorted(found, key=lambda part: place[part.nodes[-1].name])
    out = []
    for index in range(limit):
        low, high = (len(ordered) * (index + step) // limit for step in (0, 1))
        nodes = tuple(node for part in ordered[low:high] for node in part.nodes)
        whole = Part("stretch", nodes, parts=tuple(ordered[low:high]))
        out.append(ordered[low] if high - low == 1 else whole)
    return tuple(out)
