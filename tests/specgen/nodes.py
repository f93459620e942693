"""Nodes that join, split, choose, or are there in one mode alone."""

from __future__ import annotations

from typing import Any

from graphbuild.names import is_variable
from specgen.draws import Block, Data, Names, Value
from specgen.layers import Layers


class Nodes(Layers):
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
