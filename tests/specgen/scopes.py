"""Scopes: mappings of nodes that take any of the values above them, and blocks of them."""

from __future__ import annotations

from specgen.draws import Block, Data, Names, Owner, Value
from specgen.groups import Groups


class Scopes(Groups):
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
        kind = ""
        if self.chance(6) and not (params and self.world == "tokens"):
            kind = "parallel" if self.world == "tokens" else self.one("dense", "parallel")
            inside = self.dense(own, ()) if kind == "dense" else {"nodes": self.children(own, ())}
            data |= {"connect": kind, **inside}
            result = Value("", self.fresh("?"))
        elif self.chance(3):
            data |= {"nodes": self.chain(own, 2)}
            result = Value("", self.fresh("?"))
            if "halve" in str(data["nodes"]):
                result.level = str(data["nodes"]).count("halve")
        else:
            scope, result = self.scope(own, 1)
            data |= scope
        block = Block(self.fresh("b"), params, result.width, result.level, kind=kind)
        if self.chance(6):
            data = {
                "doc": self.one("what it is", "a 'b' \"c\" \\ $d {e} #", "é\n\nlines: [1]"),
                **data,
            }
        if isinstance(data.get("outputs"), list | dict):
            block.outputs = "0" if isinstance(data["outputs"], list) else "o0"
        self.blocks.append(block)
        return block.name, data

    # -- scopes -------------------------------------------------------------------------------

    def scope(self, names: Names, depth: int, loop: tuple[str, ...] = ()) -> tuple[Data, Value]:
        """A mapping of nodes that take any of the values above them."""
        values = [Value("input", "input")]
        if depth == 0:
            values += [Value(g, "input") for g in self.given if g.startswith("more")]
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
            first_input = "" if depth == 0 and self.given else "input"
            above = next(reversed(nodes), first_input)
            takers = [
                d for d in made[0].values() if d.get("op") not in ("parameter", "buffer", "arange")
            ]
            first = takers[0]
            if operand.name != above and "from" not in first:
                first["from"] = operand.name
            nodes |= made[0]
            values += [value for value in made[1] if value.level < 9]
            last = made[1][-1] if made[1][-1].level < 9 else operand
            op = first.get("op", "B")
            plain = not {"if", "connect", "outputs", "cases"} & first.keys() and isinstance(
                first.get("from", ""), str
            )
            known = (op[:1].isupper() and op != "Embedding") or any(
                op == b.name for b in self.blocks
            )
            if known and plain and len(made[0]) == 1 and last.name == next(iter(made[0])):
                owners.append(Owner(last.name, operand, last))
        if not nodes:
            nodes["same"] = {"op": "Identity", "from": "input"}
            last = Value("same", "input")
        if "." in last.name:  # a part of the last node's value
            part, last = last, Value(self.fresh("e"), last.width, last.level)
            nodes[last.name] = {"op": "abs", "from": part.name}
        data: Data = {"nodes": nodes}
        if self.chance(5) and depth < 2:
            chosen = [self.one(*values[1:], last) for _ in range(self.number(1, 2))]
            texts = list(dict.fromkeys([*(v.name for v in chosen), *self.heads]))
            self.heads = around
            if self.chance(4) and len(texts) == 1 and "." not in texts[0]:
                data["outputs"] = texts[0]
            elif self.chance(2):
                data["outputs"] = texts
            else:
                data["outputs"] = {f"o{k}": t for k, t in enumerate(texts)}
            return data, chosen[0]
        self.heads = around
        if self.chance(2):
            data["nodes"] = self.shuffled(nodes)
        return data, last

    def shuffled(self, nodes: Data) -> Data:
        """The nodes with one of them above those that it takes; all say what they take."""
        names = list(nodes)
        free = [
            k for k in range(1, len(names) - 1)
            if all("from" in nodes[n] for n in names[:k + 2]) and "share" not in nodes[names[k]]
            and not any(n.get("share") == names[k] or "$" in names[k] for n in nodes.values())
        ]  # fmt: skip
        if free:
            names.insert(0, names.pop(self.one(*free)))
        return {name: nodes[name] for name in names}

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
        kinds += ["include", "several", "pair", "given", "given"]
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
        if kind == "size":
            return self.sized(name, operand, values, names)
        if kind == "several":
            return self.several(name, operand, names)
        if kind == "pair":
            return self.pair(name, operand, values, names)
        if kind == "include":
            return self.include(name, operand, names, loop)
        if kind == "given" and depth == 0 and self.given:
            return self.from_given(name, operand, names)
        if kind in ("call", "given") and self.blocks:
            block = self.one(*self.blocks)
            if operand.level + block.level > 2:
                return None
            data = self.call(block, names, loop)
            width = operand.width if block.width == "input" else self.fresh("?")
            if block.kind == "parallel":
                joined = {"op": "concat", "dim": 2 if self.world == "tokens" else 1}
                return {name: data, f"{name}_j": joined}, [
                    Value(f"{name}_j", width, operand.level + block.level)
                ]
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
