"""A whole spec: params, blocks, nodes, defaults and rules."""

from __future__ import annotations

from specgen.draws import Data, Names
from specgen.scopes import Scopes

_INPUTS = {"image": ["N", 6, "H=8", "W=6"], "rows": ["N", 6], "tokens": ["N", "T=3", 6]}


class Maker(Scopes):
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
