"""What a node that is applied again and again may not say, known before any value is."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuild.elaborate.written import NodeTemplate
from graphbuild.errors import Span

Misuse = tuple[str, str, Span, str]  # code, message, place, suggestion


def misuse(made: NodeTemplate) -> Iterator[Misuse]:
    """Wrong uses of `share: true`, and of `share` beside `repeat`."""
    spec = made.spec
    named = "$" in made.key
    cases = made.group.nodes if spec.routing is not None and made.group is not None else []
    for case in cases:
        if case.again or case.share is not None:
            hint = (
                "put it into a group: {nodes: [...]}" if case.share is None else "tie its weights"
            )
            yield "E101", "a case has a module of its own, and is called once", case.span, hint
    if not made.again or made.broken:
        return
    why = "all turns are one module"
    if spec.repeat is None or made.repeat is None:
        hint = "add repeat, or name the node whose module is called again"
        yield "E102", "`share: true` says how a `repeat` turns, and there is none", made.span, hint
    elif named:
        yield "E104", f"{why}, so its name cannot change", made.key.span, "write a plain name"
    elif made.repeat.count is None:
        yield "E103", f"{why}: `repeat` takes a count", made.repeat.span, "write repeat: N"
    elif "i" in made.reads:
        yield "E123", f"'i' has no value where {why}", made.span, "leave `share: true` out"
