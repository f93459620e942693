"""The printer against `ruff format`, which it has to agree with to the letter."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_python import Writer, formatted

from graphbuild.emit.printer import docstring, statement


def nested(lines: list[str], number: int, depth: int) -> list[str]:
    """The lines as the body of a function, below loops that take their indentation up."""
    around = [f"def f{number}():", *(" " * 4 * k + "while True:" for k in range(1, depth))]
    tail = [" " * 4 * (depth + 1) + "pass"] if lines[-1].endswith(":") else []
    return [*around, *lines, *tail, "", ""]


def bodies(code: str) -> dict[str, list[str]]:
    """The lines of each function, without blank ones."""
    found: dict[str, list[str]] = {}
    for line in code.splitlines():
        if line.startswith("def "):
            body = found[line] = []
        elif line:
            body.append(line)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_prints_as_ruff_does(seed: int) -> None:
    writer = Writer(seed)
    made: list[str] = []
    broken = 0
    for number in range(1500):
        depth = writer.random.choice((1, 2, 2, 3))
        lines = statement(writer.statement(), depth * 4)
        broken += len(lines) > 1
        made += nested(lines, number, depth)
    code = "\n".join(made).rstrip() + "\n"
    mine, theirs = bodies(code), bodies(formatted(code))
    assert mine == theirs
    assert broken > 700


def test_says_the_same_as_on_one_line() -> None:
    writer = Writer(7)
    for _ in range(300):
        code = writer.statement()
        whole = f"{code} pass" if code.endswith(":") else code
        shown = "\n".join(statement(code))
        again = f"{shown} pass" if code.endswith(":") else shown
        assert ast.dump(ast.parse(again)) == ast.dump(ast.parse(whole))


CASES = {
    "x = f(a)": ["x = f(a)"],
    "x = nn.Sequential(nn.Conv2d(in_channels, planes, kernel_size=3), nn.BatchNorm2d(planes), act)": [
        "x = nn.Sequential(",
        "    nn.Conv2d(in_channels, planes, kernel_size=3), nn.BatchNorm2d(planes), act",
        ")",
    ],
    "x = nn.Sequential(*[Bottleneck(planes * 4, planes, groups=32) for i in range(1, blocks)])": [
        "x = nn.Sequential(",
        "    *[Bottleneck(planes * 4, planes, groups=32) for i in range(1, blocks)]",
        ")",
    ],
    "x = Downsample(in_channels, planes, stride) if stride != 1 or in_channels != planes else nn.Identity()": [
        "x = (",
        "    Downsample(in_channels, planes, stride)",
        "    if stride != 1 or in_channels != planes",
        "    else nn.Identity()",
        ")",
    ],
    "x = (a if b else c)": ["x = a if b else c"],
    "elif isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats_now:": [
        "elif (",
        "    isinstance(module, nn.BatchNorm2d)",
        "    and module.affine",
        "    and module.track_running_stats_now",
        "):",
    ],
    "del a_rather_long_name_of_a_value, another_rather_long_name_of_a_value, a_third_name_of_a_value": [
        "del (",
        "    a_rather_long_name_of_a_value,",
        "    another_rather_long_name_of_a_value,",
        "    a_third_name_of_a_value,",
        ")",
    ],
    "class Bottleneck(nn.Module):": ["class Bottleneck(nn.Module):"],
    "else:": ["else:"],
}


@pytest.mark.parametrize("code", CASES)
def test_cases(code: str) -> None:
    assert statement(code) == CASES[code]


def test_a_signature_breaks_after_its_bracket_or_into_one_argument_per_line() -> None:
    arguments = ["self", "in_channels: int", "planes: int", "stride: int = 1", "dilation: int = 1"]
    assert statement(f"def __init__({', '.join(arguments)}) -> None:", 4) == [
        "    def __init__(",
        "        self, in_channels: int, planes: int, stride: int = 1, dilation: int = 1",
        "    ) -> None:",
    ]
    arguments += ["groups: int = 1", "width_per_group: int = 64"]
    assert statement(f"def __init__({', '.join(arguments)}) -> None:", 4) == [
        "    def __init__(",
        *(f"        {argument}," for argument in arguments),
        "    ) -> None:",
    ]


TEXT = st.text(st.sampled_from("ab \"\\\n'.{"), min_size=1, max_size=30).filter(str.strip)


@given(TEXT, st.sampled_from((0, 4)))
def test_docstrings_hold_any_text(text: str, indent: int) -> None:
    lines = docstring(text, indent)
    found = ast.parse("\n".join(line[indent:] for line in lines)).body[0]
    assert isinstance(found, ast.Expr)
    assert isinstance(found.value, ast.Constant)
    wanted = [line.rstrip() for line in text.strip().splitlines()]
    assert [line.rstrip() for line in str(found.value.value).strip().splitlines()] == wanted


def test_docstrings_stay_as_they_are() -> None:
    texts = (
        "One line.", 'He said "yes"', '"No"', "Two\nlines.", "A list:\n\n- one\n  more\n- two",
        "A path: C:\\temp", '"Quoted" first\nand then more.', "[N, 3, H] -> [N, 1000]", "ends \\",
    )  # fmt: skip
    made: list[str] = []
    for number, text in enumerate(texts):
        made += [f"def f{number}():", *docstring(text, 4), "", ""]
    code = "\n".join(made).rstrip() + "\n"
    assert formatted(code) == code
