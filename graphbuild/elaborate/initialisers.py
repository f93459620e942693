"""Initialisers: the functions of `torch.nn.init`, and what is wrong with a call of one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from graphbuild import expr
from graphbuild.elaborate.needs import out_of_range
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import Site, State
from graphbuild.elaborate.written import Raw, Value
from graphbuild.errors import Span, did_you_mean
from graphbuild.ir import Arg, Initializer
from graphbuild.source import Map, Text

# The functions of torch.nn.init without their underscore, and the arguments they take.
KNOWN: dict[str, tuple[str, ...]] = {
    "uniform": ("a", "b"),
    "normal": ("mean", "std"),
    "trunc_normal": ("mean", "std", "a", "b"),
    "constant": ("val",),
    "ones": (),
    "zeros": (),
    "eye": (),
    "dirac": ("groups",),
    "xavier_uniform": ("gain",),
    "xavier_normal": ("gain",),
    "kaiming_uniform": ("a", "mode", "nonlinearity"),
    "kaiming_normal": ("a", "mode", "nonlinearity"),
    "orthogonal": ("gain",),
    "sparse": ("sparsity", "std"),
}
_REQUIRED = {"constant": "val", "sparse": "sparsity"}
_NUMBERS = frozenset("a b mean std val gain sparsity".split())
_NONLINEARITIES = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu",
)  # fmt: skip
_CHOICES = {"mode": ("fan_in", "fan_out"), "nonlinearity": _NONLINEARITIES}


class Problem(NamedTuple):
    """What is wrong with an initialiser; `about` is the argument, "" stands for the whole."""

    about: str
    message: str
    expected: str | None = None
    found: str | None = None
    suggestion: str | None = None


def problems(name: object, args: Mapping[str, object]) -> Iterator[Problem]:
    """What is wrong with a call of `torch.nn.init`."""
    if not isinstance(name, str) or name not in KNOWN:
        near: str | None = None
        if isinstance(name, str):
            near = did_you_mean(name.removesuffix("_"), KNOWN)
        elif isinstance(name, int | float):
            near = f"write {{op: constant, val: {name}}}"
        hint: str | None = near or f"known are {', '.join(KNOWN)}"
        yield Problem("", f"unknown initialiser {str(name)!r}", suggestion=hint)
        return
    takes = KNOWN[name]
    sound: dict[str, object] = {}
    for key, value in args.items():
        if key not in takes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes no arguments"
            message = f"{name} has no argument {key!r}"
            yield Problem(key, message, suggestion=did_you_mean(key, takes) or known)
        elif (wanted := _wanted(key, value)) is not None:
            hint = did_you_mean(str(value), _CHOICES.get(key, ()))
            yield Problem(key, f"argument {key!r} of {name} is wrong", wanted, show(value), hint)
        else:
            sound[key] = value
    wrong = out_of_range(name, sound)
    if wrong is not None:
        key, wanted = wrong
        message = f"argument {key!r} of {name} is out of range"
        yield Problem(key, message, wanted, show(sound[key]))
    required = _REQUIRED.get(name)
    if required is not None and required not in args:
        yield Problem("", f"{name} needs the argument {required!r}")


def _wanted(name: str, value: object) -> str | None:
    """What an argument should be, where it is not."""
    if name in _CHOICES:
        choices = _CHOICES[name]
        return None if value in choices else f"one of {', '.join(choices)}"
    if name in _NUMBERS:
        return None if type(value) in (int, float) else "a number"
    return None if type(value) is int and value > 0 else "an int >= 1"


def report(state: State, raw: Raw, found: Iterator[Problem], site: Site | None = None) -> bool:
    """Report problems (E212) where they stand in what is written; whether there are any."""
    some = False
    for problem in found:
        some = True
        state.report(
            "E212",
            problem.message,
            _place(raw, problem),
            site=site,
            expected=problem.expected,
            found=problem.found,
            suggestion=problem.suggestion,
        )
    return some


def _place(raw: Raw, problem: Problem) -> Span:
    if not isinstance(raw, Map):
        return raw.span
    for key, item in raw.items():
        if key == (problem.about or "op"):
            unknown = problem.about and "has no argument" in problem.message
            return key.span if unknown else item.span
    return raw.span


def initialiser(
    raw: Raw,
    read: Callable[[Raw], Value | None],
    evaluate: Callable[[Value], object],
    state: State,
) -> Initializer | None:
    """What a rule writes for one parameter; `evaluate` raises LookupError where it reported why."""
    name = next((v for k, v in raw.items() if k == "op"), raw) if isinstance(raw, Map) else raw
    if not isinstance(name, Text):
        return None
    args: dict[str, Arg] = {}
    sound = True
    for key, item in raw.items() if isinstance(raw, Map) else ():
        if key == "op":
            continue
        value = read(item)
        try:
            if value is None:
                raise LookupError
            args[str(key)] = Arg(evaluate(value), value.expr, value.span)
        except LookupError:
            sound = False
    called = name.value if isinstance(name.value, int | float) else str(name)
    wrong = report(state, raw, problems(called, {k: a.value for k, a in args.items()}))
    return Initializer(str(name), args) if sound and not wrong else None


def of_parameter(arg: Arg) -> Initializer:
    """The `init` of a raw parameter or buffer: a name, or a mapping with `op`."""
    value, tree = arg.value, arg.expr
    if not isinstance(value, dict):
        return Initializer(str(value), {})
    trees: dict[str, ast.expr | None] = {}
    if isinstance(tree, ast.Dict):
        keys = [key.value for key in tree.keys if isinstance(key, ast.Constant)]
        trees = dict(zip(map(str, keys), tree.values, strict=True))
    rest = {name: item for name, item in value.items() if name != "op"}
    return Initializer(
        str(value["op"]),
        {n: Arg(v, trees.get(n) or expr.literal(v), arg.span) for n, v in rest.items()},
    )
