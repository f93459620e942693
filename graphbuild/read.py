"""From a path, a bundled name or a mapping to a `Spec`, with all specs that it is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from graphbuild.errors import Finding, Note, Source, Span, SpecError, did_you_mean
from graphbuild.library import Unreadable, bundled, locate, text_of
from graphbuild.pause import collection_paused
from graphbuild.source import Text, parse, scalar
from graphbuild.spec import Extension, Spec, parse_spec
from graphbuild.syntax import TURNING
from graphbuild.visible import visible

MAX_FILES = 100  # that one spec is made of
MAX_CHARACTERS = 2_000_000  # of all of them but the first
MAX_WAY = 16  # specs inside of each other


def read(source: str | os.PathLike[str] | Mapping[str, Any]) -> Spec:
    """The spec at a path, of a bundled name, or in a mapping; raises `SpecError`."""
    if isinstance(source, Mapping):
        return read_text(_dump(source), "<mapping>")
    path, text = read_file(source)
    return read_text(text, str(path), path if path.is_file() else None)


def read_file(source: str | os.PathLike[str]) -> tuple[Path, str]:
    """The path of a spec or of a bundled name, and the text there; raises `SpecError`."""
    path = _find(source)
    try:
        return path, text_of(path)
    except Unreadable as error:
        message = f"the file cannot be read: {error}"
        raise SpecError([_unread(os.fspath(source), message, error.hint)]) from None


def read_text(text: str, name: str = "<text>", path: Path | None = None) -> Spec:
    """The spec in a text; `name` is what findings call it.

    With a path, nodes can be other specs in its folder; without one, bundled specs only.
    """
    source = Source(name, text.lstrip("\ufeff"))
    reader = _Reader()
    with collection_paused():
        spec = reader.parse(source, path, (_Step(path and path.resolve(), source, None),))
    if spec is None or reader.findings:
        raise SpecError(with_way(finding, source, reader.ways) for finding in reader.findings)
    spec._ways = reader.ways
    return spec


def with_way(finding: Finding, root: Source, ways: Mapping[Source, tuple[Note, ...]]) -> Finding:
    """A finding about another file, with notes of how that is reached from the root's."""
    if finding.span is None or finding.span.source == root:
        return finding
    if any(note.span is not None and note.span.source == root for note in finding.notes):
        return finding
    way = ways.get(finding.span.source, ())
    return replace(finding, notes=(*finding.notes, *way))


class _Step(NamedTuple):
    """A file on the way to the one that is read, and where it is named."""

    path: Path | None  # without links
    source: Source
    named: Text | None


class _Reader:
    """Reads the specs that a spec is made of, each file once."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.ways: dict[Source, tuple[Note, ...]] = {}
        self.known: dict[Path, Spec | None] = {}
        self.characters = 0

    def parse(self, source: Source, path: Path | None, way: tuple[_Step, ...]) -> Spec | None:
        """The spec in a text, or None where something is wrong with it or a part of it."""
        try:
            read = parse_spec(parse(source), source)
        except SpecError as error:
            self.findings += error.findings
            return None
        folder = path.parent if path is not None else None
        if isinstance(read, Extension):
            return self._extended(read, folder, way)
        names = dict.fromkeys(read._files)
        parts = {str(n): self._at(n, folder, way) for n in islice(names, MAX_FILES)}
        if len(names) > MAX_FILES:
            self._too_many(list(names)[MAX_FILES], f"at most {MAX_FILES} files")
            return None
        read._specs = {name: part for name, part in parts.items() if part is not None}
        return read if len(read._specs) == len(parts) else None

    def _extended(self, by: Extension, folder: Path | None, way: tuple[_Step, ...]) -> Spec | None:
        spec = self._at(by.extends, folder, way)
        if spec is None:
            return None
        for key in by.params:
            if key not in spec.params:
                known = list(spec.params)
                self.findings.append(
                    Finding(
                        "E101",
                        f"{str(spec.name)!r} has no param {str(key)!r}",
                        key.span,
                        suggestion=did_you_mean(key, known) or f"its params are {', '.join(known)}",
                    )
                )
        return spec.extended(by)

    def _at(self, name: Text, folder: Path | None, way: tuple[_Step, ...]) -> Spec | None:
        """The spec that is named in the last file of a way."""
        try:
            path = locate(name, folder)
        except SpecError as error:
            self.findings += error.findings
            return None
        key = path.resolve()
        if any(step.path == key for step in way):
            self._cycle(name, key, way)
            return None
        if key not in self.known:
            self.known[key] = self._read(name, path, key, way)
        return self.known[key]

    def _read(self, name: Text, path: Path, key: Path, way: tuple[_Step, ...]) -> Spec | None:
        limit = None
        if len(self.known) >= MAX_FILES:
            limit = f"at most {MAX_FILES} files"
        elif len(way) > MAX_WAY:
            limit = f"at most {MAX_WAY} inside of each other"
        else:
            try:
                text = text_of(path)
            except Unreadable as error:
                message = f"{str(name)!r} cannot be read: {error}"
                self.findings.append(Finding("E005", message, name.span))
                return None
            self.characters += len(text)
            if self.characters > MAX_CHARACTERS:
                limit = f"at most {MAX_CHARACTERS:,} characters in all files but the first"
        if limit is not None:
            self._too_many(name, limit)
            return None
        source = Source(str(path), text)
        step = _Step(key, source, name)
        notes = (
            Note(f"reached from {s.named}", s.named.span) for s in (step, *way[::-1]) if s.named
        )
        self.ways[source] = tuple(notes)
        return self.parse(source, path, (*way, step))

    def _too_many(self, name: Text, limit: str) -> None:
        message = "the spec is made of too many others"
        self.findings.append(Finding("E004", message, name.span, expected=limit))

    def _cycle(self, name: Text, key: Path, way: tuple[_Step, ...]) -> None:
        """A file that is read already names itself, or one that names it."""
        start = next(i for i, step in enumerate(way) if step.path == key)
        inside = way[start:]
        files = [Path(step.source.name).name for step in inside]
        notes = [
            Note(f"{file} names {step.named}", step.named.span)
            for file, step in zip(files, inside[1:], strict=False)
            if step.named is not None
        ]
        message = f"specs that contain each other: {' -> '.join([*files, files[0]])}"
        self.findings.append(Finding("E006", message, name.span, notes=tuple(notes)))


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


class _Dumper(yaml.SafeDumper):
    """Writes plain data so that reading it gives the same: no anchors, no text read as a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: _Dumper, data: str) -> yaml.ScalarNode:
    # PyYAML writes by YAML 1.1, which would leave 1e-5 and 0o17 bare
    style = None if isinstance(scalar(data), str) else "'"
    style = '"' if TURNING.search(data) else style
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _write_text)


def _dump(data: Mapping[str, Any]) -> str:
    try:
        text = yaml.dump(
            _simple(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6
        )
        return TURNING.sub(lambda mark: visible(mark.group()), text)
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
