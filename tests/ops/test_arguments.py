"""The check of a call's arguments, and rules on integers that remember where they come from."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from graphbuild import ops
from graphbuild.ops.base import Argument, DtypeError, Op, ShapeError
from graphbuild.ops.types import expected, found


def problems(name: str, **given: Any) -> list[tuple[str, str]]:
    op = ops.get(name)
    assert op is not None
    return [(p.name, p.code) for p in ops.check_args(op, given)[1]]


@pytest.mark.parametrize(
    ("name", "given", "wrong"),
    [
        ("Conv2d", {"out_channels": 8, "kernel_size": 3}, []),
        ("Conv2d", {"out_channels": 8, "kernel_size": (3, 1), "padding": "same"}, []),
        ("Conv2d", {"out_channels": 8}, [("kernel_size", "E113")]),
        ("Conv2d", {"out_channels": 0, "kernel_size": 3}, [("out_channels", "E115")]),
        ("Conv2d", {"out_channels": True, "kernel_size": 3}, [("out_channels", "E114")]),
        ("Conv2d", {"out_channels": 8.0, "kernel_size": 3}, [("out_channels", "E114")]),
        ("Conv2d", {"out_channels": 8, "kernel_size": (3, 3, 3)}, [("kernel_size", "E114")]),
        ("Conv2d", {"out_channels": 8, "kernel_size": (3, 0)}, [("kernel_size", "E115")]),
        ("Conv2d", {"out_channels": 8, "kernel_size": 3, "padding": -1}, [("padding", "E115")]),
        ("Conv2d", {"out_channels": 8, "kernel_size": 3, "padding": "all"}, [("padding", "E115")]),
        ("Conv2d", {"out_channels": 8, "kernel_size": 3, "bias": 1}, [("bias", "E114")]),
        ("Dropout", {"p": 1}, []),
        ("Dropout", {"p": 1.5}, [("p", "E115")]),
        ("Dropout", {"rate": 0.5}, [("rate", "E112")]),
        ("BatchNorm2d", {"momentum": None}, []),
        ("TripletMarginLoss", {"margin": 0}, [("margin", "E115")]),
        ("mul", {"other": 2}, []),
        ("mul", {"other": "2"}, [("other", "E114")]),
        ("getitem", {"index": (":", -1, None, "...", "1:-1")}, []),
        ("getitem", {"index": "__import__('os')"}, [("index", "E115")]),
        ("getitem", {"index": "0"}, [("index", "E115")]),
        ("mean", {"dim": ()}, [("dim", "E115")]),
    ],
)
def test_problems(name: str, given: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert problems(name, **given) == wrong


def test_problem_in_words() -> None:
    op = ops.get("Conv2d")
    assert op is not None
    given = {"out_channels": 8, "kernal_size": 3, "padding_mode": "zero", "kernel_size": None}
    by_name = {p.name: p for p in ops.check_args(op, given)[1]}
    assert by_name["kernal_size"].suggestion == "did you mean 'kernel_size'?"
    assert by_name["padding_mode"].suggestion == "did you mean 'zeros'?"
    modes = "one of 'zeros', 'reflect', 'replicate', 'circular'"
    assert (by_name["padding_mode"].expected, by_name["padding_mode"].found) == (modes, "'zero'")
    size = "int >= 1 or 2 of them"
    assert (by_name["kernel_size"].expected, by_name["kernel_size"].found) == (size, "null")


def test_values_stay_as_given_and_stand_in_order() -> None:
    op = ops.get("Conv2d")
    assert op is not None
    values, wrong = ops.check_args(op, {"kernel_size": (3, 1), "out_channels": 8})
    assert not wrong
    assert "in_channels" not in values
    assert list(values) == [a.name for a in op.arguments if a.name != "in_channels"]
    assert values["kernel_size"] == (3, 1)
    drop = ops.get("Dropout")
    assert drop is not None
    assert type(ops.check_args(drop, {"p": 1})[0]["p"]) is int


def test_words() -> None:
    assert expected("Size2 | None") == "int >= 1 or 2 of them, or null"
    assert expected("int | None") == "int or null"
    assert found((1, None, "a", True)) == "[1, null, 'a', true]"


def test_register() -> None:
    arguments = (Argument("times", "Annotated[int, Field(ge=2)]", 2),)
    op = Op("my_own_op", "mine.op", arguments, lambda args, x: x)
    ops.register(op)
    try:
        assert ops.get("my_own_op") is op
        assert problems("my_own_op", times=1) == [("times", "E115")]
        with pytest.raises(ValueError, match="already"):
            ops.register(op)
    finally:
        del ops._OPS["my_own_op"]
    with pytest.raises(ValueError, match="not a name"):
        ops.register(Op("not an op", "x", (), lambda args, x: x))


class Traced(int):
    """An integer that remembers how it was computed."""

    text: str

    def __new__(cls, value: int, text: str) -> Traced:
        self = super().__new__(cls, value)
        self.text = text
        return self


def _trace(sign: str, name: str) -> None:
    def forward(a: Any, b: Any) -> Any:
        value = getattr(int, f"__{name}__")(int(a), int(b))
        return Traced(value, f"({getattr(a, 'text', a)} {sign} {getattr(b, 'text', b)})")

    setattr(Traced, f"__{name}__", forward)
    setattr(Traced, f"__r{name}__", lambda a, b: forward(b, a))


for _sign, _name in (("+", "add"), ("-", "sub"), ("*", "mul"), ("//", "floordiv")):
    _trace(_sign, _name)


def traced(op: str, *shapes: tuple[Any, ...], **given: Any) -> list[str]:
    """How each size of the output was computed."""
    row = ops.get(op)
    assert row is not None
    args = SimpleNamespace(**{a.name: a.default for a in row.arguments} | given)
    for name, rule in row.infer.items():
        if name not in given:
            setattr(args, name, rule(args, shapes))
    return [getattr(size, "text", str(size)) for size in row.shape(args, *shapes)]


def test_rules_keep_expressions() -> None:
    c, h = Traced(8, "c"), Traced(32, "h")
    wide = Traced(16, "wide")
    assert traced("Conv2d", (2, c, 32, 32), out_channels=wide, kernel_size=1)[1] == "wide"
    assert traced("Linear", (2, c), out_features=wide) == ["2", "wide"]
    assert traced("BatchNorm2d", (2, c, 4, 4))[1] == "c"
    assert traced("concat", (2, c, 4), (2, wide, 4)) == ["2", "(c + wide)", "4"]
    assert traced("flatten", (2, c, 7, 7), start_dim=1) == ["2", "((c * 7) * 7)"]
    assert traced("MaxPool2d", (2, 3, h, h), kernel_size=2)[2:] == ["((h + 0) // 2)"] * 2
    pool = traced("MaxPool2d", (2, 3, h, h), kernel_size=3, stride=2, padding=1)
    assert pool[2] == "((h + 1) // 2)"
    assert traced("PixelShuffle", (2, c, 4, 4), upscale_factor=2)[1] == "(c // 4)"
    assert traced("interpolate", (2, c, h, 4), scale_factor=2.0)[1:3] == ["c", "(h * 2)"]


def test_errors_say_what_would_be_right() -> None:
    conv, cat, relu = ops.get("Conv2d"), ops.get("concat"), ops.get("Embedding")
    assert conv is not None
    assert cat is not None
    assert relu is not None
    args, _ = ops.check_args(conv, {"in_channels": 4, "out_channels": 8, "kernel_size": 3})
    with pytest.raises(ShapeError, match=r"in_channels is 4, but .* is 3") as error:
        conv.shape(SimpleNamespace(**args), (1, 3, 8, 8))
    assert (error.value.argument, error.value.value) == ("in_channels", 3)
    with pytest.raises(ShapeError, match=r"takes an input of 3 or 4 dimensions .*found 2: 1×3"):
        conv.shape(SimpleNamespace(**args), (1, 3))
    with pytest.raises(ShapeError, match="the input is too small"):
        conv.shape(SimpleNamespace(**args), (1, 4, 2, 2))
    with pytest.raises(ShapeError, match=r"dimension 2 \(4 and 5\)") as error:
        cat.shape(SimpleNamespace(dim=1), (1, 3, 4), (1, 3, 5))
    assert error.value.mismatch == 2
    with pytest.raises(DtypeError, match="takes int, but its input is float32"):
        ops.result_dtype(relu, SimpleNamespace(), ["float32"])


def test_index_source() -> None:
    assert ops.index_source("0") == "0"
    assert ops.index_source("(':', -1, None, '...', '1:', i + 1)") == ":, -1, None, ..., 1:, i + 1"
