"""What must come of any text: a module that is right, or findings that lie inside of the files."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import typer
from mutate import Broken
from proof import LARGEST, computes, examples, module_is

import graphbuild
from graphbuild import formats, settings
from graphbuild.check import verify
from graphbuild.elaborate import elaborate_with_findings
from graphbuild.emit import emit
from graphbuild.errors import Finding, SpecError, excerpt
from graphbuild.fmt import format_text
from graphbuild.ir import Graph, Tensor, Type
from graphbuild.ir_text import show
from graphbuild.library import Unreadable, text_of
from graphbuild.load import load
from graphbuild.read import read_text
from graphbuild.report import report

SECONDS = 5  # of the processor, for a stage; two are promised, and machines differ
MACS = 10**8  # so much is still run
LAYERS = 1_000  # and so many: torch's load_state_dict takes time with their square
NUMBERS = 10**6  # of one value


class Slow(BaseException):
    """A stage takes too long; no error, so that nothing inside of it takes care of it."""


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Fail where what is inside takes more of the processor than is allowed."""

    def stop(*_: object) -> None:
        raise Slow

    old = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except Slow as error:
        raise AssertionError(f"takes more than {seconds} seconds") from error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


def judge(case: Broken, folder: Path) -> list[str]:
    """The codes that a case ends in; AssertionError, or whatever was raised, where it is wrong."""
    file = folder / "net.yaml"
    with bounded():
        graph, found = outcome(case, file)
        judge_findings(case, found, {p.name: _text(p) for p in folder.iterdir()}, folder)
        judge_layout(_text(file), file)
    assert graph is not None or found or case.given
    if graph is not None:
        with bounded(4 * SECONDS):
            judge_graph(graph)
    return sorted({finding.code for finding in found})


def outcome(case: Broken, file: Path) -> tuple[Graph | None, list[Finding]]:
    """The graph, or None, and all findings."""
    try:
        spec = graphbuild.read(file)
        given = settings.params(case.given, spec)
        return elaborate_with_findings(spec, {**case.params, **given}, case.sizes)
    except typer.BadParameter:  # a param that there is not
        return None, []
    except SpecError as error:
        return None, list(error.findings)


# -- findings ---------------------------------------------------------------------------------


def judge_findings(
    case: Broken, found: list[Finding], files: Mapping[str, str], folder: Path
) -> None:
    """Each lies inside of the file that it names, and every format can tell it."""
    for finding in found:
        assert finding.message.strip()
        assert finding.code in graphbuild.errors.CODES
        assert str(finding)
        spans = [finding.span, *(note.span for note in finding.notes)]
        for span in spans:
            if span is None:
                continue
            name = Path(span.source.name)
            known = name.parent == folder and files.get(name.name)
            if name.parent == folder and span.line:
                assert span.source.text == known, f"the text is not that of {name}"
            inside(span)
        asked = case.params or case.sizes  # what Python gives has no place
        assert finding.span is not None or asked, f"without a place: {finding}"
    told = json.loads(formats.to_json(found))
    assert len(told) == len(found)
    lines = formats.to_github(found).split("\n")
    assert len(lines) == len(found) + 1
    log = json.loads(formats.to_sarif(found))
    regions = list(_regions(log))
    assert all(one["startLine"] >= 1 and one["startColumn"] >= 1 for one in regions)


def inside(span: Any) -> None:
    """A span begins and ends inside of its source, and its excerpt can be shown."""
    if not span.line:
        assert span.source.text == "" or span.column == 0
        return
    lines = span.source.lines or [""]
    place = f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"
    assert 1 <= span.line <= len(lines), f"{place} in a text of {len(lines)} lines"
    assert span.line <= span.end_line <= len(lines), f"{place} in a text of {len(lines)} lines"
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1, f"{place} leaves its line"
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 2, f"{place} leaves its line"
    assert (span.end_line, span.end_column) >= (span.line, span.column), f"{place} ends before"
    if span.source.lines:
        assert "^" in excerpt(span)[1]


def _regions(data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        if "region" in data:
            yield data["region"]
        for item in data.values():
            yield from _regions(item)
    elif isinstance(data, list):
        for item in data:
            yield from _regions(item)


# -- layout -----------------------------------------------------------------------------------


def judge_layout(text: str, file: Path) -> None:
    """`fmt` gives a text that stays as it is, and reads as before, or findings."""
    try:
        made = format_text(text, str(file))
    except SpecError as error:
        for finding in error.findings:
            inside(finding.span)
        return
    if made == text:
        return
    assert format_text(made) == made, "formatting again changes it"
    before, after = shown(text, file), shown(made, file)
    assert before == after, "formatting changes what it says"


def shown(text: str, file: Path) -> str | list[tuple[str, str]]:
    """A spec as the text of its graph, or what is wrong with it."""
    try:
        graph = graphbuild.elaborate(read_text(text, str(file), file))
        return re.sub(r"(?m)^(\S.*) from \d+:\d+", r"\1", show(graph))
    except SpecError as error:
        return sorted((f.code, f.message) for f in error.findings)


# -- a graph ----------------------------------------------------------------------------------


def judge_graph(graph: Graph) -> None:
    """It keeps what it promises, becomes source, is drawn, and computes what it says."""
    verify(graph)
    generated = emit(graph)
    compile(generated.source, "<source>", "exec")
    judge_drawing(graph, ("dot", "mmd"))
    told = report(graph)
    totals = told.totals
    if totals.parameters + totals.buffers > LARGEST or totals.macs > MACS:
        return
    if len(told.rows) > LAYERS:
        return
    if max(_numbers(graph)) > NUMBERS:
        return
    module = load(generated)
    module_is(module, graph)
    computes(module, graph, next(iter(examples(graph))))


def judge_drawing(graph: Graph, forms: Iterable[Any]) -> None:
    for form in forms:
        assert graphbuild.render(graph, format=form).content


def _numbers(graph: Graph) -> Iterable[int]:
    """How many numbers each value has at the first two probes."""
    yield from (n for given in graph.inputs for n in _sizes(given.type))
    for node in graph.nodes:
        yield from _sizes(node.type)
        for arg in node.args.values():  # sizes that a value is made of
            yield arg.value if isinstance(arg.value, int) else 0
        if isinstance(node.call, Graph):
            yield from _numbers(node.call)


def _sizes(type_: Type) -> Iterator[int]:
    if isinstance(type_, Tensor):
        yield from (prod(shape) for shape in type_.shapes[:2] if shape is not None)
    else:
        for item in type_.items:
            yield from _sizes(item)


def _text(path: Path) -> str:
    try:
        return text_of(path)
    except Unreadable:
        return ""
