"""Another spec as a node, as it is written: its params and its cut, with their expressions read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from graphbuild.elaborate.written import Nested, Raw, Ref, Value
from graphbuild.source import Map, Text
from graphbuild.spec import Include

if TYPE_CHECKING:
    from graphbuild.elaborate.template import Templates


def read(templates: Templates, spec: Include) -> Nested | None:
    """None where something in it cannot be read (which is reported)."""
    inner = templates.inside(templates.spec.specs[spec.file])
    args: dict[str, Value] = {
        k: v for k, raw in spec.params.items() if (v := templates.value(raw)) is not None
    }
    form, written = outputs(spec.outputs) if spec.outputs is not None else ("single", [])
    cut = [(name, templates.wire(item)) for name, item in written]
    refs = tuple((name, ref) for name, ref in cut if isinstance(ref, Ref))
    if len(args) < len(spec.params) or len(refs) < len(cut):
        return None
    return Nested(inner, args, refs, form)


def outputs(raw: Raw) -> tuple[Literal["single", "list", "mapping"], list[tuple[str, Raw]]]:
    """The form of what `outputs` says, and its items with their names."""
    if isinstance(raw, Text):
        return "single", [("", raw)]
    if isinstance(raw, Map):
        return "mapping", [(str(key), item) for key, item in raw.items()]
    return "list", [("", item) for item in raw]
