"""Findings for machines: JSON, annotations on GitHub, and SARIF for code scanning.

Lines and columns count from 1, an end column is exclusive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from graphbuild import __version__
from graphbuild.errors import CODES, Finding, Note, Span
from graphbuild.visible import visible

# https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def to_json(found: Iterable[Finding], strict: bool = False) -> str:
    """A list of objects; with `strict`, warnings are errors."""
    return _dump([_object(finding, strict) for finding in found])


def _dump(data: object) -> str:
    return "".join(map(_escaped, json.dumps(data, indent=2, ensure_ascii=False))) + "\n"


def _escaped(char: str) -> str:
    """What cannot be seen as JSON writes it, so that printing the text is safe."""
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]


def _object(finding: Finding, strict: bool) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": _severity(finding, strict),
        "message": finding.message,
        **_place(finding.span),
        "expected": finding.expected,
        "found": finding.found,
        "suggestion": finding.suggestion,
        "notes": [{"message": note.message, **_place(note.span)} for note in finding.notes],
    }


def _place(span: Span | None) -> dict[str, Any]:
    return {
        "file": span.source.name if span else None,
        "line": span.line if span and span.line else None,
        "column": span.column if span and span.line else None,
        "end_line": span.end_line if span and span.line else None,
        "end_column": span.end_column if span and span.line else None,
    }


def _severity(finding: Finding, strict: bool) -> str:
    return "error" if finding.is_error or strict else "warning"


def details(finding: Finding) -> str:
    """What a finding says besides its place, in lines."""
    lines = [finding.message]
    if finding.expected is not None:
        lines.append(f"expected {finding.expected}")
    if finding.found is not None:
        lines.append(f"found {finding.found}")
    lines += [
        f"{note.message} ({note.span})" if note.span else note.message for note in finding.notes
    ]
    if finding.suggestion is not None:
        lines.append(finding.suggestion)
    return "\n".join(lines)


def to_github(found: Iterable[Finding], strict: bool = False) -> str:
    """Workflow commands, one a line, which GitHub shows beside the lines of a pull request.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return "".join(f"{_annotation(finding, strict)}\n" for finding in found)


def _annotation(finding: Finding, strict: bool) -> str:
    properties = {"title": f"{finding.code} {CODES.get(finding.code, '')}".strip()}
    span = finding.span
    if span is not None:
        properties["file"] = span.source.name
    if span is not None and span.line:
        properties |= {"line": str(span.line), "endLine": str(span.end_line)}
        if span.end_line == span.line:
            properties |= {"col": str(span.column), "endColumn": str(span.end_column - 1)}
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_severity(finding, strict)} {given}::{_data(details(finding))}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_sarif(found: Sequence[Finding], strict: bool = False) -> str:
    """A log of one run in SARIF 2.1.0."""
    codes = sorted({finding.code for finding in found})
    rules = [{"id": code, "shortDescription": {"text": CODES.get(code, code)}} for code in codes]
    driver = {"name": "graphbuild", "version": __version__, "rules": rules}
    results = [_result(finding, codes, strict) for finding in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return _dump(log)


def _result(finding: Finding, codes: list[str], strict: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _severity(finding, strict),
        "message": {"text": details(finding)},
    }
    if finding.span is not None:
        result["locations"] = [_location(finding.span)]
    related = [_related(note, note.span) for note in finding.notes if note.span is not None]
    if related:
        result["relatedLocations"] = related
    return result


def _location(span: Span) -> dict[str, Any]:
    path = PurePath(span.source.name)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if span.line:
        physical["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return {"physicalLocation": physical}


def _related(note: Note, span: Span) -> dict[str, Any]:
    return {**_location(span), "message": {"text": note.message}}
