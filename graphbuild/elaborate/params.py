"""Params: what a spec or a block declares, and the values it is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from graphbuild import expr, ops
from graphbuild.elaborate.state import Site, State, tuples
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import ScopeTemplate, Value
from graphbuild.errors import Note, Span, closest, did_you_mean
from graphbuild.ir import Arg, Variable
from graphbuild.ops.base import MISSING
from graphbuild.source import Text

_WORDS = {
    int: "int", float: "float", bool: "bool", str: "str", tuple: "list", dict: "mapping"
}  # fmt: skip
_DEAR = 10  # a param of a call costs as much as so many names that are seen
_PLAIN = (type(None), bool, int, float, str)


def kind_problem(value: object, wanted: str, known: Collection[str]) -> str | None:
    """What is expected instead, where a value is not of the kind that a type word names."""
    fits = {
        "int": type(value) is int,
        "float": type(value) in (int, float),
        "bool": type(value) is bool,
        "str": isinstance(value, str),
        "list": isinstance(value, tuple),
        "mapping": isinstance(value, dict),
        "op": value is None or (isinstance(value, str) and value in known),
    }[wanted]
    if fits:
        return None
    return "the name of an op or a block, or null" if wanted == "op" else _article(wanted)


def _article(word: str) -> str:
    return {"bool": "true or false", "float": "a number", "int": "an int", "str": "text"}.get(
        word, f"a {word}"
    )


def default_problem(value: object, default: object, known: Collection[str]) -> str | None:
    """The same against a default: its kind is the param's kind, but null takes and gives any.

    A default that names a layer or a block makes an op of the param. A function's name does not,
    since it may be a plain word as well (`mean`, `sum`, `bilinear`).
    """
    if default is None:
        return None
    if (
        isinstance(default, str)
        and default in known
        and (default[:1].isupper() or ops.get(default) is None)
    ):
        return kind_problem(value, "op", known)
    return kind_problem(value, _WORDS[type(default)], known)


def problem(
    value: object, declared: Value | str, default: object, known: Collection[str]
) -> str | None:
    """What is expected instead of a param's value, by how the param was declared."""
    if isinstance(declared, str):
        return kind_problem(value, declared, known)
    first = default if declared.constant is MISSING else declared.constant
    return default_problem(value, first, known)


def check_extension(templates: Templates) -> bool:
    """That the values which a spec gives to the params of the one that it extends are of their kind."""
    root, sound = templates.root, True
    for name, declared in root.kinds.items():
        given = root.params.get(name)  # type: ignore[call-overload]
        if not isinstance(given, Value) or given.constant is MISSING:
            continue
        expected = problem(given.constant, declared, None, templates.known)
        if expected is not None:
            sound = False
            templates.state.report(
                "E103",
                f"the param {name!r} has a value of the wrong kind",
                given.span,
                about=name,
                expected=expected,
                found=show(given.constant),
            )
    return sound


def show(value: object) -> str:
    """A value as YAML has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(map(show, value))}]"
    return f"the text {value!r}" if isinstance(value, str) else str(value)


def is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    return type(value) in _PLAIN


def bind_spec(
    templates: Templates, state: State, given: Mapping[str, object]
) -> list[Variable] | None:
    """The spec's params and lets; None where a value is missing or wrong (which is reported)."""
    root = templates.root
    spec = templates.spec
    names = [str(name) for name in spec.params]
    sound = check_extension(templates)
    for name in given:
        if name not in names:
            sound = False
            state.report(
                "E101",
                f"the spec has no param {name!r}",
                None,
                about=name,
                suggestion=did_you_mean(name, names)
                or (f"its params are {', '.join(names)}" if names else "it has no params"),
            )
    made: list[Variable] = []
    for key in spec.params:
        name = str(key)
        declared = root.params.get(key)
        if declared is None:
            return None
        word = declared if isinstance(declared, str) else None
        default = MISSING if isinstance(declared, str) else _constant(declared, {}, templates)
        if default is MISSING and word is None:
            sound = False
            continue
        value = tuples(given[name]) if name in given else default
        wanted: str | None = None
        if value is MISSING:
            sound = False
            state.report(
                "E113",
                f"the spec needs the param {name!r}",
                key.span,
                about=name,
                expected=_article(word or ""),
                suggestion=f"give it with --set {name}=... or as a keyword argument",
            )
            continue
        if name not in given:
            pass
        elif not is_plain(value):
            wanted = "plain data"
        else:
            wanted = problem(value, root.kinds.get(name, declared), default, templates.known)
        if wanted is not None:
            sound = False
            typed = next(k for k in given if k == name)
            state.report(
                "E103",
                f"the param {name!r} has a value of the wrong kind",
                typed.span if isinstance(typed, Text) else key.span,
                notes=[Note("it is declared here", key.span)] if isinstance(typed, Text) else (),
                about=name,
                expected=wanted,
                found=show(value),
                suggestion=did_you_mean(value, templates.known)
                if wanted.startswith("the name") and isinstance(value, str)
                else None,
            )
            continue
        made.append(Variable(name, value, "param", default))
    return bind_lets(root, made, {}, templates, None) if sound else None


def bind_lets(
    scope: ScopeTemplate,
    own: list[Variable],
    env: Mapping[str, object],
    templates: Templates,
    site: Site | None,
) -> list[Variable] | None:
    """The scope's own variables with its lets; `env` holds what is visible around and its inputs."""
    if len(scope.let) < len(scope.spec.let):
        return None
    names: dict[str, object] = {**env, **{v.name: v.value for v in own}}
    made = list(own)
    for key, value in scope.let.items():
        below = next((n for n in sorted(value.names) if n in scope.let and n not in names), None)
        if below is not None:
            hint = "a `let` reads only those above it"
            error = expr.ExprError("E123", f"{below!r} has no value yet", suggestion=hint)
            templates.failed(value.raw, error, site)
            return None
        found = _constant(value, names, templates, site)
        if found is MISSING:
            return None
        names[str(key)] = found
        made.append(Variable(str(key), found, "let", expr=value.expr))
    return made


def _constant(
    value: Value, env: Mapping[str, object], templates: Templates, site: Site | None = None
) -> Any:
    """The value of an expression that may not read free dimensions; MISSING where it has none."""
    if value.constant is not MISSING:
        return value.constant
    for name in value.names:
        if isinstance(view := env.get(name), expr.ShapeView):
            view.touched = False
    try:
        found = templates.state.evaluate(value.expr, env)
    except expr.ExprError as error:
        templates.failed(value.raw, error, site)
        return MISSING
    for name in sorted(value.names):
        view = env.get(name)
        if isinstance(view, expr.ShapeView) and view.touched:
            templates.state.report(
                "E208",
                f"a `let` reads a free dimension of {name!r}",
                value.span,
                site=site,
                suggestion="read it in the argument of a function",
            )
            return MISSING
    return found


def bind_block(
    name: str,
    block: ScopeTemplate,
    args: Mapping[str, Arg],
    templates: Templates,
    call: Span | None,
    site: Site | None,
) -> list[Variable] | None:
    """A block's params, and the undeclared arguments that it passes on, for one call."""
    state = templates.state
    made: list[Variable] = []
    sound = True
    state.carry(_DEAR * (len(block.spec.params) + len(args)))
    env = {n: v.value for n, v in state.visible.items()}
    missing = [str(k) for k in block.spec.params if k not in args]
    misspelt: set[str | None] = set()  # these are reported where they are written
    if block.spec.rest is None:
        misspelt = {closest(name, missing) for name in args if name not in block.spec.params}
    for key in block.spec.params:
        declared = block.params.get(key)
        param = str(key)
        if declared is None:
            return None
        word = declared if isinstance(declared, str) else None
        default = (
            MISSING if isinstance(declared, str) else _constant(declared, env, templates, site)
        )
        if default is MISSING and word is None:
            return None
        arg = args.get(param)
        if arg is None and default is MISSING:
            sound = False
            if param in misspelt:
                continue
            state.report(
                "E113",
                f"{name} needs the argument {param!r}",
                call,
                about=param,
                expected=_article(word or ""),
                site=site,
            )
            continue
        if arg is not None:
            kind = block.kinds.get(param, declared)
            wanted = problem(arg.value, kind, default, templates.known)
            if wanted is not None:
                sound = False
                unknown = wanted.startswith("the name") and isinstance(arg.value, str)
                state.report(
                    "E111" if unknown else "E114",
                    f"unknown op {arg.value!r}"
                    if unknown
                    else f"argument {param!r} of {name} is of the wrong type",
                    arg.span,
                    about=param,
                    expected=wanted,
                    found=show(arg.value),
                    suggestion=did_you_mean(str(arg.value), templates.known) if unknown else None,
                    site=site,
                )
                continue
        made.append(Variable(param, arg.value if arg else default, "param", default))
    declared_names = [str(k) for k in block.spec.params]
    for param, arg in args.items():
        if param in declared_names:
            continue
        if block.spec.rest is not None:
            made.append(Variable(str(param), arg.value, "rest"))
            continue
        sound = False
        takes = f"it takes {', '.join(declared_names)}" if declared_names else "it takes none"
        state.report(
            "E112",
            f"{name} has no argument {str(param)!r}",
            param.span if isinstance(param, Text) else arg.span,
            about=param,
            suggestion=did_you_mean(param, declared_names) or takes,
            site=site,
        )
    return made if sound else None


def bind_defaults(templates: Templates, state: State) -> None:
    """The arguments that nodes have by default, for the state's params."""
    env = {name: v.value for name, v in state.visible.items()}
    for op, written in templates.spec.defaults.items():
        args = templates.defaults[op]
        bound = state.defaults.setdefault(str(op), {})
        if len(args) < len(written):
            state.spoilt.add(str(op))
        for name, value in args.items():
            try:
                found = state.evaluate(value.expr, env)
            except expr.ExprError as error:
                templates.failed(value.raw, error)
                state.spoilt.add(str(op))
                continue
            bound[name] = Arg(found, value.expr, value.span)
