"""Expressions: what they read, what they compute, how they are written, what they refuse."""

from __future__ import annotations

import ast
import builtins
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_python import Writer, formatted

from graphbuild.errors import Source
from graphbuild.expr import (
    FUNCTIONS,
    ExprError,
    ShapeView,
    closing,
    evaluate,
    lift,
    literal,
    locate,
    names,
    python,
    substitute,
    unparse,
)
from graphbuild.expr.functions import make_divisible
from graphbuild.source import Map, Text, parse

ENV: dict[str, object] = {
    "growth_rate": 32,
    "bn_size": 4,
    "layers": (6, 12, 24, 16),
    "s": {"width": 3, "depth": 2},
    "stages": ({"width": 3, "on": True}, {"width": 5, "on": False}),
    "input": ShapeView((2, 64, 224, 112)),
    "i": 1,
    "name": "relu",
    "none": None,
}

VALUES = {
    "$growth_rate": 32,
    "$layers.1": 12,
    "$s.width": 3,
    "$stages.1.width": 5,
    "$input.channels": 64,
    "$input.shape.0": 2,
    "$(bn_size * growth_rate)": 128,
    "$(input.channels // 2)": 32,
    "$(input.height - input.width)": 112,
    "$(input.shape[2:])": (224, 112),
    "$(input.shape)": (2, 64, 224, 112),
    "$(len(input.shape))": 4,
    "$(2 if i == 0 else 1)": 1,
    "$(-2 ** 2)": -4,
    "$(7 // 2 + 7 % 2 - 1 / 4)": 3.75,
    "$(1 < i + 1 <= 2 and not i in [0, 2])": True,
    "$(layers[-1] + layers[:2][0])": 22,
    "$(layers + [1])": (6, 12, 24, 16, 1),
    "$([0] * 3)": (0, 0, 0),
    "$([k * 2 for k in layers if k > 6])": (24, 48, 32),
    "$([a + b for a in [1, 2] for b in (10, 20)])": (11, 21, 12, 22),
    "$([i for i, k in enumerate(layers)])": (0, 1, 2, 3),
    "$(sum(s.width for s in stages if s.on))": 3,
    "$(max(layers) - min(1, 2) + sum([1, 2], 3))": 29,
    "$(max([], default=4))": 4,
    "$(zip(layers, range(2)))": ((6, 0), (12, 1)),
    "$(round(2.567, 1))": 2.6,
    "$(ceil(2.1) + floor(2.9) + int(2.9) + abs(-1))": 8,
    "$(sqrt(16) + log(8, 2) + float(1))": 8.0,
    "$(make_divisible(37))": 40,
    "$(make_divisible(16 * 0.35, divisor=8, min_value=16))": 16,
    "$(name == 'relu')": True,
    "$('width' in s and s['width'])": 3,
    "$(none is None and none == None and i is not None)": True,
    "$(layers == [6, 12, 24, 16])": True,
    "$(none or 3)": 3,
    "$(\n  1 +\n  2)": 3,
    "denselayer$(i + 1)": "denselayer2",
    "$(i)x$(i)": "1x1",
    "$$x": "$x",
    "a$$": "a$",
    "$(1,)": (1,),
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text: str) -> None:
    found = evaluate(lift(text), ENV)
    assert found == VALUES[text]
    assert type(found) is type(VALUES[text])


REFUSED = {
    # text: code, what is underlined, a part of the message or of the suggestion
    "$(": ("E122", "$(", "no matching"),
    "$(max(a": ("E122", "$(max(a", "no matching"),
    "x$(a]": ("E122", "$(a]", "no matching"),
    "$()": ("E121", "$()", "empty"),
    "$(a b)": ("E121", "a", "bad expression"),
    "$(1 +)": ("E121", "+", "bad expression"),
    "$(lambda: 1)": ("E121", "lambda: 1", "a lambda"),
    "$(f'{a}')": ("E121", "f'{a}'", "an f-string"),
    "$((a := 1))": ("E121", "a := 1", "let"),
    "$({1: 2})": ("E121", "{1: 2}", "YAML"),
    "$({1, 2})": ("E121", "{1, 2}", "[...]"),
    "$(sum(*a))": ("E121", "*a", "join lists"),
    "$(x for x in a)": ("E121", "(x for x in a)", "bare generator"),
    "$(a & b)": ("E121", "a & b", "and"),
    "$(a ^ b)": ("E121", "a ^ b", "**"),
    "$(a is b)": ("E121", "a is b", "is None"),
    "$(b'x')": ("E121", "b'x'", "cannot stand"),
    "$(1j)": ("E121", "1j", "cannot stand"),
    "$(...)": ("E121", "...", "cannot stand"),
    "$(a.b())": ("E121", "a.b", "method"),
    "$(a()())": ("E121", "a()", "cannot be called"),
    "$(lenn(a))": ("E121", "lenn", "'len'"),
    "$(eval(a))": ("E121", "eval", "unknown function"),
    "$(len())": ("E121", "len()", "arguments"),
    "$(round(1, digits=2))": ("E121", "digits=2", "ndigits"),
    "$(a.__class__)": ("E121", "a.__class__", "cannot be read"),
    "$(__import__)": ("E121", "__import__", "cannot be read"),
    "$__name": ("E121", "__name", "cannot be read"),
    "$a.b-c": ("E121", "$a.b", "cannot stand"),
    "a$b": ("E121", "$b", "$(b)"),
    "$": ("E121", "$", "$$"),
    "$a..b": ("E121", "$a..b", "cannot stand"),
    "$(1e999)": ("E121", "1e999", "too large"),
    "$(99999999999999999999)": ("E121", "9" * 20, "too large"),
    "$(growth_rat)": ("E123", "growth_rat", "'growth_rate'"),
    "$(true)": ("E123", "true", "True"),
    "$(null)": ("E123", "null", "None"),
    "$(len)": ("E123", "len", "len(...)"),
    "$s.widht": ("E123", "s.widht", "'width'"),
    "$input.hight": ("E123", "input.hight", "'height'"),
    "$(1 + 2 // 0)": ("E124", "2 // 0", "division by zero"),
    "$(1.5 % 0)": ("E124", "1.5 % 0", "division by zero"),
    "$(layers[9])": ("E124", "layers[9]", "no item 9"),
    "$(layers['a'])": ("E124", "layers['a']", "not a position"),
    "$(i.width)": ("E124", "i.width", "has no"),
    "$(i[0])": ("E124", "i[0]", "not a list"),
    "$('%s' % i)": ("E124", "'%s' % i", "not numbers"),
    "$('a' * 3)": ("E124", "'a' * 3", "not numbers"),
    "$(len(name))": ("E124", "len(name)", "not a list"),
    "$(name < 3)": ("E124", "name < 3", "not a number"),
    "$(layers < [3])": ("E124", "layers < [3]", "not a number"),
    "$(input + 1)": ("E124", "input + 1", "a tensor"),
    "$input": ("E124", "input", ".shape"),
    "$([input])": ("E124", "[input]", ".shape"),
    "$(1 if input else 2)": ("E124", "1 if input else 2", "tensor"),
    "$(sqrt(-1))": ("E124", "sqrt(-1)", "computed"),
    "$((-8) ** 0.5)": ("E124", "(-8) ** 0.5", "real"),
    "$(int(float('nan')))": ("E124", "int(float('nan'))", "NaN"),
    "$([a for a, b in layers])": ("E124", "[a for a, b in layers]", "not a list"),
    "x$(layers)": ("E124", "x$(layers)", "inside of a text"),
    "$(2 ** 64)": ("E124", "2 ** 64", "too large"),
    "$(2 ** 62 * 4)": ("E124", "2 ** 62 * 4", "too large"),
    "$(int(1e300))": ("E124", "int(1e300)", "too large"),
    "$(10.0 ** 400)": ("E124", "10.0 ** 400", "too large"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    code, place, said = REFUSED[text]
    with pytest.raises(ExprError) as caught:
        evaluate(lift(text), ENV)
    error = caught.value
    assert error.code == code
    assert said in f"{error.message} {error.suggestion}"
    assert text[error.start : error.end] == place


@pytest.mark.parametrize(
    "text",
    [
        "$(9 ** 9 ** 9)",
        "$(10 ** (10 ** 10))",
        "$([0] * 10 ** 9)",
        "$([[0] * 1000] * 1000)",
        "$(sum(range(10 ** 9)))",
        "$([x for x in range(10 ** 5) for y in range(10 ** 5)])",
        "$([x for a in range(99) for b in range(99) for c in range(99) for x in range(99)])",
        "$(round(1, 10 ** 9))",
        "$(round(1, -10 ** 9))",
        "$(" + "(" * 200 + "1" + ")" * 200 + ")",
        "$(" + "-" * 1900 + "1)",
        "$(" + "not " * 480 + "1)",
        "$(" + "1+" * 900 + "1)",
        "$(" + "[" * 90 + "]" * 90 + ")",
        "$([" + "1," * 900 + "])",
        "$(" + "1" * 3000 + ")",
        "$" + "a" * 3000,
        "$(x" + "[0]" * 300 + ")",
        "$(\x00)",
        "$('\\ud800' + 1)",
    ],
)
def test_ends_soon_whatever_is_asked(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ExprError):
        evaluate(lift(text), {"x": 1})
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "start", "said"),
    [
        ("$([a, a])", (0,), "too many steps"),
        ("$(a + a)", (0,), "too many steps"),
        ("$(a)$(a)", "x", "more than 2,000 characters"),
        ("$([a])", (0,), "nested too deep"),
        ("$(a * a)", 2, "too large"),
    ],
)
def test_values_that_grow_come_to_an_end(text: str, start: object, said: str) -> None:
    def grow(value: object) -> None:
        while True:
            value = evaluate(lift(text), {"a": value})

    with pytest.raises(ExprError, match=said):
        grow(start)


def test_lifts_any_yaml_value() -> None:
    data = parse(Source("a.yaml", 'a: [1, $i, {k: "1", v: 1e-5}, true, ~, no, -2, $(i) of $(i)]'))
    assert isinstance(data, Map)
    expr = lift(data)
    found = {"a": (1, 1, {"k": "1", "v": 1e-5}, True, None, "no", -2, "1 of 1")}
    assert evaluate(expr, ENV) == found
    assert names(expr) == {"i"}
    assert lift(3) == lift(3) or unparse(lift(3)) == "3"


@pytest.mark.parametrize(
    ("yaml", "place"),
    [
        ("a: $(i + missing)", "missing"),
        ('a: "$(i + missing)"', "missing"),
        ("a: [1, $(i + missing)]", "missing"),
        ("a: {b: [$missing]}", "missing"),
        ('a: "\\t$(i + missing)"', '"\\t$(i + missing)"'),  # not in the text as it is written
        ("a: x$(1 // 0)", "1 // 0"),
    ],
)
def test_errors_have_a_place_in_the_source(yaml: str, place: str) -> None:
    data = parse(Source("a.yaml", yaml))
    assert isinstance(data, Map)
    value = data["a"]  # type: ignore[index]
    with pytest.raises(ExprError) as caught:
        evaluate(lift(value), ENV)
    span = locate(value, caught.value)
    assert span is not None
    assert yaml[span.column - 1 : span.end_column - 1] == place


def test_an_expression_cut_off_by_yaml_is_shown_in_quotes() -> None:
    source = Source("a.yaml", "conv: {op: Conv2d, out_channels: $(max(8, i)), kernel_size: 1}")
    cut = Text("$(max(8")
    cut.source, cut.place, cut.plain = source, (1, 34, 1, 41), True
    with pytest.raises(ExprError) as caught:
        lift(cut)
    assert caught.value.code == "E122"
    assert '"$(max(8, i))"' in str(caught.value.suggestion)


def test_closing_skips_brackets_in_quotes() -> None:
    assert closing("(a[')'])b", 0) == 8
    assert closing("(a == '\\\\')", 0) == 11
    assert closing("('\\')')", 0) == 7
    assert closing("(a", 0) is None
    assert closing("(a]", 0) is None


def test_reading_a_free_dimension_is_noted() -> None:
    def touched(text: str) -> bool:
        view = ShapeView((2, 64, 224, 224), frozenset({0, 2, 3}))
        evaluate(lift(text), {"x": view})
        return view.touched

    assert not touched("$x.channels")
    assert not touched("$(x.shape[1])")
    assert not touched("$(len(x.shape))")
    assert not touched("$(x.shape[1:2])")
    assert touched("$x.height")
    assert touched("$(x.shape[-1])")
    assert touched("$(x.shape[1:])")
    assert touched("$x.shape")
    assert touched("$([k for k in x.shape])")
    assert touched("$(x.shape == [1])")
    assert touched("$([x.shape])")
    assert touched("$(x.shape + [1])")


def test_names_are_the_free_ones() -> None:
    assert names(lift("$(a + len(b) + c.d + e[f])")) == {"a", "b", "c", "e", "f"}
    assert names(lift("$([x + y for x in x for y in range(x)])")) == {"x"}
    assert names(lift("$(sum(k for k, j in zip(a, j) if k < n))")) == {"a", "j", "n"}
    assert names(lift("plain")) == set()


def test_substitute() -> None:
    def replaced(text: str, **new: str) -> str:
        return unparse(substitute(lift(text), {k: lift(v) for k, v in new.items()}))

    assert replaced("$(width * 2)", width="$(planes + 1)") == "(planes + 1) * 2"
    assert replaced("$(len(len))", len="$a") == "len(a)"
    assert replaced("$([i * a for i in a])", a="$i", i="$z") == "[i_ * i for i_ in i]"
    assert replaced("$([i + i_ + a for i in a])", a="$i") == "[i__ + i_ + i for i__ in i]"
    assert replaced("$([i for i in i])", i="$j") == "[i for i in j]"
    assert replaced("x$(a)", a="$(b + 1)") == 'f"x{b + 1}"'
    tree = lift("$(a + b)")
    assert substitute(tree, {}) is tree


def test_python_spelling() -> None:
    def spelt(text: str) -> str:
        return unparse(python(lift(text), ENV))

    assert spelt("$s.width") == 's["width"]'
    assert spelt("$stages.0.width") == 'stages[0]["width"]'
    assert spelt("$([s.width for s in stages])") == '[s["width"] for s in stages]'
    assert spelt("$([s.width + k for k, s in enumerate(stages)])") == (
        '[s["width"] + k for k, s in enumerate(stages)]'
    )
    assert spelt("$input.channels") == "input.shape[1]"
    assert spelt("$(input.width // 2)") == "input.shape[-1] // 2"
    assert spelt("$(ceil(i / 2))") == "math.ceil(i / 2)"
    assert spelt("$(none == None)") == "none is None"
    assert spelt("$(layers + [k for k in layers])") == "layers + tuple(k for k in layers)"
    assert spelt("$(zip(layers, layers)[0])") == "tuple(zip(layers, layers))[0]"


@pytest.mark.parametrize("text", VALUES)
def test_what_python_spells_python_computes(text: str) -> None:
    """The source's own meaning is the value that was checked."""

    class Shaped:
        shape = (2, 64, 224, 112)

    written = python(lift(text), ENV)
    scope = {**ENV, "input": Shaped(), "math": math, "make_divisible": make_divisible}
    found = eval(unparse(written), {"__builtins__": vars(builtins)}, scope)
    assert found == VALUES[text] or tuple(found) == VALUES[text]
    assert evaluate(written, ENV) == VALUES[text]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_literals_are_what_they_say(value: object) -> None:
    assert repr(eval(unparse(literal(value)), {"float": float})) == repr(value)


NUMBERS = st.sampled_from(("0", "1", "2", "3", "7", "2.5", "a", "b", "(1 - a)"))
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: st.builds(
        "({} {} {})".format,
        inner,
        st.sampled_from(
            ("+", "-", "*", "/", "//", "%", "**", "<", "==", ">=", "and", "or", "if a else")
        ),
        inner,
    ),
    max_leaves=8,
)


@given(ARITHMETIC)
@settings(max_examples=300)
def test_computes_as_python_does(code: str) -> None:
    scope = {"a": 3, "b": -2}
    failure = None
    try:
        found = evaluate(lift(f"$({code})"), scope)
    except ExprError as error:
        failure = error
    if failure is None:
        wanted = eval(code, {}, scope)
        assert found == wanted
        assert type(found) is type(wanted)
    elif "too large" not in failure.message and "real number" not in failure.message:
        assert failure.message == "this cannot be computed: division by zero"
        with pytest.raises(ZeroDivisionError):
            eval(code, {}, scope)


def test_writes_what_it_reads() -> None:
    writer = Writer(3)
    for _ in range(1000):
        tree = writer.expression(4)
        again = ast.parse(unparse(tree), mode="eval").body
        assert ast.dump(again) == ast.dump(ast.parse(ast.unparse(tree), mode="eval").body)


@pytest.mark.parametrize("seed", [11, 12])
def test_spells_as_ruff_does(seed: int) -> None:
    writer = Writer(seed)
    lines = [line for line in (writer.code(3) for _ in range(4000)) if len(line) < 80]
    code = "".join(f"x = {line}\n" for line in lines)
    assert formatted(code).splitlines() == code.splitlines()
    assert len(lines) > 1000


@pytest.mark.parametrize(
    "text",
    [
        'say "yes"',
        "it's",
        "both ' and \"",
        "tab\t",
        "new\nline",
        "back\\slash",
        "é 中 😀",
        "\x00",
        "{}",
    ],
)
def test_writes_any_text(text: str) -> None:
    code = f"x = {unparse(literal(text))}\n"
    assert eval(code[4:]) == text
    assert formatted(code) == code
    joined = ast.JoinedStr([ast.Constant(text), ast.FormattedValue(ast.Name("x"), -1, None)])
    assert eval(unparse(joined), {"x": 1}) == f"{text}1"
    assert formatted(f"x = {unparse(joined)}\n") == f"x = {unparse(joined)}\n"


@given(st.floats(0.1, 10_000), st.sampled_from((4, 8, 16)))
def test_make_divisible(value: float, divisor: int) -> None:
    found = make_divisible(value, divisor)
    assert found % divisor == 0
    assert found >= max(divisor, 0.9 * value)
    assert found <= max(divisor, value + divisor)


def test_the_functions_are_those_of_the_reference() -> None:
    assert set(FUNCTIONS) == set(
        "min max len sum round abs int float ceil floor sqrt log range zip enumerate "
        "make_divisible".split()
    )


def test_is_quick() -> None:
    expr = lift("$(bn_size * growth_rate)")
    evaluate(expr, ENV)
    started = time.perf_counter()
    for _ in range(1000):
        evaluate(expr, ENV)
    assert time.perf_counter() - started < 0.05
