"""Nodes that call blocks and other specs, and those that choose among cases."""

from __future__ import annotations

from typing import Any

from graphbuild.names import is_variable
from specgen.draws import Block, Data, Names, Value
from specgen.nodes import Nodes


class Calls(Nodes):
    def include(
        self, name: str, operand: Value, names: Names, loop: tuple[str, ...]
    ) -> tuple[dict[str, Data], list[Value]] | None:
        """A spec of `tests/parts`, which halves an image or gives a row of another width."""
        if self.world == "rows" and self.chance(4):
            wires = {"left": operand.name, "right": operand.name}
            data: Data = {"spec": "pair", "from": self.one(wires, list(wires.values()))}
            data["params"] = {"features": f"$({operand.name}.shape[1])"}
            if not is_variable(operand.name):
                return None
            return {name: data}, [
                Value(f"{name}.sum", operand.width),
                Value(f"{name}.deep", self.fresh("?")),
            ]
        if self.world == "rows":
            data = {"spec": self.one("inner", "inner.yml"), "from": operand.name}
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
        if self.chance(4):
            data |= {"spec": "wider", "params": {"channels": f"$({operand.name}.channels)"}}
        if self.chance(4):  # the whole of it, as an output of its own
            self.heads.append(name)
            after = {"op": "abs", "from": operand.name}
            return {name: data, f"{name}_a": after}, [
                Value(f"{name}_a", operand.width, operand.level)
            ]
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

    def from_given(
        self, name: str, operand: Value, names: Names
    ) -> tuple[dict[str, Data], list[Value]] | None:
        """A node that a further input of the spec chooses for, or is looked up by."""
        kinds = [kind for kind in self.given if not kind.startswith("more")]
        if not kinds:
            return None
        kind, width = self.one(*kinds), self.number(1, 4)
        if kind == "ids":
            data: Data = {
                "op": "Embedding",
                "num_embeddings": 4,
                "embedding_dim": width,
                "from": "ids",
            }
            return {name: data}, [Value(name, str(width))]
        first, second = self.case(width, names), self.case(width, names)
        if kind == "flag":
            data = {"switch": "flag", "cases": {"false": first, "true": second}}
        elif kind == "index":
            cases = self.one([first, second], {"a": first, "b": second})
            flags = self.given["index"]["dtype"] == "bool"
            data = {"route": "index", "cases": {"false": first, "true": second} if flags else cases}
        else:
            data = {"mixture": "gate", "cases": [first, second]}
            data |= {"top_k": self.number(1, 2)} if self.chance(2) else {}
        return {name: {**data, "from": operand.name}}, [Value(name, str(width), operand.level)]

    def case(self, width: Any, names: Names) -> Data:
        """Something that gives a width, however it is given one."""
        if self.chance(2):
            return self.wide(width)
        if self.world == "rows" and not self.chance(3):
            return {"spec": "inner", "params": {"size": width}}
        first, act = self.wide(f"$({self.one(*names.ints)} + 2)"), {"op": self.one("ReLU", "Tanh")}
        if self.chance(2):
            return {"nodes": [first, act, self.wide(width)]}
        nodes: Data = {"a": first, "b": act, "c": {"op": "add", "from": ["a", "b"]}}
        return {"nodes": {**nodes, "d": self.wide(width)}}

    def call(self, block: Block, names: Names, loop: tuple[str, ...]) -> Data:
        data: Data = {"op": block.name}
        if "rest" in block.params:
            given = self.wide(self.width(names, loop))
            return {**given, **data, **({"bias": False} if self.chance(3) else {})}
        for name, default in block.params.items():
            if default not in ("int", "bool", "op") and self.chance(2):
                continue
            if name in ("p", "q"):
                choices = [self.number(1, 5), self.expression(names), self.expression(names)]
                data[name] = self.one(*choices, *(f"$({v} + 1)" for v in loop))
            elif name == "flag":
                data[name] = self.one(True, False, f"${self.one(*names.flags)}")
            else:
                free = [
                    b.name for b in self.blocks if not b.params and not b.level | bool(b.outputs)
                ]
                data[name] = self.one("ReLU", "GELU", None, f"${self.one(*names.ops)}", *free)
        return data
