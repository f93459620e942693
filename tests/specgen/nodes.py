"""Nodes that join, split, reshape, or are there in one mode alone."""

from __future__ import annotations

from typing import Any

from graphbuild.names import is_variable
from specgen.draws import Data, Names, Value
from specgen.layers import Layers


class Nodes(Layers):
    def merge(
        self, name: str, operand: Value, values: list[Value]
    ) -> tuple[dict[str, Data], list[Value]]:
        alike = [v for v in values if v.width == operand.width and v.level == operand.level]
        level = [v for v in values if v.level == operand.level]
        if self.chance(2):
            others = [self.one(*alike) for _ in range(self.number(1, 2))]
            op = self.one("add", "mul", "add", "sub")
            others = others[:1] if op == "sub" else others
            edges: list[Any] = [operand.name, *(v.name for v in others)]
            if op == "sub" and self.chance(2):  # by the operands' names
                wires = {"other": edges[1], "input": edges[0]}
                return {name: {"op": op, "from": wires}}, [
                    Value(name, operand.width, operand.level)
                ]
            if self.chance(3):  # a merge of a merge
                edges = [{"mul": edges}, self.one(*alike).name]
                op = "add"
            if (len(edges) == 2 and isinstance(edges[0], dict)) or self.chance(3):  # on the edge
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
            if self.chance(4):
                data = {"op": "parameter", "value": "$(w / 4)", "requires_grad": self.chance(2)}
            return (
                {one: data, name: {"op": "mul", "from": [operand.name, one]}},
                [Value(name, operand.width, operand.level)],
            )
        start: Data = {"op": "buffer", "value": [0.5], "persistent": self.one(True, False)}
        if self.chance(3):
            start |= {"value": [[1, 2], [3, "$w"]], "dtype": self.one("float32", "float64")}
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

    def several(
        self, name: str, operand: Value, names: Names
    ) -> tuple[dict[str, Data], list[Value]]:
        """An op that gives several values, of which one is taken."""
        last = 2 if self.world == "tokens" else 1
        best = {"op": "topk", "k": 1, "dim": last}
        if self.world != "tokens" or self.chance(3):
            return {name: best}, [Value(f"{name}.values", "1", operand.level)]
        if self.chance(2):
            wires = [operand.name] * 3
            data: Data = {
                "op": "MultiheadAttention",
                "num_heads": 1,
                "batch_first": True,
                "from": wires,
            }
            return {name: data}, [Value(f"{name}.output", operand.width, operand.level)]
        data = {
            "op": self.one("GRU", "LSTM", "RNN"),
            "hidden_size": self.number(1, 4),
            "batch_first": True,
        }
        return {name: data}, [Value(f"{name}.output", str(data["hidden_size"]), operand.level)]

    def sized(
        self, name: str, operand: Value, values: list[Value], names: Names
    ) -> tuple[dict[str, Data], list[Value]] | None:
        """A function whose arguments read sizes, free ones too."""
        read = self.one(*(v.name for v in values if is_variable(v.name)), "input")
        if self.world != "image":
            sizes = [f"$({read}.shape[{k}])" for k in range(2 if self.world == "tokens" else 1)]
            if self.chance(3):
                scaled = {"op": "mul", "other": f"$(1 / {read}.shape[0] + {names.ints[0]})"}
                return {name: scaled}, [Value(name, operand.width, operand.level)]
            return {name: {"op": "reshape", "shape": [*sizes, -1]}}, [
                Value(name, operand.width, operand.level)
            ]
        size = self.one("$([input.height, input.width])", "$([input.height, input.shape[-1]])")
        data: Data = {
            "op": "interpolate",
            "size": size,
            "mode": "$(part == 'n' and 'nearest' or 'bilinear')",
        }
        if self.chance(2):
            data = {"op": "interpolate", "size": size}
        if self.chance(2):
            wide = f"$([{read}.height * ({names.ints[0]} + 1), 5])"
            data = {"op": "interpolate", "size": wide}
            return {name: data}, [operand, Value(name, self.fresh("?"), 9)]
        return {name: data}, [Value(name, operand.width, 0)]

    def pair(
        self, name: str, operand: Value, values: list[Value], names: Names
    ) -> tuple[dict[str, Data], list[Value]]:
        """A block or group of two inputs, perhaps in turn, with the same module or another."""
        level = [v for v in values if v.level == operand.level]
        wires = [operand.name, self.one(*level).name]
        data: Data = {"from": wires}
        if self.pairs and not self.chance(3):
            data |= {"op": self.one(*self.pairs)}
            if self.chance(2):
                data |= {"from": {"left": wires[0], "right": wires[1]}}
        else:
            data |= self.two()
        if self.chance(2):
            data["repeat"] = self.one(2, "$n", 1)
            if self.chance(2):
                data["share"] = True
        return {name: data}, [Value(name, operand.width, operand.level)]

    def two(self) -> Data:
        """The inside of a scope of two inputs, which gives what its first input is like."""
        own = "$(left.shape[2])" if self.world == "tokens" else "$left.channels"
        dim = 2 if self.world == "tokens" else 1
        both = {"concat": ["left", "right"], "dim": dim}
        last: Data = {"op": "add", "from": ["both", "left"]}
        if self.chance(3):
            last = {"op": self.one("ReLU", "Tanh"), "from": {"add": ["left", "both"]}}
        return {
            "inputs": ["left", "right"],
            "nodes": {"both": {**self.wide(own), "from": both}, "out": last},
        }

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
