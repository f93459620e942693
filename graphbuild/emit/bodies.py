"""The body of a `forward`: steps of one guard that stand together share one `if`.

if self.training:
    aux = self.pool(x)
    aux = self.head(aux)
else:
    aux = None
"""

from __future__ import annotations

from typing import Protocol

from graphbuild.emit.parts import Statement


class Variables(Protocol):
    """What is known of the variables of a forward, by the positions of its steps."""

    allocating: int  # the last step that takes memory

    def dead(self, position: int) -> list[str]:
        """Those that are not read after a step."""

    def asks(self, first: int, last: int) -> str:
        """What decides whether these steps run."""

    def unset(self, first: int, last: int) -> list[str]:
        """Those that these steps begin and that are read behind them."""

    def begun(self, first: int, last: int) -> set[str]:
        """Those that these steps begin."""


class Bodies:
    """Gathers the statements of a forward."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.done: list[Statement] = []
        self.guard = ""
        self.steps: list[tuple[int, list[Statement]]] = []  # under that guard, by their positions
        self.ahead: list[Statement] = []  # of the step that comes next

    def begin(self, made: Statement) -> None:
        """What stands in front of the statement that is added next."""
        self.ahead.append(made)

    def add(self, guard: str, made: Statement, position: int) -> None:
        """The statement of a step, which is under a guard or always made."""
        if guard != self.guard:
            self._close()
            self.guard = guard
        self.steps.append((position, [*self.ahead, made]))
        self.ahead = []
        if not guard:
            self._close()

    def finished(self) -> list[Statement]:
        """All statements."""
        self._close()
        return self.done

    def _close(self) -> None:
        if not self.steps:
            return
        first, last = self.steps[0][0], self.steps[-1][0]
        own = self.variables.begun(first, last) if self.guard else set()
        body: list[Statement] = []
        after: list[str] = []  # what began outside ends outside, in either mode
        for position, made in self.steps:
            body += made
            dead = self.variables.dead(position)
            inside = [name for name in dead if name in own]
            after += [name for name in dead if name not in own]
            if inside:
                body.append(Statement(f"del {', '.join(inside)}", made[-1].span))
        span = body[-1].span
        if self.guard:
            asks, unset = self.variables.asks(first, last), self.variables.unset(first, last)
            body = _guarded(asks, body, unset)
        self.done += body
        if after and last < self.variables.allocating:
            self.done.append(Statement(f"del {', '.join(after)}", span))
        self.guard, self.steps = "", []


def _guarded(asks: str, body: list[Statement], unset: list[str]) -> list[Statement]:
    """A body under what it asks; variables that are read behind it are None elsewhere."""
    first = body[0]
    plain = first.body is None and " if " not in first.code
    if len(body) == 1 and plain and [first.code.partition(" = ")[0]] == unset:
        return [Statement(f"{first.code} if {asks} else None", first.span)]
    made = [Statement(f"if {asks}:", first.span, body)]
    if unset:
        nothing = [Statement(f"{name} = None", first.span) for name in unset]
        made.append(Statement("else:", first.span, nothing))
    return made
