"""Random specs, nearly all of them valid: a hypothesis strategy for the whole language.

A spec is drawn as plain data, scope by scope. Of each value its width is known by a key: equal
keys are equal widths, so that sums are drawn of values that can be added; and its level, which is
how often it has been halved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from hypothesis import strategies as st

from graphbuild.names import is_variable

Data = dict[str, Any]
_INPUTS = {"image": ["N", 6, "H=8", "W=6"], "rows": ["N", 6], "tokens": ["N", "T=3", 6]}


@dataclass
class Value:
    """A value of a scope: how it is written, and what is known of its sizes."""

    name: str
    width: str
    level: int = 0


@dataclass
class Owner:
    """A node whose module another one can call: what it takes and what it gives."""

    name: str
    takes: Value
    gives: Value


@dataclass
class Block:
    """A block that can be called: its params, and what it does to its input."""

    name: str
    params: dict[str, Any]
    width: str  # "input" where it gives the width that it is given
    level: int
    outputs: str = ""  # how its first output is selected, where it gives several


@dataclass
class Names:
    """What expressions of a scope can read."""

    ints: list[str]
    flags: list[str]
    ops: list[str]
    lists: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)


class Maker:
    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], size: int) -> None:
        self.draw = draw
        self.world = self.one("image", "image", "rows", "tokens")
        self.blocks: list[Block] = []
        self.count = 0
        self.size = size
        self.room = 20 * size  # nodes that may still be written
        self.heads: list[str] = []  # values of the scope that may be absent

    def one(self, *items: Any) -> Any:
        return self.draw(st.sampled_from(items))

    def chance(self, of: int) -> bool:
        return bool(self.draw(st.integers(1, of)) == of)

    def number(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def fresh(self, stem: str) -> str:
        self.count += 1
        if stem == "n" and self.chance(6):
            stem = self.one("n-", "for", "é", "x")
        return f"{stem}{self.count}"

    # -- the whole ----------------------------------------------------------------------------

    def spec(self) -> Data:
        stages = [
            {"w": self.number(1, 5), "d": self.number(1, 2), "act": self.one("ReLU", "Tanh")}
            for _ in range(self.number(1, 3))
        ]
        params: Data = {
            "n": self.number(0, 3),
            "w": self.number(1, 5),
            "on": self.one(True, False),
            "act": self.one("ReLU", "GELU"),
            "ws": [self.number(1, 5) for _ in range(self.number(1, 3))],
            "stages": stages,
        }
        names = Names(["w", "n"], ["on"], ["act"], ["ws"], ["stages"])
        let: Data = {}
        if self.chance(3):
            let = {"w2": "$(w * 2)", "wide": "$(w2 + n)"}
            names.ints += list(let)
        blocks = {}
        for _ in range(self.number(0, self.size + 1)):
            name, data = self.rest() if self.chance(6) else self.block(names)
            blocks[name] = data
        scope, _ = self.scope(names, 0)
        if self.chance(5):
            scope["nodes"] |= self.tied()
            scope.pop("outputs", None)
        if self.chance(4) and self.world == "image":
            scope["nodes"]["pool"] = {"op": "AdaptiveAvgPool2d", "output_size": 1}
            scope["nodes"]["flat"] = {"op": "flatten", "start_dim": 1}
            scope["nodes"]["fc"] = {"op": "Linear", "out_features": 3}
        spec: Data = {"inputs": {"input": _INPUTS[self.world]}, "params": params}
        if self.chance(4):
            wide = {"image": "Conv2d", "rows": "Linear", "tokens": "Linear"}[self.world]
            out = {"Conv2d": "out_channels * kernel_size[0]", "Linear": "out_features"}[wide]
            bound = {"op": "uniform", "a": f"$(-1 / sqrt({out}))", "b": "$(w / 2)"}
            spec["init"] = [{"match": wide, "weight": bound}]
            if self.chance(2):
                spec["init"].insert(0, {"match": f"*{self.one('1', '2', '.0')}", "bias": "zeros"})
        if self.chance(4):
            arguments = {"image": "Conv2d", "rows": "Linear", "tokens": "Linear"}
            spec["defaults"] = {arguments[self.world]: {"bias": False}, "Dropout": {"p": 0.25}}
            for block in self.blocks:
                if "p" in block.params and self.chance(2):
                    spec["defaults"][block.name] = {"p": "$(w + 1)"}
        spec |= {"let": let} if let else {}
        spec |= {"blocks": blocks} if blocks else {}
        return {**spec, **scope}

    def tied(self) -> Data:
        """Layers that have a weight in common."""
        first, group = self.wide(5), {"nodes": {"inner": self.wide(5)}}
        nodes = {"tie1": first, "tie2": group}
        layer = {**group["nodes"]["inner"], "tie": {"weight": "tie2.inner.weight"}}
        if self.chance(2):
            layer |= {"repeat": self.one(2, "$n")}
        nodes["tie3"] = layer
        nodes["tie4"] = {
            **group["nodes"]["inner"],
            "tie": {"weight": self.one("tie2.inner.weight", "tie5.weight")},
        }
        nodes["tie5"] = dict(group["nodes"]["inner"])
        return nodes

    def rest(self) -> tuple[str, Data]:
        """A block that passes arguments on, to a layer or to another such block."""
        target = self.wide(2)
        others = [b.name for b in self.blocks if "rest" in b.params]
        op = self.one(target["op"], *others)
        norm = {"image": "BatchNorm2d", "rows": "BatchNorm1d", "tokens": "LayerNorm"}[self.world]
        data: Data = {"rest": "inner", "nodes": {"inner": {"op": op}, "norm": {"op": norm}}}
        if self.chance(2):
            data["nodes"]["sum"] = {"op": "add", "from": ["norm", "inner"]}
        block = Block(self.fresh("b"), {"rest": "int"}, "?", 0)
        self.blocks.append(block)
        return block.name, data

    def block(self, around: Names) -> tuple[str, Data]:
        params: Data = {}
        own = Names(
            list(around.ints), list(around.flags), list(around.ops), around.lists, around.stages
        )
        for name in ("p", "q"):
            if self.chance(2):
                params[name] = self.one("int", self.number(1, 4))
                own.ints.append(name)
        if self.chance(3):
            params["flag"] = self.one("bool", True, False)
            own.flags.append("flag")
        if self.chance(3):
            params["kind"] = self.one("op", "ReLU")
            own.ops.append("kind")
        data: Data = {"params": params} if params else {}
        if params and self.chance(3) and own.ints:
            data["let"] = {"v": f"$({self.one(*own.ints)} + 1)"}
            own.ints.append("v")
        if self.chance(3):
            data |= {"nodes": self.chain(own, 2)}
            result = Value("", self.fresh("?"))
            if "halve" in str(data["nodes"]):
                result.level = str(data["nodes"]).count("halve")
        else:
            scope, result = self.scope(own, 1)
            data |= scope
        block = Block(self.fresh("b"), params, result.width, result.level)
        if "outputs" in data:
            block.outputs = "0" if isinstance(data["outputs"], list) else "o0"
        self.blocks.append(block)
        return block.name, data

    # -- scopes -------------------------------------------------------------------------------

    def scope(self, names: Names, depth: int, loop: tuple[str, ...] = ()) -> tuple[Data, Value]:
        """A mapping of nodes that take any of the values above them."""
        values = [Value("input", "input")]
        last = values[0]
        owners: list[Owner] = []
        nodes: Data = {}
        around, self.heads = self.heads, []
        for _ in range(self.number(1, 2 * self.size + 1 if depth == 0 else self.size + 1)):
            operand = last if self.chance(2) else self.one(*values)
            if owners and self.chance(4):
                found = self.again(owners, values, names)
                if found is not None:
                    nodes |= found[0]
                    values.append(found[1])
                    last = found[1]
                continue
            made = self.node(nodes, operand, values, names, depth, loop)
            if made is None:
                continue
            above = next(reversed(nodes), "input")
            takers = [d for d in made[0].values() if d.get("op") not in ("parameter", "buffer")]
            first = takers[0]
            if operand.name != above and "from" not in first:
                first["from"] = operand.name
            nodes |= made[0]
            values += [value for value in made[1] if value.level < 9]
            last = made[1][-1] if made[1][-1].level < 9 else operand
            op = first.get("op", "B")
            plain = not {"if", "connect", "outputs"} & first.keys() and isinstance(
                first.get("from", ""), str
            )
            known = op[:1].isupper() or any(op == b.name for b in self.blocks)
            if known and plain and len(made[0]) == 1 and last.name == next(iter(made[0])):
                owners.append(Owner(last.name, operand, last))
        if not nodes:
            nodes["same"] = {"op": "Identity"}
            last = Value("same", "input")
        if "." in last.name:  # a part of the last node's value
            part, last = last, Value(self.fresh("e"), last.width, last.level)
            nodes[last.name] = {"op": "abs", "from": part.name}
        data: Data = {"nodes": nodes}
        if self.chance(5) and depth < 2:
            chosen = [self.one(*values[1:], last) for _ in range(self.number(1, 2))]
            texts = list(dict.fromkeys([*(v.name for v in chosen), *self.heads]))
            self.heads = around
            if self.chance(2):
                data["outputs"] = texts
            else:
                data["outputs"] = {f"o{k}": t for k, t in enumerate(texts)}
            return data, chosen[0]
        self.heads = around
        return data, last

    def again(
        self, owners: list[Owner], values: list[Value], names: Names
    ) -> tuple[Data, Value] | None:
        """Another call of a node's module, perhaps in turn."""
        owner = self.one(*owners)
        takes, gives = owner.takes, owner.gives
        level = gives.level - takes.level
        alike = [v for v in values if v.width == takes.width and v.level + level < 3]
        if not alike:
            return None
        operand, name = self.one(*alike), self.fresh("n")
        data = {"share": owner.name, "from": operand.name}
        if self.chance(4) and gives.width == takes.width and not level:
            data["repeat"] = self.one(2, "$n", 1)
        elif self.chance(4) and gives.width == takes.width and not level:
            data["if"] = self.flag(names, ())
        return {name: data}, Value(name, gives.width, operand.level + level)

    def chain(self, names: Names, depth: int, loop: tuple[str, ...] = ()) -> Any:
        """A mapping or a list of nodes, each on the one above it."""
        made: list[Data] = []
        for _ in range(self.number(1, 3)):
            data, _ = self.layer(names, loop)
            if self.chance(4):
                data["if"] = self.flag(names, loop)
            if self.chance(4) and not loop:
                data |= self.turns(data, names)
            made.append(data)
        if self.chance(2):
            return made
        return {self.named(data, self.fresh("c")): data for data in made}

    def named(self, data: Data, name: str) -> str:
        return f"{name}_$(i)" if "repeat" in data and self.chance(2) else name

    # -- nodes --------------------------------------------------------------------------------

    def node(
        self,
        nodes: Data,
        operand: Value,
        values: list[Value],
        names: Names,
        depth: int,
        loop: tuple[str, ...],
    ) -> tuple[dict[str, Data], list[Value]] | None:
        """A node (or two) on an operand, and the values that it adds."""
        self.room -= 1
        kinds = ["layer", "layer", "merge", "merge", "call", "part", "size", "when", "raw"]
        kinds.append("include")
        if depth < 2 and self.room > 0:
            kinds += ["group", "repeat", "dense", "parallel", "routed", "turns"]
        kind = self.one(*kinds)
        name = self.fresh("n")
        if kind == "layer":
            data, width = self.layer(names, loop)
            result = Value(name, width or operand.width, operand.level)
            if data["op"].startswith("MaxPool") and data.get("kernel_size") == 2:
                result.level += 1
                if result.level > 2:
                    return None
            if self.chance(5):
                data["if"] = self.flag(names, loop)
                same = width is None and result.level == operand.level
                if not same:
                    if result.level != operand.level:
                        return None
                    result.width = self.fresh("?")
            return {name: data}, [result]
        if kind == "merge":
            return self.merge(name, operand, values)
        if kind == "part":
            return self.part(name, operand)
        if kind == "raw":
            return self.raw(name, operand, names)
        if kind == "when":
            return self.when(name, operand, names, loop)
        if kind == "size" and self.world == "image":
            size = self.one("$([input.height, input.width])", "$([input.height, input.shape[-1]])")
            data = {"op": "interpolate", "size": size}
            if self.chance(2):
                data = {
                    "op": "interpolate",
                    "size": f"$([input.height * ({names.ints[0]} + 1), 5])",
                }
                return {name: data}, [operand, Value(name, self.fresh("?"), 9)]
            return {name: data}, [Value(name, operand.width, 0)]
        if kind == "include":
            return self.include(name, operand, names, loop)
        if kind == "call" and self.blocks:
            block = self.one(*self.blocks)
            if operand.level + block.level > 2:
                return None
            data = self.call(block, names, loop)
            width = operand.width if block.width == "input" else self.fresh("?")
            if block.outputs:
                return {name: data}, [
                    Value(f"{name}.{block.outputs}", width, operand.level + block.level)
                ]
            return {name: data}, [Value(name, width, operand.level + block.level)]
        if kind == "group":
            if self.chance(2):
                inner: Data = {"nodes": self.chain(names, depth + 1, loop)}
                level = str(inner).count("halve")
                return {name: inner}, [Value(name, self.fresh("?"), operand.level + level)]
            inner, result = self.scope(names, 2, loop)
            if operand.level + result.level > 2:
                return None
            width = operand.width if result.width == "input" else self.fresh("?")
            return {name: inner}, [Value(name, width, operand.level + result.level)]
        if kind == "turns":
            own = "$(input.shape[2])" if self.world == "tokens" else "$input.channels"
            inner = {"nodes": [self.wide(own), {"op": self.one("ReLU", "Tanh")}]}
            keeps = [b for b in self.blocks if b.width == "input" and not b.level and not b.outputs]
            if keeps and self.chance(2):
                inner = self.call(self.one(*keeps), names, loop)
            if "i" in str(loop) and "$(i" in str(inner):
                return None
            count = self.one(2, "$n", 1, f"$({names.ints[0]} + 1)")
            return {name: {**inner, "repeat": count, "share": True}}, [
                Value(name, operand.width, operand.level)
            ]
        if kind == "repeat":
            return self.repeat(name, operand, names, depth, loop)
        if kind == "routed":
            return self.routed(name, operand, names, loop)
        if kind == "dense" and self.world != "tokens":
            return {name: self.dense(names, loop)}, [Value(name, self.fresh("?"), operand.level)]
        if kind == "parallel":
            dim = 2 if self.world == "tokens" else 1
            joined = f"{name}_all"
            group = {"connect": "parallel", "nodes": self.children(names, loop)}
            return (
                {name: group, joined: {"op": "concat", "dim": dim}},
                [Value(joined, self.fresh("?"), operand.level)],
            )
        return None

    def include(
        self, name: str, operand: Value, names: Names, loop: tuple[str, ...]
    ) -> tuple[dict[str, Data], list[Value]] | None:
        """A spec of `tests/parts`, which halves an image or gives a row of another width."""
        if self.world == "rows":
            data: Data = {"spec": self.one("inner", "inner.yml"), "from": operand.name}
            if self.chance(2):
                data["params"] = {"size": self.width(names, loop)}
            return {name: data}, [Value(name, self.fresh("?"))]
        if self.world != "image" or operand.level > 1 or not is_variable(operand.name):
            return None
        params: Data = {"channels": f"$({operand.name}.channels)"}
        more = {"width": self.width(names, loop), "depth": self.number(0, 3), "act": "Tanh"}
        params |= {key: value for key, value in more.items() if self.chance(2)}
        paths = ("stem", "body", "body.1", "grown.g2", "sides.1", "all", "grown", "body.0.conv")
        data = {"spec": "encoder", "from": operand.name, "params": params}
        if self.chance(2):
            data["outputs"] = self.one(*paths)
            return {name: data}, [Value(name, self.fresh("?"), operand.level + 1)]
        data["outputs"] = {"out": self.one(*paths), "mid": self.one(*paths)}
        parts = ("out", "mid")
        return {name: data}, [
            Value(f"{name}.{part}", self.fresh("?"), operand.level + 1) for part in parts
        ]

    def routed(
        self, name: str, operand: Value, names: Names, loop: tuple[str, ...]
    ) -> tuple[dict[str, Data], list[Value]]:
        """What chooses, computed from a value, and the node whose cases take that value."""
        kind = self.one("switch", "route", "flags", "mixture", "top_k")
        last, count = (2 if self.world == "tokens" else 1), self.number(2, 3)
        made: dict[str, Data] = {}
        if kind == "switch":
            made |= {f"{name}_m": {"op": "mean"}, f"{name}_f": {"op": "gt", "other": 0.0}}
        else:
            if self.world == "image":
                made[f"{name}_p"] = {"op": "mean", "dim": [2, 3]}
            made[f"{name}_s"] = {"op": "Linear", "out_features": count}
            if kind in ("route", "flags"):
                made[f"{name}_i"] = {"op": "argmax", "dim": last}
            if kind == "flags":
                made[f"{name}_f"] = {"op": "gt", "other": 0}
        data: Data = {"from": operand.name}
        data[{"flags": "route", "top_k": "mixture"}.get(kind, kind)] = next(reversed(made))
        if kind == "top_k":
            data["top_k"] = self.one(1, 2, f"$(min({self.one(*names.ints)} + 1, {count}))")
        width = f"$({self.one(*names.ints)} + 1)" if self.chance(2) else self.number(1, 5)
        flags = kind in ("switch", "flags")
        keys = ["true", "false"] if flags else [self.fresh("e") for _ in range(count)]
        cases = {key: self.case(width, names) for key in keys}
        data["cases"] = cases if flags or self.chance(2) else list(cases.values())
        if not flags and self.chance(4):
            data["cases"] = {**self.wide(width), "repeat": count}
        known = str(width) if not loop else self.fresh("?")
        return {**made, name: data}, [Value(name, known, operand.level)]

    def case(self, width: Any, names: Names) -> Data:
        """Something that gives a width, however it is given one."""
        if self.chance(2):
            return self.wide(width)
        first, act = self.wide(f"$({self.one(*names.ints)} + 2)"), {"op": self.one("ReLU", "Tanh")}
        if self.chance(2):
            return {"nodes": [first, act, self.wide(width)]}
        nodes: Data = {"a": first, "b": act, "c": {"op": "add", "from": ["a", "b"]}}
        return {"nodes": {**nodes, "d": self.wide(width)}}

    def layer(self, names: Names, loop: tuple[str, ...]) -> tuple[Data, str | None]:
        """A layer or a function on one tensor, and its width where it sets one."""
        kind = self.one("wide", "wide", "norm", "act", "act", "function", "op", "other")
        if kind == "wide":
            text = self.width(names, loop)
            key = text if not loop and "input" not in str(text) else None
            key = "input" if text in ("$input.channels", "$(input.shape[2])") else key
            return self.wide(text), str(key) if key is not None else self.fresh("?")
        if kind == "norm":
            norms = {"image": "BatchNorm2d", "rows": "BatchNorm1d", "tokens": "LayerNorm"}
            return {"op": norms[self.world]}, None
        if kind == "op":
            return {"op": f"${self.one(*names.ops)}"}, None
        if kind == "function":
            which = self.one("relu", "sigmoid", "mul", "abs", "softmax", "dropout", "scale")
            if which == "mul":
                return {"op": "mul", "other": self.one(2, 0.5, f"${self.one(*names.ints)}")}, None
            if which == "scale":
                return {"op": "add", "other": f"$({self.one(*names.ints)} + 1)"}, None
            if which == "softmax":
                return {"op": "softmax", "dim": 1}, None
            return {"op": which}, None
        if kind == "other" and self.world == "image":
            if self.chance(4):
                return {"op": "MaxPool2d", "kernel_size": 2, "ceil_mode": True}, None
            return {"op": "MaxPool2d", "kernel_size": 3, "stride": 1, "padding": 1}, None
        data: Data = {"op": self.one("ReLU", "GELU", "Tanh", "Dropout", "Sigmoid")}
        if data["op"] == "ReLU" and self.chance(4):
            data["inplace"] = True
        return data, None

    def wide(self, width: Any) -> Data:
        if self.world == "image":
            data: Data = {"op": "Conv2d", "out_channels": width, "kernel_size": 1}
            if self.chance(3):
                data |= {"kernel_size": 3, "padding": 1}
            return data
        return {"op": "Linear", "out_features": width}

    def width(self, names: Names, loop: tuple[str, ...]) -> Any:
        """An expression for a width: at least 1, and small."""
        own = "$(input.shape[2])" if self.world == "tokens" else "$input.channels"
        name = self.one(*names.ints)
        choices = [
            self.number(1, 5),
            own,
            f"$({name} + 1)",
            f"$({name} * 2 + 1)",
            f"$(max({name}, 2))",
        ]
        if "w" in names.ints:
            choices.append("$w")
        choices += [f"$({variable} + 1)" for variable in loop]
        if "i" in loop:
            choices.append(f"$({name} + 1 if i == 0 else 3)")
        return self.one(*choices)

    def flag(self, names: Names, loop: tuple[str, ...]) -> str:
        flag = self.one(*names.flags)
        choices = [f"${flag}", f"$(not {flag})", f"$({self.one(*names.ints)} > 1)"]
        if "i" in loop:
            choices += ["$(i > 0)", f"$(i < 1 or {flag})"]
        return str(self.one(*choices))

    def merge(
        self, name: str, operand: Value, values: list[Value]
    ) -> tuple[dict[str, Data], list[Value]]:
        alike = [v for v in values if v.width == operand.width and v.level == operand.level]
        level = [v for v in values if v.level == operand.level]
        if self.chance(2):
            others = [self.one(*alike) for _ in range(self.number(1, 2))]
            op = self.one("add", "mul", "add", "sub")
            others = others[:1] if op == "sub" else others
            edges = [operand.name, *(v.name for v in others)]
            if self.chance(3):  # on the edge
                data, width = {"op": "ReLU"}, operand.width
                return {name: {**data, "from": {op: edges}}}, [Value(name, width, operand.level)]
            return {name: {"op": op, "from": edges}}, [Value(name, operand.width, operand.level)]
        dim = 2 if self.world == "tokens" else 1
        edges = [operand.name, *(self.one(*level).name for _ in range(self.number(1, 2)))]
        result = Value(name, self.fresh("?"), operand.level)
        if self.chance(3):
            return {name: {"op": "Tanh", "from": {"concat": edges, "dim": dim}}}, [result]
        return {name: {"op": "concat", "from": edges, "dim": dim}}, [result]

    def raw(self, name: str, operand: Value, names: Names) -> tuple[dict[str, Data], list[Value]]:
        """A value times a parameter, or plus what a buffer holds."""
        one = self.fresh("p")
        if self.chance(2):
            init = self.one(
                "ones", {"op": "normal", "std": "$(0.1 * w)"}, {"op": "constant", "val": 2}
            )
            data: Data = {"op": "parameter", "shape": [1] * self.number(0, 2), "init": init}
            return (
                {one: data, name: {"op": "mul", "from": [operand.name, one]}},
                [Value(name, operand.width, operand.level)],
            )
        start: Data = {"op": "buffer", "value": [0.5], "persistent": self.one(True, False)}
        if self.chance(2):
            start = {"op": "arange", "start": 1, "end": "$(w + 1)"}
        made = {one: start, f"{one}s": {"op": "sum", "from": one}}
        last = {"op": "buffer", "from": f"{one}s", "persistent": self.one(True, False)}
        return (
            {**made, f"{one}b": last, name: {"op": "add", "from": [operand.name, f"{one}b"]}},
            [Value(name, operand.width, operand.level)],
        )

    def part(self, name: str, operand: Value) -> tuple[dict[str, Data], list[Value]]:
        """A value doubled, then halved again."""
        dim = 2 if self.world == "tokens" else 1
        twice = {"op": "concat", "from": [operand.name, operand.name], "dim": dim}
        parts = {"op": "chunk", "chunks": 2, "dim": dim}
        return (
            {f"{name}_t": twice, name: parts},
            [
                Value(f"{name}_t", self.fresh("?"), operand.level),
                Value(f"{name}.1", operand.width, operand.level),
                Value(f"{name}.0", operand.width, operand.level),
            ],
        )

    def when(
        self, name: str, operand: Value, names: Names, loop: tuple[str, ...]
    ) -> tuple[dict[str, Data], list[Value]]:
        """A value that may be absent, what hangs on it, and a sum that takes it where it is there."""
        flag = self.one(*names.flags)
        conditions = [
            "$training", "$(not training)", f"$({flag} and training)", f"$(training or {flag})",
            f"${flag}", f"$(not {flag} and not training)", f"$({self.one(*names.ints)} > 1)",
        ]  # fmt: skip
        if "i" in loop:
            conditions += ["$(i > 0 and training)", "$(i == 0)"]
        head, wide = self.fresh("h"), self.fresh("h")
        layer: Data = {"op": self.one("sigmoid", "Tanh", "relu", "Dropout")}
        made: dict[str, Data] = {
            head: {**layer, "from": operand.name, "when": self.one(*conditions)}
        }
        others = [head]
        if self.chance(3):
            others.append(self.fresh("h"))
            made[others[-1]] = {"op": "mul", "other": 2, "from": head}
        if self.chance(3):
            others.append(self.fresh("h"))
            more = {"op": "abs", "from": operand.name, "when": self.one(*conditions)}
            made[others[-1]] = more
        if self.chance(2):
            made[wide] = {**self.wide(self.width(names, ())), "from": self.one(*others)}
            self.heads += [wide, self.one(*others)]
        taken = [operand.name, *(self.one(*others) for _ in range(self.number(1, 2)))]
        if self.chance(3):
            made[name] = {"op": "ReLU", "from": {"add": taken[::-1]}}
        else:
            made[name] = {"op": self.one("add", "mul"), "from": taken}
        return made, [Value(name, operand.width, operand.level)]

    def call(self, block: Block, names: Names, loop: tuple[str, ...]) -> Data:
        data: Data = {"op": block.name}
        if "rest" in block.params:
            given = self.wide(self.width(names, loop))
            return {**given, **data, **({"bias": False} if self.chance(3) else {})}
        for name, default in block.params.items():
            if default not in ("int", "bool", "op") and self.chance(2):
                continue
            if name in ("p", "q"):
                choices = [self.number(1, 5), f"$({self.one(*names.ints)} + 1)"]
                data[name] = self.one(*choices, *(f"$({v} + 1)" for v in loop))
            elif name == "flag":
                data[name] = self.one(True, False, f"${self.one(*names.flags)}")
            else:
                free = [
                    b.name for b in self.blocks if not b.params and not b.level | bool(b.outputs)
                ]
                data[name] = self.one("ReLU", "GELU", None, f"${self.one(*names.ops)}", *free)
        return data

    def turns(self, data: Data, names: Names) -> Data:
        """`repeat` for a layer, whose width may then follow the turn."""
        variable = None
        repeat: Any = self.one(2, "$n", 1, 3)
        if self.chance(2):
            variable = self.one("k", "v1")
            repeat = {variable: self.one(f"${self.one(*names.lists)}", [2, 1], 2, "$n")}
        for key in ("out_channels", "out_features"):
            if key in data and self.chance(2):
                data[key] = f"$({variable or 'i'} + 1)"
        return {"repeat": repeat}

    def repeat(
        self, name: str, operand: Value, names: Names, depth: int, loop: tuple[str, ...]
    ) -> tuple[dict[str, Data], list[Value]] | None:
        kind = self.one("layer", "call", "group", "scope", "stages")
        result = Value(name, self.fresh("?"), operand.level)
        if kind == "layer":
            data, _ = self.layer(names, ())
            data |= self.turns(data, names)
        elif kind == "call":
            flat = [b for b in self.blocks if b.level == 0 and not b.outputs]
            if not flat:
                return None
            block = self.one(*flat)
            if self.chance(2):
                data = {**self.call(block, names, ("i",)), "repeat": self.one(2, "$n", 3)}
            else:
                data = {**self.call(block, names, ("k",)), "repeat": {"k": "$ws"}}
            if block.width == "input":
                result.width = operand.width
        elif kind == "stages":
            inner = self.wide("$(s.w)")
            if self.chance(2):
                inner["repeat"] = "$s.d"
            act: Data = {"op": self.one("ReLU", "$s.act")}
            data = {"repeat": {"s": "$stages"}, "nodes": {"a": inner, "b": act}}
        elif kind == "group":
            data = {"repeat": self.one(2, "$n"), "nodes": self.chain(names, 2, ("i",))}
        else:
            inner, made = self.scope(names, 2, ("i",))
            if made.level:
                return None
            data = {"repeat": self.one(2, "$n"), **inner}
            if made.width == "input":
                result.width = operand.width
        if "halve" in str(data) or "MaxPool2d', 'kernel_size': 2" in str(data):
            return None
        if "nodes" not in data and self.chance(3):
            return {f"{name}_$(i)": {**data, "repeat": 2}}, [
                Value(f"{name}_1", result.width, result.level)
            ]
        return {name: data}, [result]

    def dense(self, names: Names, loop: tuple[str, ...]) -> Data:
        children = self.children(names, loop)
        if self.chance(3):
            data = self.wide(self.one(2, "$(i + 1)", "$w"))
            children[f"{self.fresh('l')}_$(i)"] = {**data, "repeat": self.one(2, "$n")}
        data = {"connect": "dense", "nodes": children}
        if self.chance(3) and all("$" not in name for name in children):
            data["nodes"] = list(children.values())
        return data

    def children(self, names: Names, loop: tuple[str, ...]) -> Data:
        children: Data = {}
        for _ in range(self.number(1, 3)):
            flat = [b for b in self.blocks if b.level == 0 and not b.outputs]
            if flat and self.chance(3):
                children[self.fresh("d")] = self.call(self.one(*flat), names, loop)
                continue
            data = self.wide(self.width(names, loop))
            if self.chance(5):
                data["if"] = self.flag(names, loop)
            children[self.fresh("d")] = data
        return children


class _Dumper(yaml.SafeDumper):
    """Writes as `graphbuild fmt` does, nearly always."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# by YAML 1.2 the words `on` and `no` are text
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if first in "tf" or not tag.endswith(":bool")]
    for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def written(data: Data) -> str:
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10**6
    )
    return text


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any], size: int = 2) -> str:
    """The text of a spec, without `graphbuild` and `name`."""
    return written(Maker(draw, size).spec())
