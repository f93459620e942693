"""The `init_weights` of an emitted model: the spec's rules as `torch.nn.init` calls.

Rules become tests of a loop over the modules: of the type for a rule that speaks of an op, of the
type and the path for one that speaks of paths. Where such tests would find what a layer is built
of (an encoder layer has `Linear`s inside), parameters are named one by one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from graphbuild import expr as expressions
from graphbuild import ops
from graphbuild.emit import tying
from graphbuild.emit.drawn import Layer, arguments, parameters
from graphbuild.emit.drawn import layers as layers_of
from graphbuild.emit.items import call
from graphbuild.emit.parts import Statement, collapsed
from graphbuild.emit.steps import attribute
from graphbuild.emit.units import distinct
from graphbuild.expr.write import quoted
from graphbuild.ir import Graph, Initializer, InitRule
from graphbuild.names import is_attribute
from graphbuild.ops.base import Op
from graphbuild.ops.tensors import VALUE

Own = Callable[[ast.expr, Mapping[str, object]], str]  # how a method says an expression


@dataclass
class Test:
    """A branch of the loop: what it tests, and which parameters it draws."""

    rule: InitRule
    layers: list[Layer]
    parameters: list[str]

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(layer.op.source for layer in self.layers))

    @property
    def is_exact(self) -> bool:
        return self.rule.by_path and not any(c in self.rule.match for c in "*?[")


class Rules:
    """Writes the body of `init_weights`."""

    def __init__(self, graph: Graph, own: Own) -> None:
        self.graph = graph
        self.own = own
        self.scopes = distinct(graph)
        names = (name for layer in self._distinct() for name in layer.parameters)
        self.nested = any("." in name for name in names)
        self.layers: list[Layer] = []
        self.tied = {tie.path for tie in graph.ties}  # these are drawn where they are tied to
        self.env = {variable.name: variable.value for variable in graph.variables}

    def statements(self) -> list[Statement]:
        if not self.graph.init:
            return []
        by_path = any(rule.by_path or rule.within for rule in self.graph.init)
        if not by_path and not self.nested:
            return self._loop(self._chains(list(self._distinct())))
        layers = self.layers = list(layers_of(self.graph))
        raw = [layer for layer in layers if layer.op.own]
        layers = [layer for layer in layers if not layer.op.own]
        chains = self._chains(layers)
        if any(self._finds_inner(test, layers) for chain in chains for test in chain):
            return self._one_by_one([*raw, *layers])
        made = self._raw(raw, [*raw, *layers])
        for chain in chains:  # what one rule alone says of one layer needs no test
            for test in chain[:]:
                if test.is_exact and len(self._matching(test.layers[0])) == 1:
                    made += self._body(test, _path(test.rule.match))
                    chain.remove(test)
        return made + self._loop(chains)

    def _distinct(self) -> Iterator[Layer]:
        """The layers of all scopes, each once where they have the same parameters."""
        seen: set[object] = set()
        for scope in self.scopes:
            for node in scope.nodes:
                owns = isinstance(node.call, Op) and not node.call.own and not node.shared
                if isinstance(node.call, Op) and node.call.parameters and owns:
                    # sizes that the input determines say nothing about which parameters there are
                    given = [(n, a.value) for n, a in node.args.items() if a.expr is not None]
                    key = (node.call.name, repr(given))
                    if key not in seen:
                        seen.add(key)
                        yield Layer("", node, parameters(node))

    def _matching(self, layer: Layer) -> list[InitRule]:
        """The rules that draw some of a layer, in their order."""
        return [
            rule
            for rule in self.graph.init
            if rule.matches(layer.op.name, layer.path)
            and not rule.parameters.keys().isdisjoint(layer.parameters)
        ]

    # -- tests --------------------------------------------------------------------------------

    def _chains(self, layers: list[Layer]) -> list[list[Test]]:
        """The tests: one chain of all rules, where no layer is spoken of twice; else a chain for
        each name of a parameter, one after the other."""
        merged: dict[object, InitRule] = {}
        for rule in self.graph.init:  # of two that name a parameter of one layer the first wins
            known = merged.setdefault((rule.match, rule.within), rule)
            both = {**known.parameters, **rule.parameters, **known.parameters}
            merged[rule.match, rule.within] = replace(known, parameters=both)
        rules = list(merged.values())
        if all(sum(r.matches(x.op.name, x.path) for r in rules) <= 1 for x in layers):
            return [[test for rule in rules for test in _tests(rule, rule.parameters, layers)]]
        names = dict.fromkeys(n for rule in rules for n in rule.parameters)
        return [[t for r in self.graph.init for t in self._left(r, n, layers)] for n in names]

    def _left(self, rule: InitRule, name: str, layers: list[Layer]) -> list[Test]:
        """A rule as tests for one parameter; of a spec inside, where those before leave some."""
        if rule.within:
            rules = self.graph.init[: self.graph.init.index(rule)]
            before = [r for r in rules if name in r.parameters]
            layers = [x for x in layers if not any(r.matches(x.op.name, x.path) for r in before)]
        return _tests(rule, [name], layers)

    def _finds_inner(self, test: Test, layers: list[Layer]) -> bool:
        """Whether a test would find what a layer is built of."""
        return any(
            (kind is None or kind in test.sources) and test.rule.covers(path)
            for layer in layers
            for path, kind in layer.inner
        )

    # -- statements ---------------------------------------------------------------------------

    def _loop(self, chains: list[list[Test]]) -> list[Statement]:
        """A loop over the modules with chains of tests."""
        made: list[Statement] = []
        for chain in filter(None, chains):
            branches: list[tuple[list[Test], list[Statement]]] = []
            for test in chain:
                body = self._body(test, "module")
                last = branches[-1] if branches else None
                if last and _alike(last, test, body):
                    last[0].append(test)
                else:
                    branches.append(([test], body))
            same = groupby(branches, key=lambda branch: _code(branch[1]))  # what does so in one
            for position, one in enumerate(list(group) for _, group in same):
                tests = [self._test(alike) for alike, _ in one]
                if len(tests) > 1:
                    tests = [f"({said})" if " and " in said else said for said in tests]
                said = f"{'elif' if position else 'if'} {' or '.join(tests)}:"
                made.append(Statement(said, one[0][1][0].span, one[0][1]))
            made[-1] = collapsed(made[-1])
        named = any(test.rule.by_path or test.rule.within for chain in chains for test in chain)
        head = "for name, module in self.named_modules():" if named else _MODULES
        return [Statement(head, None, made)] if made else []

    def _test(self, alike: list[Test]) -> str:
        first = alike[0]
        if first.is_exact:
            paths = _quoted(list(dict.fromkeys(test.rule.match for test in alike)))
            return f"name == {paths[0]}" if len(paths) == 1 else f"name in ({', '.join(paths)})"
        sources = list(dict.fromkeys(s for test in alike for s in test.sources))
        one, many = "isinstance(module, {})", "isinstance(module, ({}))"
        if "nn.Linear" in sources and self._finds_projection(first):
            # the projection of an attention is of a subclass of Linear
            one, many = "type(module) is {}", "type(module) in ({})"
        text = (one if len(sources) == 1 else many).format(", ".join(sources))
        if first.rule.by_path:
            text += f" and fnmatchcase(name, {quoted(first.rule.match)})"
        below = _quoted([f"{path}." for path in first.rule.within])
        if below:
            starts = below[0] if len(below) == 1 else f"({', '.join(below)})"
            text += f" and name.startswith({starts})"
        return text

    def _finds_projection(self, test: Test) -> bool:
        """Whether a test that takes subclasses would find more than the spec's own layers."""
        inner = (path for layer in self.layers for path, kind in layer.inner if kind == "")
        return any(test.rule.covers(path) for path in inner)

    def _body(self, test: Test, module: str) -> list[Statement]:
        made: list[Statement] = []
        for name in test.parameters:
            owners = [layer for layer in test.layers if name in layer.parameters]
            target = f"{module}.{name}"
            if module != "module" and owners[0].key(name) in self.tied:
                continue
            draw = self.draw(test.rule.parameters[name], target, module, owners[0])
            statement = Statement(draw, test.rule.span)
            conditions = []
            if module == "module":
                conditions = tying.conditions(self.graph, test.rule, test.sources, name)
            conditions += [f"{target} is not None"] * (len(owners) < len(test.layers))
            if conditions:
                head = f"if {' and '.join(conditions)}:"
                statement = Statement(head, test.rule.span, [statement])
            made.append(statement)
        return made

    def draw(self, initializer: Initializer, target: str, module: str, layer: Layer) -> str:
        """A call of `torch.nn.init`; attributes of the layer are read from the module."""
        kept = ops.attributes(layer.op, arguments(layer.node))
        items = [target]
        for name, arg in initializer.args.items():
            tree = arg.expr if arg.expr is not None else expressions.literal(arg.value)
            own = {n: f"\0{n}" for n in expressions.names(tree) & kept.keys()}
            marked = expressions.substitute(tree, {n: ast.Name(m) for n, m in own.items()})
            text = self.own(marked, self.env | {m: kept[n] for n, m in own.items()})
            for read, mark in sorted(own.items(), reverse=True):  # the longer of two first
                text = text.replace(mark, f"{module}.{read}")
            items.append(text if name == "val" else f"{name}={text}")
        return call(f"nn.init.{initializer.name}_", items)

    # -- raw parameters, and what no test can tell apart -----------------------------------------

    def _raw(self, raw: list[Layer], layers: list[Layer]) -> list[Statement]:
        chosen: dict[str, tuple[InitRule, list[Layer]]] = {}
        for layer in raw:
            rules = self._matching(layer)
            if rules:
                chosen.setdefault(rules[0].match, (rules[0], []))[1].append(layer)
        keys = [layer.key(name) for layer in layers for name in layer.parameters]
        made: list[Statement] = []
        for match, (rule, found) in chosen.items():
            paths = [layer.path for layer in found]
            initializer = rule.parameters[VALUE]
            if len(paths) == 1:
                draw = self.draw(initializer, _path(paths[0], raw=True), "", found[0])
                made.append(Statement(draw, rule.span))
                continue
            if [key for key in keys if InitRule(match, {}).matches("", key)] == paths:
                draw = self.draw(initializer, "parameter", "", found[0])
                head = "for name, parameter in self.named_parameters():"
                test = f"if fnmatchcase(name, {quoted(match)}):"
                body = [Statement(test, rule.span, [Statement(draw, rule.span)])]
            else:
                draw = self.draw(initializer, "self.get_parameter(name)", "", found[0])
                head = f"for name in ({', '.join(_quoted(paths))}):"
                body = [Statement(draw, rule.span)]
            made.append(Statement(head, rule.span, body))
        return made

    def _one_by_one(self, layers: list[Layer]) -> list[Statement]:
        """Parameters by name, those that are drawn alike together."""
        groups: dict[str, list[tuple[Layer, str, InitRule]]] = {}
        for layer in layers:
            for name in layer.parameters:
                rules = [r for r in self._matching(layer) if name in r.parameters]
                if rules and layer.key(name) not in self.tied:
                    draw = self.draw(rules[0].parameters[name], "", _path(layer.path), layer)
                    groups.setdefault(f"{name} {draw}", []).append((layer, name, rules[0]))
        made = []
        for group in groups.values():
            layer, name, rule = group[0]
            module = _path(layer.path, raw=layer.op.own)
            target = module if layer.op.own else f"{module}.{name}"
            if len(group) > 1:
                target = "self.get_parameter(name)"
            draw = self.draw(rule.parameters[name], target, module, layer)
            statement = Statement(draw, rule.span)
            if len(group) > 1:
                paths = _quoted([layer.key(name) for layer, name, _ in group])
                head = f"for name in ({', '.join(paths)}):"
                statement = Statement(head, rule.span, [statement])
            made.append(statement)
        return made


_MODULES = "for module in self.modules():"


def statements(graph: Graph, own: Own) -> list[Statement]:
    """The body of `init_weights`; `own` says how a method of the root class reads its names."""
    return Rules(graph, own).statements()


def _tests(rule: InitRule, names: Collection[str], layers: list[Layer]) -> list[Test]:
    """A rule as tests: one for all layers that have the same of its parameters."""
    found = [layer for layer in layers if rule.matches(layer.op.name, layer.path)]
    every: dict[str, set[str]] = {}  # the parameters that layers of an op may have
    for layer in found:
        every.setdefault(layer.op.name, set()).update(layer.parameters)
    kinds: dict[tuple[str, ...], list[Layer]] = {}
    for layer in found:
        drawn = (n for n in rule.parameters if n in names and n in every[layer.op.name])
        kinds.setdefault(tuple(drawn), []).append(layer)
    return [Test(rule, owners, list(drawn)) for drawn, owners in kinds.items() if drawn]


def _alike(last: tuple[list[Test], list[Statement]], test: Test, body: list[Statement]) -> bool:
    """Whether two tests, both of types or both of names, do the same, and so can be one."""
    before = last[0][-1]
    if test.is_exact != before.is_exact or test.rule.within != before.rule.within:
        return False
    if not test.is_exact and (test.rule.by_path or before.rule.by_path):
        return False
    return _code(last[1]) == _code(body)


def _code(body: list[Statement]) -> list[object]:
    return [(s.code, _code(s.body or [])) for s in body]


def _quoted(paths: list[str]) -> list[str]:
    return [quoted(path) for path in paths]


def _path(path: str, raw: bool = False) -> str:
    """A module, or a raw parameter, as a method of the root reads it."""
    if all(map(is_attribute, path.split("."))):
        return f"self.{path}"
    if "." not in path:
        return attribute(path)
    return f"self.get_{'parameter' if raw else 'submodule'}({quoted(path)})"
