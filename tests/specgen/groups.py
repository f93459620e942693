"""Groups, repetitions, and children that are wired as their group says."""

from __future__ import annotations

from typing import Any

from specgen.calls import Calls
from specgen.draws import Data, Names, Value


class Groups(Calls):
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

    def turns(self, data: Data, names: Names) -> Data:
        """`repeat` for a layer, whose width may then follow the turn."""
        variable = None
        repeat: Any = self.one(2, "$n", 1, 3)
        if self.chance(2):
            variable = self.one("k", "v1")
            repeat = {variable: self.one(f"${self.one(*names.lists)}", [2, 1], 2, "$n")}
            if repeat[variable] == "$ws":
                repeat |= {"m": "$([a * 2 for a in ws])"}
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
            flat = self.flat()
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
            if self.world != "tokens" and self.chance(2):
                data = {"repeat": self.one(2, "$n"), **self.dense(names, ())}
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
            flat = self.flat()
            if flat and self.chance(3):
                children[self.fresh("d")] = self.call(self.one(*flat), names, loop)
                continue
            data = self.wide(self.width(names, loop))
            if self.chance(5):
                data["if"] = self.flag(names, loop)
            children[self.fresh("d")] = data
        return children
