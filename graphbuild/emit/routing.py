"""The `forward` of a scope of cases: a switch, a route, or a mixture.

All of them run as they stand, compile without graph breaks and export. Where the code has to know
which, it asks `torch.compiler.is_compiling()`: there a tensor cannot decide in Python.
"""

from __future__ import annotations

from graphbuild.emit.choices import asks, laid_out, lead, may_alias, rank, variables
from graphbuild.emit.parts import Statement
from graphbuild.expr.write import quoted
from graphbuild.ir import Graph, Tensor

_TRACED = "if torch.compiler.is_compiling() and isinstance(choice, Tensor):"
_DENSE = "if torch.compiler.is_compiling() and not self.training:"


class Forward:
    """Writes the statements; `listed` tells whether the class is a list, `top_k` its text."""

    def __init__(self, graph: Graph, listed: bool, top_k: str) -> None:
        self.graph = graph
        self.listed = listed
        self.top_k = top_k
        self.by, *self.data = variables(graph)
        by = graph.inputs[0].type
        self.flag = isinstance(by, Tensor) and by.dtype == "bool"
        self.cases = "self" if listed else "self.values()"
        self.name = graph.name
        self.out: list[Statement] = []

    def statements(self) -> list[Statement]:
        kind = self.graph.routing.kind if self.graph.routing is not None else ""
        if kind == "switch":
            self._flag() if self.flag else self._number()
        elif kind == "route":
            self._route()
        elif self.top_k:
            self._top_k()
        else:
            self._say(f"return {self._sum('gate')}")
        return self.out

    def _say(self, code: str, *body: Statement | str) -> Statement:
        parts = [Statement(part) if isinstance(part, str) else part for part in body]
        made = Statement(code, self.graph.span, parts or None)
        self.out.append(made)
        return made

    @property
    def _operands(self) -> str:
        return ", ".join(self.data)

    @property
    def _tuple(self) -> str:
        return f"({self.data[0]},)" if len(self.data) == 1 else f"({self._operands})"

    @property
    def _parameters(self) -> str:
        return ", ".join(f"{name}: Tensor" for name in self.data)

    # -- one case for the whole batch -----------------------------------------------------------

    def _flag(self) -> None:
        """By a bool: `torch.cond` where a tensor decides in a traced graph."""
        body: list[Statement] = []
        branches: list[str] = []
        for case in ("true", "false"):
            if may_alias(self.graph.by_name[case]):  # torch.cond wants memory of its own
                name = f"{case}_case"
                value = f"return self[{quoted(case)}]({self._operands}).clone()"
                head = f"def {name}({self._parameters}) -> Tensor:"
                body += [Statement(""), Statement(head, None, [Statement(value)])]
                branches.append(name)
            else:
                branches.append(f"self[{quoted(case)}]")
        body += [Statement("")] if body else []
        body.append(Statement(f"return torch.cond(choice, {', '.join(branches)}, {self._tuple})"))
        self._say(_TRACED, *body)
        self._say(f'return self["true" if choice else "false"]({self._operands})')

    def _number(self) -> None:
        """By an int: one `torch.cond` inside of the other, since each chooses between two."""
        cases = "self"
        if not self.listed:
            cases = "cases"
            self._say("cases = list(self.values())")
        cloned = any(map(may_alias, self.graph.nodes))
        body = [Statement("")]
        own, last = f"{cases}[case]", f"{cases}[case]({self._operands})"
        if cloned:
            head = f"def one(case: int, {self._parameters}) -> Tensor:"
            body += [Statement(head, None, [Statement(f"return {last}.clone()")]), Statement("")]
            own, last = "functools.partial(one, case)", f"one(case, {self._operands})"
        among = [
            Statement(f"if case == len({cases}) - 1:", None, [Statement(f"return {last}")]),
            Statement("others = functools.partial(among, case + 1)"),
            Statement(f"return torch.cond(choice == case, {own}, others, {self._tuple})"),
        ]
        head = f"def among(case: int, {self._parameters}) -> Tensor:"
        body += [Statement(head, None, among), Statement("")]
        self._say(_TRACED, *body, f"return among(0, {self._operands})")
        error = f'f"{self._quoted}: there is no case {{int(choice)}} among {{len(self)}}"'
        self._say(f"if not 0 <= choice < len({cases}):", f"raise IndexError({error})")
        self._say(f"return {cases}[choice]({self._operands})")

    @property
    def _quoted(self) -> str:
        return self.name.replace("{", "{{").replace("}", "}}")

    # -- a case for each row --------------------------------------------------------------------

    def _rows_of(self, index: str) -> str:
        return ", ".join(f"{name}[{index}]" for name in self.data)

    def _lay_out(self, chooser: str) -> str:
        """Rows of several dimensions as one, and what brings them back."""
        flat = laid_out(self.graph)
        if not flat:
            return ""
        size = f"{self.by}.shape" if chooser == "flatten()" else f"{self.by}.shape[:-1]"
        self._say(f"size = {size}")
        self._say(f"{self.by} = {self.by}.{chooser}")
        for name in self.data:
            self._say(f"{name} = {name}.flatten(0, {flat - 1})")
        return ".unflatten(0, size)"

    def _route(self) -> None:
        back = self._lay_out("flatten()")
        if asks(self.graph):
            self._dense_route(back)
        numbers = "range(len(self))"
        if self.flag:
            order = [name == "true" for name in (node.name for node in self.graph.nodes)]
            numbers = f"({order[0]}, {order[1]})"
        self._say(f"rows = [torch.where(choice == number)[0] for number in {numbers}]")
        if not self.flag:
            self._say("found = sum(own.shape[0] for own in rows)")
            self._say("if torch.compiler.is_compiling():", "torch._check(found == choice.shape[0])")
            error = f'f"{self._quoted}: an index is none of its {{len(self)}} cases"'
            self._say("elif found < choice.shape[0]:", f"raise IndexError({error})")
        self._gather(
            f"for case, own in zip({self.cases}, rows):",
            "own",
            [f"part = case({self._rows_of('own')})"],
            "out.index_copy_(0, own, part)",
            back,
        )

    def _top_k(self) -> None:
        back = self._lay_out("flatten(0, -2)")
        self._say(f"weights, chosen = gate.topk({self.top_k}, dim=-1)")
        if asks(self.graph):
            gate = "gate = torch.zeros_like(gate).scatter(-1, chosen, weights)"
            self._say(_DENSE, gate, f"return {self._sum('gate', rows=True)}{back}")
        index = ", ".join(["own", "nth", *["None"] * (self._inner_rank - 1)])
        self._gather(
            f"for number, case in enumerate({self.cases}):",
            "own",
            [f"part = case({self._rows_of('own')}) * weights[{index}]"],
            "out.index_add_(0, own, part)",
            back,
            "own, nth = torch.where(chosen == number)",
        )

    def _gather(
        self, loop: str, own: str, part: list[str], put: str, back: str, *first: str
    ) -> None:
        """A loop over the cases that have rows, each of which fills its own into the result.

        A case without rows is not called, unless there are no rows at all or torch cannot know.
        """
        count = f"{self.by}.shape[0]"
        self._say(f"skip = not torch.compiler.is_compiling() and {count} > 0")
        self._say("out = None")
        new = f"out = part.new_zeros({count}, *part.shape[1:])"
        body = [*map(Statement, first)]
        body.append(Statement(f"if skip and {own}.shape[0] == 0:", None, [Statement("continue")]))
        body += map(Statement, part)
        body.append(Statement("if out is None:", None, [Statement(new)]))
        body.append(Statement(put))
        self._say(loop, *body)
        self._say(f"return out{back}")

    def _dense_route(self, back: str) -> None:
        """In a traced graph, where a layer cannot be given a number of rows that is not known."""
        if self.flag:
            nones = ", ".join([":", *["None"] * (self._inner_rank - 1)])
            test = f"choice[{nones}]" if self._inner_rank > 1 else "choice"
            both = ", ".join(
                f"self[{quoted(case)}]({self._operands})" for case in ("true", "false")
            )
            self._say(_DENSE, f"return torch.where({test}, {both}){back}")
            return
        parts = f"parts = torch.stack([case({self._operands}) for case in {self.cases}])"
        rows = "torch.arange(choice.shape[0], device=choice.device)"
        self._say(_DENSE, parts, f"return parts[choice, {rows}]{back}")

    # -- all cases ------------------------------------------------------------------------------

    @property
    def _inner_rank(self) -> int:
        """Dimensions of what a case gives."""
        return rank(self.graph.nodes[0].type)

    def _sum(self, gate: str, rows: bool = False) -> str:
        chosen = 1 if rows else lead(self.graph)
        nones = ["None"] * (self._inner_rank - chosen)
        index = ", ".join([*[":"] * chosen, "number", *nones])
        terms = f"{gate}[{index}] * case({self._operands})"
        return f"sum({terms} for number, case in enumerate({self.cases}))"
