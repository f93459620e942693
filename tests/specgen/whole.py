"""A whole spec: params, blocks, nodes, defaults and rules."""

from __future__ import annotations

from typing import Any

from specgen.draws import Data, Names
from specgen.scopes import Scopes

_INPUTS: dict[str, list[Any]] = {
    "image": ["N", 6, "H=8", "W=6"],
    "rows": ["N", 6],
    "tokens": ["N", "T=3", 6],
}
_FREE = {"image": ("H", 2), "rows": ("N", 1), "tokens": ("T", 3)}  # and what sizes are multiples of
EXTENDED = {"encoder": {"channels": 3}, "inner": {"size": 5}, "pair": {"features": 2}, "wider": {"act": "ReLU"},
            "sharing": {"width": 3}, "stages": {"width": 5}}  # fmt: skip


class Maker(Scopes):
    def spec(self) -> Data:
        if self.chance(30):
            name = self.one(*EXTENDED)
            given = EXTENDED[name] if name == "encoder" or self.chance(2) else {}
            return {"extends": name, "params": given}
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
            "part": "n",
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
        if self.chance(4):
            self.pairs.append(self.fresh("b"))
            blocks[self.pairs[0]] = self.two()
        inputs = self.inputs()
        if not self.given and self.chance(30):
            scope: Data = {"connect": "parallel", "nodes": self.children(names, ())}
            if self.world != "tokens" and self.chance(2):
                scope = self.dense(names, ())
        else:
            scope, _ = self.scope(names, 0)
        if self.chance(5) and "connect" not in scope:
            scope["nodes"] |= self.tied()
            scope.pop("outputs", None)
        if self.chance(4) and self.world == "image" and "connect" not in scope:
            scope["nodes"]["pool"] = {"op": "AdaptiveAvgPool2d", "output_size": 1}
            scope["nodes"]["flat"] = {"op": "flatten", "start_dim": 1}
            scope["nodes"]["fc"] = {"op": "Linear", "out_features": 3}
            scope.pop("outputs", None)
        spec: Data = {"inputs": inputs, "params": params}
        if self.chance(6):
            name, multiple = _FREE[self.world]
            free = {"multiple": multiple, "min": self.number(1, multiple), "max": 1000}
            spec["dims"] = {name: {k: v for k, v in free.items() if self.chance(2)}}
        if self.chance(4):
            wide = {"image": "Conv2d", "rows": "Linear", "tokens": "Linear"}[self.world]
            out = {"Conv2d": "out_channels * kernel_size[0]", "Linear": "out_features"}[wide]
            bound = {"op": "uniform", "a": f"$(-1 / sqrt({out}))", "b": "$(w / 2)"}
            spec["init"] = [{"match": wide, "weight": bound}]
            named = [n for n, d in scope["nodes"].items() if d.keys() <= {"op", "from", "out_features"}
                     and d["op"] == "Linear"] if isinstance(scope["nodes"], dict) else []  # fmt: skip
            if named:
                name = self.one(*named)
                match = self.one(name, f"{name[:1]}*", f"*{name[-1:]}")
                spec["init"].insert(
                    0, {"match": match, "bias": self.one("zeros", {"op": "constant", "val": "$w"})}
                )
        elif self.chance(4):
            arguments = {"image": "Conv2d", "rows": "Linear", "tokens": "Linear"}
            spec["defaults"] = {arguments[self.world]: {"bias": False}, "Dropout": {"p": 0.25}}
            for block in self.blocks:
                if "p" in block.params and self.chance(2):
                    spec["defaults"][block.name] = {"p": "$(w + 1)"}
        spec |= {"let": let} if let else {}
        spec |= {"blocks": blocks} if blocks else {}
        return {**spec, **scope}

    def inputs(self) -> Data:
        """What the spec takes: `input`, and sometimes more, which the root's nodes can use."""
        shape = list(_INPUTS[self.world])
        if self.chance(4):
            shape[2 if self.world == "tokens" else 1] = "$(max(w, 6) + 1)"
        first = self.one(shape, shape, {"shape": shape, "dtype": "float32"})
        if self.chance(2):
            kinds = ["more", "flag", "index", "gate"] + ["ids", "ids"] * (self.world != "image")
            shapes = {
                "more": list(shape), "flag": {"shape": [], "dtype": "bool"},
                "index": {"shape": ["N"], "dtype": self.one("int64", "bool")}, "gate": ["N", 2],
                "ids": {"shape": ["N", "T"][: 2 if self.world == "tokens" else 1], "dtype": "int64"},
            }  # fmt: skip
            self.given = {k: shapes[k] for k in kinds if self.chance(2)}
        return {"input": first, **self.given}

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
