"""Layers and functions on one tensor, with expressions as their arguments."""

from __future__ import annotations

from typing import Any

from specgen.draws import Data, Names
from specgen.expressions import Expressions


class Layers(Expressions):
    def layer(self, names: Names, loop: tuple[str, ...]) -> tuple[Data, str | None]:
        """A layer or a function on one tensor, and its width where it sets one."""
        kind = self.one("wide", "wide", "norm", "act", "act", "function", "op", "other", "rare")
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
                return {"op": "add", "other": self.expression(names)}, None
            if which == "softmax":
                return {"op": "softmax", "dim": 1}, None
            return {"op": which}, None
        if kind == "other" and self.world == "image":
            if self.chance(4):
                return {"op": "MaxPool2d", "kernel_size": 2, "ceil_mode": True}, None
            return {"op": "MaxPool2d", "kernel_size": 3, "stride": 1, "padding": 1}, None
        if kind == "rare":
            return self.one(
                {"op": "LeakyReLU", "args": {"negative_slope": f"$({self.one(*names.ints)} / 10)"}},
                {"op": "GELU", "approximate": "ta$(part)h"},
                {"op": "Softplus", "beta": 2, "doc": 'says "softly" \\ $5'},
                {"op": "clamp", "min": "$(-w)", "max": "$(w / 2)"},
                {"op": "PReLU"},
            ), None
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
            *[self.expression(names)] * 4,
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
        choices.append(f"$(({self.number_of(names)}) < 3)")
        if "i" in loop:
            choices += ["$(i > 0)", f"$(i < 1 or {flag})"]
        return str(self.one(*choices))
