"""From a path, a bundled name or a mapping to a `Spec`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from graphbuild.errors import Finding, Source, Span, SpecError, did_you_mean
from graphbuild.source import MAX_SIZE, parse, scalar
from graphbuild.spec import Spec, parse_spec

_ENOUGH = 4 * (MAX_SIZE + 1)  # bytes: a character has at most four


def bundled() -> dict[str, Path]:
    """The specs that come with graphbuild, by name.

    They lie inside an installed package, and beside the package in a source checkout.
    """
    package = Path(__file__).parent
    for folder in (package / "specs", package.parent / "specs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def read(source: str | os.PathLike[str] | Mapping[str, Any]) -> Spec:
    """The spec at a path, of a bundled name, or in a mapping; raises `SpecError`."""
    if isinstance(source, Mapping):
        return read_text(_dump(source), "<mapping>")
    path = _find(source)
    return read_text(_load(path, os.fspath(source)), str(path))


def read_text(text: str, name: str = "<text>") -> Spec:
    """The spec in a text; `name` is what findings call it."""
    source = Source(name, text.removeprefix("\ufeff"))
    return parse_spec(parse(source), source)


def _find(source: str | os.PathLike[str]) -> Path:
    path, name = Path(source), os.fspath(source)
    is_path = path.suffix or {"/", os.sep} & set(name) or path.is_file()
    if is_path or not isinstance(source, str):
        return path
    known = bundled()
    if name in known:
        return known[name]
    if name and path.exists():  # a folder
        return path
    hint = did_you_mean(name, known) or f"bundled are {', '.join(known)}"
    raise SpecError([_unread(name, f"no file and no bundled spec is called {name!r}", hint)])


def _unread(name: str, message: str, hint: str | None = None) -> Finding:
    """A finding about a file as a whole."""
    return Finding("E001", message, Span(Source(name, ""), 0, 0, 0, 0), suggestion=hint)


def _load(path: Path, name: str) -> str:
    hint = None
    try:
        with path.open("rb") as file:
            content = file.read(_ENOUGH + 1)
        # of a file that is too large in any case, the last character may be cut
        return content.decode("utf-8-sig", "ignore" if len(content) > _ENOUGH else "strict")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        reason = f"it is not UTF-8 text (byte {error.start + 1}, line {line})"
    except FileNotFoundError:
        reason, hint = "no such file", did_you_mean(path.stem, bundled())
        if path.stem in bundled():
            hint = f"a bundled spec is called by its name alone: {path.stem}"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    except ValueError as error:  # a NUL in the path
        reason = str(error)
    raise SpecError([_unread(name, f"the file cannot be read: {reason}", hint)])


class _Dumper(yaml.SafeDumper):
    """Writes plain data so that reading it gives the same: no anchors, no text read as a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: _Dumper, data: str) -> yaml.ScalarNode:
    # PyYAML writes by YAML 1.1, which would leave 1e-5 and 0o17 bare
    style = None if isinstance(scalar(data), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _write_text)


def _dump(data: Mapping[str, Any]) -> str:
    try:
        return yaml.dump(
            _simple(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6
        )
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise SpecError([Finding("E001", f"the mapping is not plain data: {reason}")]) from None


def _simple(value: Any) -> Any:
    """The data made of dict, list and the scalars of YAML; TypeError where it is not."""
    if isinstance(value, Mapping):
        return {_simple(key): _simple(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simple(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)  # without what a subclass adds
    raise TypeError(f"{type(value).__name__} has no YAML form")
