"""Names against torch, which is what they have to please."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuild import names
from graphbuild.expr import FUNCTIONS

CONTAINERS: tuple[names.Container, ...] = ("module", "dict", "list")


def attributes(*types: str) -> set[str]:
    from torch import nn

    found: set[str] = set()
    for name in types:
        found |= set(dir(getattr(nn, name)()))
    return {name for name in found if not name.startswith("__")}


EMITTED = {"init_weights", "reset_parameters", "tie_weights"}  # methods of emitted classes


def test_reserved_names_are_those_of_torch() -> None:
    assert names.RESERVED["module"] == attributes("Module") | EMITTED
    assert names.RESERVED["dict"] == attributes("ModuleDict") | EMITTED
    assert names.RESERVED["list"] == attributes("Sequential", "ModuleList") | EMITTED


@pytest.mark.parametrize("container", CONTAINERS)
@given(name=st.text(max_size=8) | st.sampled_from(sorted(names.RESERVED["list"])))
def test_torch_takes_what_we_take(container: names.Container, name: str) -> None:
    from torch import nn

    holder = {"module": nn.Module, "dict": nn.ModuleDict, "list": nn.Sequential}[container]()
    if names.problem(name, container) is None:
        holder.add_module(name, nn.Identity())
        assert list(holder.state_dict()) == []
        assert [name for name, _ in holder.named_children()] == [name]


@pytest.mark.parametrize("name", ["conv1", "0", "a-b", "class", "été", "true", "x:y", "_x", "1x"])
def test_usable(name: str) -> None:
    for container in CONTAINERS:
        assert names.problem(name, container) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a.b", "a dot"),
        ("$x", "a dollar"),
        ("a b", "a space"),
        ("a\u00a0b", "a space"),
        ("a\tb", "a space"),
        ("a'b", "a quote"),
        ("a\\b", "a backslash"),
        ("a\x00b", "U+0000"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("__init__", "two underscores"),
        ("forward", "'forward'"),
        ("training", "'training'"),
        ("init_weights", "'init_weights'"),
    ],
)
def test_problem_says_why(name: str, why: str) -> None:
    assert why in (names.problem(name) or "")


def test_containers_have_their_own() -> None:
    assert names.problem("append") is None
    assert names.problem("append", "list")
    assert names.problem("items", "dict")
    assert names.problem("items", "list") is None


@given(st.text())
def test_identifiers_are_identifiers(text: str) -> None:
    for made in (names.identifier(text), names.class_name(text)):
        assert made.isidentifier()
        assert not keyword.iskeyword(made)


@pytest.mark.parametrize(
    ("text", "identifier", "class_name"),
    [
        ("dense_layer", "dense_layer", "DenseLayer"),
        ("densenet121", "densenet121", "Densenet121"),
        ("a-b", "a_b", "AB"),
        ("class", "class_", "Class"),
        ("none", "none", "None_"),
        ("3d", "_3d", "_3d"),
        ("BasicConv2d", "BasicConv2d", "BasicConv2d"),
        ("", "_", "_"),
    ],
)
def test_identifier_and_class_name(text: str, identifier: str, class_name: str) -> None:
    assert names.identifier(text) == identifier
    assert names.class_name(text) == class_name


def test_variables() -> None:
    assert frozenset(FUNCTIONS) == names.FUNCTIONS
    for name in ("growth_rate", "i", "N", "été", "match"):
        assert names.is_variable(name)
    for name in ("", "1", "a b", "for", "True", "max", "self", "__x", "ﬁ", "a.b"):
        assert not names.is_variable(name)


def test_unique() -> None:
    assert names.unique("x", []) == "x"
    assert names.unique("x", ["x", "x_2"]) == "x_3"
