"""`graphbuild fmt`: layout changes, what the spec says and its comments do not."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from command import BUNDLED, ROOT
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layouts import Layout
from test_cli import main

from graphbuild.errors import SpecError
from graphbuild.fmt import WIDTH, format_text

MESSY = """\
# a net

graphbuild:   1
name: "net"   # its name
inputs: {image: [N,3,H=32 , W=32]}
params:
    width: 16

    kernels: ["1e-5", 'on', '3', "$(width * 2)", 'a: b', '1.10']
nodes:
    # the first
    a: { op: Conv2d, out_channels: '$width', kernel_size: 1 }
    b:
      - x
    c: {op: Conv2d, out_channels: '$(max([width, 3]))', kernel_size: 1}
"""
TIDY = """\
# a net

graphbuild: 1
name: net     # its name
inputs: {image: [N, 3, H=32, W=32]}
params:
  width: 16

  kernels: ['1e-5', on, '3', $(width * 2), 'a: b', '1.10']
nodes:
  # the first
  a: {op: Conv2d, out_channels: $width, kernel_size: 1}
  b:
    - x
  c: {op: Conv2d, out_channels: '$(max([width, 3]))', kernel_size: 1}
"""


def test_what_it_does() -> None:
    assert format_text(MESSY) == TIDY


def test_twice_is_once() -> None:
    assert format_text(TIDY) == TIDY


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_specs_are_laid_out(name: str) -> None:
    text = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert format_text(text) == text


def test_a_list_inside_of_a_list_begins_in_its_line() -> None:
    text = (
        "a:\n- - b\n  - - c\n    # above d\n    - d:\n      - e\n      f: 1\n-  g\nb:\n-\n  - - h\n"
    )
    made = "a:\n  - - b\n    - - c\n      # above d\n      - d:\n          - e\n        f: 1\n  - g\nb:\n  - - - h\n"
    assert format_text(text) == made
    assert format_text(made) == made


def test_a_text_that_is_too_large_is_a_finding() -> None:
    with pytest.raises(SpecError, match="E004 the text has more than 1,000,000 characters"):
        format_text("a: 1\n" + "# comment\n" * 110_000)


def test_a_line_that_is_too_long_is_opened() -> None:
    args = ", ".join(f"argument_{k}: {k}" for k in range(9))
    made = format_text(f"nodes:\n  a: {{op: b, {args}}}\n  b: {{op: c, x: [{'1, ' * 60}1]}}\n")
    assert "  a:\n    op: b\n    argument_0: 0\n" in made
    assert "    x:\n      - 1\n" in made
    assert max(map(len, made.splitlines())) <= WIDTH


def test_comments_of_a_line_that_is_opened_stay_near() -> None:
    args = ", ".join(f"argument_{k}: {k}" for k in range(9))
    text = f"nodes:\n  a: {{op: b, {args}}}     # a\n  # below a\n  b: c\n"
    made = format_text(text)
    assert "  a: # a\n    op: b\n" in made
    assert "    argument_8: 8\n  # below a\n  b: c\n" in made
    assert format_text(made) == made
    text = f"nodes:\n  - c\n  - {{op: b, {args}}}     # a\n    # below a\n  - c # c\n"
    made = format_text(text)
    assert "  - c\n  # a\n  - op: b\n" in made
    assert "    argument_8: 8\n  # below a\n  - c # c\n" in made
    assert format_text(made) == made


@pytest.mark.parametrize("item", ["{a: 1}", "[a]", "{a: {b: [1]}}"])
def test_what_stands_above_brackets_stays(item: str) -> None:
    for above in ("", "\n", "  # above\n", "\n  # above\n\n  # too\n"):
        text = f"nodes:\n  - {item}\n{above}  - {item} # behind\n  - c\n"
        assert format_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "%YAML 1.1\n---\na: yes\n# tail\n...\n",
        "\ufeffa: 1\r\nb:\r\n  - x\r\n",
        "a: |\n  one\n   two\n\nb: >-\n  x\n  y\n\n  z\nc: |+\n  x\n\n\nd: 1\n",
        "a: [1,\n  2,\n  3]  # one\nb: {c: 1,\n d: 2}   # two\n",
        "? a\n: b\n? c\n",
        "- - a\n  - b\n- {c: , d: null, e: ''}\n",
        "a: 0o17\nb: 0x1F\nc: 0777\nd: .5\ne: +12\nf: ~\ng: Null\nh: 1e5\ni: 1E-05\nj: 1_000\n",
        "l: -0\nm: 1.\nn: .inf\no: .NAN\np: TRUE\nq: 2001-12-14\nr: 12:30:45\ns: 1e999\n",
        "'a b': 1\n$x: 3\nb$(i): {op: c}\n1: 2\ntrue: 3\nnull: 4\n1.10: 5\n'<<': 6\n",
        "params: {a: 'int', b: int, c: \"op\", d: 'null', e: '1', f: 'x'}\n",
        "a: 'x\u2028y'\nb: \"\\u202e\"\nc: 'a\n\n  b'\nd: \"x\\ty\"\n",
        "a: '-'\nb: '?'\nc: '*x'\nd: '@x'\ne: 'x:'\nf: ' x'\ng: '~'\nh: '|'\ni: '#x'\nj: x#y\n",
        "a: # c1\n  # c2\n  - b # c3\n  # c4\n  - c\n\n\n\n# c5\n",
        "\n\n# c0\n\na: 1\n",
        " \n\na: 1\n",
        "a:\tb \t\nc: d\te\nf: [g,\t'h\ti']\t# c\t1\n",
        "\ufeffa: c\ufeff\n\ufeff",
        "{?}\n",
        "- >\u2028  x\n- [\u3000?]\n- |1\n  \tz\n",
        "a: true\xa0\nb: \u3000c  \n\xa0d: 1\n# one\xa0\n",
        "a: [b\u2028c, 'd\x85e', f\u2029g]\nh: \"i\u2028j\"\n# one\r# two\r\r\n# two\u2028# one\x85i: 1",
    ],
)
def test_unusual_texts_keep_their_meaning(text: str) -> None:
    made = format_text(text)  # which raises where the meaning would change
    assert format_text(made) == made
    assert re.findall("# ?(c.|two|one|tail)", made) == re.findall("# ?(c.|two|one|tail)", text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("# above\n---\n# too\na: 1\n", "# above\n# too\na: 1\n"),
        ("%YAML 1.2\n--- # c\na: 1\n...\n", "# c\na: 1\n"),
        ("# c\n{a: 1}\n# d\n", "# c\n{a: 1}\n# d\n"),
        ("{a: {b: " + "c" * 120 + ", d}, e}\n", "a:\n  b: " + "c" * 120 + "\n  d:\ne:\n"),
        ("doc: >\n    one\n    two\n\n\n# c\na: 1\n", "doc: >\n  one\n  two\n\n\n# c\na: 1\n"),
        ("doc: |  # c\n     one\na:\n- 1\n", "doc: |  # c\n  one\na:\n  - 1\n"),
        ("a:\n- # c\n  b: 1\n\n-   2\n", "a:\n  # c\n  - b: 1\n\n  - 2\n"),
    ],
)
def test_what_is_around_the_data_stays(text: str, made: str) -> None:
    assert format_text(text) == made
    assert format_text(made) == made


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_layout_is_laid_out(random: Random) -> None:
    text = Layout(random).write()
    try:
        made = format_text(text)
    except SpecError:  # not all of it is YAML
        assume(False)
    assert format_text(made) == made
    assert sorted(re.findall(r"# c\d+", made)) == sorted(re.findall(r"# c\d+", text))
    assert _data(made) == _data(text)


def _data(text: str) -> Any:
    """The data of a text; what is not there is written out within brackets."""
    return repr(yaml.load(text, yaml.CBaseLoader)).replace("'null'", "''")


def test_what_is_not_yaml_is_a_finding() -> None:
    for text in ("a: [", "a: 1\na: 2\n", "a: &x 1\n", "a: [1, # lost\n 2]\n"):
        with pytest.raises(SpecError):
            format_text(text)


def test_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("net.yaml")
    file.write_text(MESSY, encoding="utf-8")
    assert main(capsys, "fmt", "--check", "net.yaml") == (1, "net.yaml: would change\n", "")
    assert file.read_text(encoding="utf-8") == MESSY
    assert main(capsys, "fmt", "net.yaml") == (0, "net.yaml: laid out\n", "")
    assert file.read_text(encoding="utf-8") == TIDY
    assert main(capsys, "fmt", "--check", "net.yaml") == (0, "", "")
    file.write_text("a: [", encoding="utf-8")
    assert main(capsys, "fmt", "net.yaml")[0] == 1
    assert file.read_text(encoding="utf-8") == "a: ["
    Path("other.yaml").write_text(MESSY, encoding="utf-8")
    code, out, err = main(capsys, "fmt", "net.yaml", "other.yaml")
    assert (code, out) == (1, "other.yaml: laid out\n")
    assert err.startswith("net.yaml:1:5: E002 ")
    assert main(capsys, "fmt", "none.yaml", "other.yaml")[0] == 2
