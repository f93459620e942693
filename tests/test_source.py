"""YAML text to located data: values, places, and what is said of text that is not YAML."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graphbuild import source
from graphbuild.errors import Finding, Source, SpecError
from graphbuild.read import read_text
from graphbuild.source import Map, Seq, Text, parse, plain, walk

# What YAML takes without escapes, so that the dumped text holds it as it is.
CHARACTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cn", "Co"),
    exclude_characters="\x85",
)
TEXT = st.text(CHARACTERS, max_size=12).filter(lambda s: isinstance(source.scalar(s), str))
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    TEXT,
)
DATA = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def read(text: str) -> Any:
    return parse(Source("t", text))


def told(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of every finding."""
    with pytest.raises(SpecError) as caught:
        read(text)
    return [(f.code, f.span.line, f.span.column) for f in caught.value.findings if f.span]


def said(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        read(text)
    return str(caught.value)


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(t, None) for t in ("null", "Null", "NULL", "~", "")],
        *[(t, True) for t in ("true", "True", "TRUE")],
        *[(t, False) for t in ("false", "False", "FALSE")],
        *[(t, t) for t in ("on", "off", "yes", "no", "y", "N", "nULL", "tRue", "+", ".")],
        *[(t, t) for t in ("1_000", "0b11", "190:20:30", "2001-12-14", "1e", "e5", "0o8", "0xg")],
        *[(t, t) for t in ("-0o7", "+0x1", "1.2.3", ".e5", "--1", "inf", "nan", ".Nan", "<<", "=")],
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("0777", 777),
        ("0o17", 15),
        ("0xfF", 255),
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e+3", -1500.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.Inf", math.inf),
        ("9" * 300, int("9" * 300)),
        ("9" * 301, "9" * 301),
        ("$x", "$x"),
        ("$(a + 1)", "$(a + 1)"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = read(f"a: {text}")["a"]
    assert found == text
    assert found.plain
    assert found.value == value
    assert type(found.value) is type(value)


def test_nan_and_quotes() -> None:
    assert math.isnan(read("a: .nan")["a"].value)
    for text in ("'12'", '"12"'):
        found = read(f"a: {text}")["a"]
        assert (found, found.plain, found.value) == ("12", False, "12")
    assert read("a: |\n  1\n")["a"].value == "1\n"


@given(DATA)
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("flow", [False, True])
def test_what_is_dumped_is_read(flow: bool, data: object) -> None:
    text = yaml.safe_dump(
        {"root": data}, allow_unicode=True, default_flow_style=flow, sort_keys=False
    )
    assert plain(read(text)) == {"root": data}


def test_data_is_plain_data_too() -> None:
    data = read("a: [1, {b: x}]\nc:\n")
    assert isinstance(data, Map)
    assert isinstance(data["a"], Seq)
    assert data == {"a": ["1", {"b": "x"}], "c": ""}
    assert [str(t) for t in walk(data)] == ["a", "1", "b", "x", "c", ""]
    assert all(isinstance(t, Text) for t in walk(data))
    copy = pickle.loads(pickle.dumps(data))
    assert copy == data
    assert copy["a"].span == data["a"].span


def test_nothing() -> None:
    for text in ("", "\n\n", "# only a comment\n", "---\n"):
        found = read(text)
        assert isinstance(found, Text)
        assert found.value is None


@pytest.mark.parametrize("text", ["---\na: 1\n", "%YAML 1.2\n---\na: 1\n...\n", "\ufeffa: 1"])
def test_markers_of_a_single_document(text: str) -> None:
    assert plain(read(text)) == {"a": 1}


# -- places -------------------------------------------------------------------------------------


def cut(text: str, span: Any) -> str:
    lines = text.splitlines()
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    parts = [lines[span.line - 1][span.column - 1 :], *lines[span.line : span.end_line - 1]]
    if span.end_line <= len(lines):
        parts.append(lines[span.end_line - 1][: span.end_column - 1])
    return "\n".join(parts)


@given(DATA, st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("flow", [False, True])
def test_spans_point_at_their_text(flow: bool, data: object, end: str) -> None:
    text = yaml.safe_dump(
        {"root": data}, allow_unicode=True, default_flow_style=flow, width=10**6, line_break=end
    )
    found = read(text)
    for scalar in walk(found):
        written = cut(text, scalar.span)
        if scalar.plain:
            assert written == scalar
        elif written[:1] in ("'", '"'):
            assert written[0] == written[-1]
            assert yaml.safe_load(written) == scalar or "\n" in scalar


def test_places_by_hand() -> None:
    text = "é😀: b # c\nlist:\n  - {x: [1, 2], y: }\n  - 'q'\n\nlong: |\n  one\n  two\nend:\n"
    data = read(text)
    where = {str(key): (key.span.line, key.span.column) for key in data}
    assert where == {"é😀": (1, 1), "list": (2, 1), "long": (6, 1), "end": (9, 1)}
    assert cut(text, data.span).startswith("é😀")
    assert cut(text, data["list"].span) == "- {x: [1, 2], y: }\n  - 'q'"
    assert cut(text, data["list"][0].span) == "{x: [1, 2], y: }"
    assert cut(text, data["list"][0]["x"].span) == "[1, 2]"
    assert cut(text, data["list"][0]["y"].span) == ""
    assert cut(text, data["list"][1].span) == "'q'"
    assert str(data["end"].span) == "t:9:5"
    assert str(read("? a\n")["a"].span) == "t:1:4"


def test_the_pure_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, 'x', {b: y}]\nc:\n  - d: |\n      text\n  - $(x + 1)\n"
    fast = [(str(t), t.plain, t.span) for t in walk(read(text))]
    monkeypatch.setattr(source, "LOADER", yaml.SafeLoader)
    slow = read(text)
    assert [(str(t), t.plain, t.span) for t in walk(slow)] == fast
    assert told("a: 1\na: 2\n") == [("E003", 2, 1)]
    assert told("a: [1, 2\n")[0][0] == "E002"


# -- what is wrong ------------------------------------------------------------------------------

BROKEN = [
    # keys that stand twice
    ("a: 1\na: 2\n", [("E003", 2, 1)]),
    ("x: {a: 1, 'a': 2, b: 3, b: 4}\nx: 1\n", [("E003", 1, 11), ("E003", 1, 25), ("E003", 2, 1)]),
    ("a: 1\na: 2\nb: [\n", [("E003", 2, 1), ("E002", 3, 5)]),
    # tabs
    ("a:\n\tb: 1\n", [("E002", 2, 1)]),
    ("a:\n  b:\n  \tc: 1\n", [("E002", 3, 3)]),
    ("a: \t@\n", [("E002", 1, 5)]),
    # colons
    ("a:b\nc: 1\n", [("E002", 1, 1)]),
    ("a: 1\nb:2\nc: 3\n", [("E002", 2, 1)]),
    ("a: 1\nb\nc: 3\n", [("E002", 2, 1)]),
    ("x: {op:Conv2d, a: 1}\n", [("E002", 1, 5)]),
    ("op: $x: y\n", [("E002", 1, 7)]),
    ("doc: net: a\n", [("E002", 1, 9)]),
    ("x: {b: c: d}\n", [("E002", 1, 9)]),
    # indentation
    ("a: 1\n  b: 2\n", [("E002", 2, 3)]),
    ("a:\n  b: 1\n c: 2\n", [("E002", 3, 2)]),
    ("a:\n  - b\n - c\n", [("E002", 3, 2)]),
    ("- a\nb: 1\n", [("E002", 2, 1)]),
    ("a: - b\n", [("E002", 1, 4)]),
    # brackets
    ("a: [1, 2\nb: 3\n", [("E002", 1, 4)]),
    ("a: {b: 1\n", [("E002", 1, 4)]),
    ("a: {b: 1}}\n", [("E002", 1, 10)]),
    ("a: [1, 2}\n", [("E002", 1, 9)]),
    ("a: [1, , 2]\n", [("E002", 1, 8)]),
    ("a: {b: $x[0]}\n", [("E002", 1, 10)]),
    # quotes
    ("a: 'x\n", [("E002", 1, 4)]),
    ("a: 'it's'\n", [("E002", 1, 8)]),
    ('a: "\\q"\n', [("E002", 1, 5)]),
    ('a: "\\ud800"\n', [("E002", 1, 7)]),
    # first characters
    ("match: *.bias\n", [("E002", 1, 8)]),
    ("match: *\n", [("E002", 1, 8)]),
    ("a: @x\n", [("E002", 1, 4)]),
    ("a: `x`\n", [("E002", 1, 4)]),
    ("a: %x\n", [("E002", 1, 4)]),
    ("a: &\n", [("E002", 1, 4)]),
    # parts of YAML that specs do not have
    ("a: &x 1\nb: *x\nc: !t 2\n", [("E002", 1, 4), ("E002", 2, 4), ("E002", 3, 4)]),
    ("a: &x {b: 1}\nc: {<<: *x}\n", [("E002", 1, 4), ("E002", 2, 9)]),
    ("a: !!python/object:os.system x\n", [("E002", 1, 4)]),
    ("a: 1\n---\nb: 2\n", [("E002", 2, 1)]),
    ("? [a]\n: b\n", [("E002", 1, 3)]),
    ("a: {{x}}\n", [("E002", 1, 5)]),
    # characters
    ("a: b\nc: \x07\n", [("E002", 2, 4)]),
    ("a: \x0b\n", [("E002", 1, 4)]),
    ("a: \ud800\n", [("E002", 1, 4)]),
    ("a: \x00\n", [("E002", 1, 4)]),
    ("a: |x\n", [("E002", 1, 5)]),
    # expressions that YAML cuts
    ("x: {a: $(max(b, c)), d: 1}\n", [("E122", 1, 8)]),
    ("x: {a: $(b[0]), d: 1}\n", [("E122", 1, 8)]),
    ("x: [$(f(b, c))]\n", [("E122", 1, 5)]),
    ("x: {a: $([1, 2])}\n", [("E122", 1, 8)]),
    ("x: {a: $({1: 2})}\n", [("E122", 1, 8)]),
    ("x: {conv$(f(i, 1)): {op: ReLU}}\n", [("E122", 1, 5)]),
    ("x: {a: $(b, c), d: $(e, f)}\n", [("E122", 1, 8), ("E122", 1, 20)]),
    ("x: $(a: b)\n", [("E122", 1, 4)]),
]


@pytest.mark.parametrize(("text", "findings"), BROKEN, ids=[repr(text) for text, _ in BROKEN])
def test_broken_text(text: str, findings: list[tuple[str, int, int]]) -> None:
    assert told(text) == findings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a:b\nc: 1\n", "write a: b"),
        ("{op:Conv2d}", "write op: Conv2d"),
        ("op: $x: y", "quote the value: '$x: y'"),
        ("match: *.bias # all\n", "quote it: '*.bias'"),
        ("x: {a: $(max(b, c)), d: 1}\n", "write '$(max(b, c))'"),
        ("x: {a: $('p' if b else [1])}\n", "write \"$('p' if b else [1])\""),
        ("x: {a: $(f(b, c))px, d: 1}\n", "write '$(f(b, c))px'"),
        ("x: {a: pre$(f(b, c)), d: 1}\n", "write 'pre$(f(b, c))'"),
        ("x: {a: $(b, ')'), d: 1}\n", "write \"$(b, ')')\""),
        ("a: 1\na: 2\n", "it stands here already  (t:1)"),
        ("a: *x\n", "quote it if it is meant as text: '*x'"),
        ("a: 'it's'\n", "inside, write ''"),
    ],
)
def test_suggestions(text: str, words: str) -> None:
    assert words in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "x: $(max(b, c))\n",
        "x: $(b[0])\n",
        "x: {a: '$(max(b, c))', d: $(b + (c - 1))}\n",
        "x: {a: $(b), d: $(c)$(d)}\n",
        "x: {a:b: 1}\n",
        '{"op":"Conv2d"}',
        "x: {a: $(b}\n",  # never closed: for `expr` to tell
        "x: {a: $(b\n}\n",
    ],
)
def test_text_that_is_fine(text: str) -> None:
    read(text)


# -- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("a: [!!int {b: 1}]", "!!int"),
        ("a: !<tag:x> b", "!<tag:x>"),
        ("a: &b 1", "&b"),
        ("a: {b: &c, d: 1}", "&c"),
        ("a: !", "!"),
    ],
)
def test_tags_and_anchors_are_marked_as_they_are_written(text: str, marked: str) -> None:
    with pytest.raises(SpecError) as raised:
        read(text)
    span = raised.value.findings[0].span
    assert span is not None
    assert text[span.column - 1 : span.end_column - 1] == marked


def test_too_deep() -> None:
    assert told("[" * 100_000) == [("E004", 1, 65)]
    assert told("- " * 100_000)[0][0] == "E004"
    assert told("{a: " * 1000)[0][0] == "E004"
    assert read("[" * 64 + "]" * 64)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_SIZE", 10)
    assert told("a: 123456789\n") == [("E004", 1, 1)]
    monkeypatch.setattr(source, "MAX_SIZE", 100)
    monkeypatch.setattr(source, "MAX_ENTRIES", 5)
    assert told("[1, 2, 3, 4, 5, 6]") == [("E004", 1, 14)]
    monkeypatch.setattr(source, "MAX_FINDINGS", 3)
    monkeypatch.setattr(source, "MAX_ENTRIES", 100)
    assert len(told("{a, a, a, a, a, a, a, a}")) == 3


SPEC = """\
graphbuild: 1
name: net
params: {width: 8, kinds: [a, "b"]}
inputs: {image: [N, 3, H=32, W=32]}
blocks:
  body: {params: {planes: int}, nodes: {conv: {op: Conv2d, out_channels: $planes}}}
nodes:
  a: {op: body, planes: $(width * 2), repeat: 2}
  b: {connect: dense, nodes: [ReLU, {op: ReLU, inplace: true}]}
outputs: b
init: [{match: 'a.*', weight: {op: normal, std: 1e-2}}]
"""
EDIT = st.tuples(
    st.integers(0, len(SPEC)),
    st.integers(0, 4),
    st.sampled_from([*" \t\n\r:,[]{}$()&*!|>'\"%@`#?-=.~1", "\ufeff", "\x00", "\u2028", "é", "$("]),
)


@given(st.lists(EDIT, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_edited_text_gives_a_spec_or_findings(edits: list[tuple[int, int, str]]) -> None:
    text = SPEC
    for at, removed, added in edits:
        text = text[:at] + added + text[at + removed :]
    check(text)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_findings(data: bytes) -> None:
    check(data.decode("utf-8", "surrogateescape"))


def check(text: str) -> None:
    findings: tuple[Finding, ...] = ()
    try:
        read_text(text, "net.yaml")
    except SpecError as error:
        findings = error.findings or pytest.fail("an error without findings")
    lines = max(1, len(text.splitlines()))
    for finding in findings:
        assert str(finding).startswith("net.yaml:")
        assert finding.span is not None
        assert 1 <= finding.span.line <= lines
        assert finding.span.column >= 1
