"""Free dimensions: probes, and formulas that hold at every size, not only at those probed."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuild.dims import PROBES, Dim, Dims, Size

DIMS = Dims((Dim("N"), Dim("H", 224), Dim("W", 224)))

# What convolutions, poolings and upsamplings do to a size.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("conv"), st.integers(1, 4), st.integers(-3, 3)),
        st.tuples(st.just("times"), st.integers(1, 3), st.just(0)),
    ),
    max_size=5,
)


def walk(size: int, steps: list[tuple[str, int, int]]) -> int:
    for kind, k, c in steps:
        size = (size + c) // k + 1 if kind == "conv" else size * k
    return size


@given(STEPS)
def test_a_size_knows_its_value_wherever_it_keeps_its_form(
    steps: list[tuple[str, int, int]],
) -> None:
    end = walk(DIMS.sizes["H"][0], steps)
    assert end == walk(224, steps)
    if isinstance(end, Size):
        assert [end.at(h) for h in range(64, 600)] == [walk(h, steps) for h in range(64, 600)]


@pytest.mark.parametrize(
    ("steps", "formula"),
    [
        ([], "H"),
        ([("conv", 2, -1)], "⌈H/2⌉"),
        ([("conv", 2, -2)], "⌊H/2⌋"),
        ([("conv", 2, -1), ("conv", 2, -1), ("conv", 2, -2), ("conv", 2, -2)], "⌊(H+3)/16⌋"),
        ([("conv", 4, -7), ("conv", 2, -3)], "⌊(H-7)/8⌋"),
        ([("conv", 1, -5)], "H-4"),
        ([("times", 2, 0)], "H*2"),
        ([("conv", 2, -2), ("times", 2, 0)], "⌊H/2⌋*2"),
    ],
)
def test_formulas_are_those_of_the_arithmetic(
    steps: list[tuple[str, int, int]], formula: str
) -> None:
    assert DIMS.show([walk(h, steps) for h in DIMS.sizes["H"]]) == formula


def test_a_size_is_told_by_another_one() -> None:
    half = walk(DIMS.sizes["H"][0], [("conv", 2, -1)])
    assert isinstance(half, Size)
    quarter = half // 2
    assert isinstance(quarter, Size)
    assert quarter.formula == "⌊(H+1)/4⌋"
    found = quarter.relative(half, "h")
    assert found is not None
    assert found.formula == "⌊h/2⌋"
    assert found.at(113) == 56
    assert quarter.relative(DIMS.sizes["W"][0], "h") is None


def test_a_multiple_divides_without_brackets() -> None:
    dims = Dims((Dim("H", 224, multiple=32),))
    assert dims.show([h // 8 for h in dims.sizes["H"]]) == "H/8"
    assert dims.show([h // 32 * 4 for h in dims.sizes["H"]]) == "H/8"  # down five times, up twice
    assert dims.show([h // 32 * 32 for h in dims.sizes["H"]]) == "H"


def test_a_size_that_fits_no_formula_is_shown_at_the_example() -> None:
    assert DIMS.show([h * h for h in DIMS.sizes["H"]]) == str(224 * 224)
    assert DIMS.formula([h * h for h in DIMS.sizes["H"]]) is None


def test_probes_keep_dimensions_apart() -> None:
    sizes = DIMS.sizes
    assert all(len(set(column)) == PROBES - (name != "N") for name, column in sizes.items())
    assert len(set(sizes.values())) == 3
    assert DIMS.show(sizes["W"]) == "W"


def test_sizes_keep_to_their_range() -> None:
    dim = Dim("H", 64, multiple=32, min=64, max=160)
    assert all(64 <= h <= 160 and h % 32 == 0 for h in Dims((dim,)).sizes["H"])


def test_a_size_is_an_int_that_copies_and_pickles() -> None:
    size = Size(28, ("H", 1, 3, 8, 0))
    for other in (copy.deepcopy(size), pickle.loads(pickle.dumps(size))):
        assert other == 28
        assert other.formula == size.formula == "⌊(H+3)/8⌋"
    assert str(size) == repr(size) == f"{size}" == "28"
