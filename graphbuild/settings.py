"""What options of the command line stand for: values of a spec, sizes, modules with ops."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from typer import BadParameter

from graphbuild.errors import Finding, Source, Span, SpecError, did_you_mean

if TYPE_CHECKING:
    from graphbuild.spec import Spec

MAX_SHOWN = 80  # characters of an option


def params(given: list[str] | None, spec: Spec, option: str = "--set") -> dict[str, object]:
    """The values of `--set NAME=VALUE`, read as YAML."""
    from graphbuild.source import parse, plain, text

    out: dict[str, object] = {}
    for item in given or ():
        name, value = _split(option, item, [str(name) for name in spec.params], spec)
        # blanks stand for the name, so that findings point into what was typed
        blank = " " * (len(item) - len(value))
        try:
            read = parse(Source(option, blank + value))
            key = text(name, read)  # knows its place, for a finding about the value
            key.source = Source(option, item)
            out[key] = plain(read)
        except SpecError as error:
            typed = Source(option, item)
            raise SpecError(_moved(finding, typed) for finding in error.findings) from None
    return out


def _moved(finding: Finding, source: Source) -> Finding:
    span = finding.span
    if span is None:
        return finding
    place = (span.line, span.column, span.end_line, span.end_column)
    return replace(finding, span=Span(source, *place))


def sizes(given: list[str] | None, spec: Spec) -> dict[str, int]:
    """The values of `--size NAME=SIZE`."""
    out: dict[str, int] = {}
    for item in given or ():
        name, value = _split("--size", item, _free(spec), spec)
        if not re.fullmatch("[0-9]{1,9}", value) or int(value) == 0:
            raise BadParameter(f"{_typed(item)} has no size", param_hint="--size")
        out[name] = int(value)
    return out


def plugins(given: list[str] | None) -> list[str] | None:
    """Import the modules of `--plugin MODULE`, which register ops; those where you stand, too."""
    here = str(Path.cwd())
    for name in given or ():
        if here not in sys.path:
            sys.path.insert(0, here)
        try:
            import_module(name)
        except Exception as error:  # whatever the module's own code raises
            told = f"{name!r} cannot be imported: {type(error).__name__}: {error}"
            raise BadParameter(told, param_hint="--plugin") from error
    return given


def _split(option: str, item: str, known: list[str], spec: Spec) -> tuple[str, str]:
    """NAME=VALUE as both, where the name is known."""
    name, equals, value = item.partition("=")
    if not equals:
        raise BadParameter(f"{_typed(item)} is not NAME=VALUE", param_hint=option)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
        what = "free dimension" if option == "--size" else "param"
        message = f"{str(spec.name)!r} has no {what} {_typed(name)}; {hint}"
        raise BadParameter(message, param_hint=option)
    return name, value


def _typed(text: str) -> str:
    """What was typed, as far as it helps to see it."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def _free(spec: Spec) -> list[str]:
    """The free dimensions that the inputs name."""
    from graphbuild.spec import DIMENSION

    sizes = [str(size) for given in spec.inputs.values() for size in given.shape]
    return list(dict.fromkeys(found[1] for size in sizes if (found := DIMENSION.fullmatch(size))))
