"""Expressions with every operator and function of the language: small whole numbers of at least 1.

In a template `n` stands for a name of a whole number, `ws` for a list of them, `on` for a truth
value, `stages` for a list of mappings, `act` for an op.
"""

from __future__ import annotations

import re

from specgen.draws import Draws, Names

NUMBERS = """\
abs(n - 3) + 1
ceil(n / 2) + 1
floor(n / 3) + 1
int(float(n) * 1.5) + 1
len(ws)
int(log(n + 1)) + 1
make_divisible(n * 3 + 1, 2)
make_divisible(n + 1, divisor=3)
min(n, 3) + 1
max(ws)
round(n * 0.5) + 1
int(sqrt(n)) + 1
sum(ws) % 5 + 1
len(range(n)) + 1
len(range(1, n + 3, 2))
sum([a * k for k, a in enumerate(ws)]) % 4 + 1
sum([a + b for a, b in zip(ws, ws[::-1])]) % 4 + 1
max([a for a in ws if a > 2 or a == n] + [1])
ws[-1]
ws[:2][0]
ws[len(ws) // 2]
(ws + [2, 3])[1]
2 if 3 in ws else 1
2 if 3 not in ws and on else 1
1 if ws is None else 3
1 if act is not None else 3
3 if act == 'ReLU' else 2
n ** 2 % 5 + 1
-(-n // 2) + 1
+n + 1
(n if on and not n > 3 else 2) or 1
n % 3 + 1 if 1 < n <= 3 else 2
stages[0].w
stages[-1]['w']
len([s for s in stages if s.d > 1]) + 1
[1, 2, 3][n % 3]
(1, 2)[1 if on else 0]
max(1, n - 1) * (2 if on != (n >= 2) else 1)
7 // (n + 1) + 1
""".splitlines()


class Expressions(Draws):
    def expression(self, names: Names) -> str:
        """A whole number of at least 1, computed from params."""
        return "$stages.0.w" if self.chance(6) else f"$({self.number_of(names)})"

    def number_of(self, names: Names) -> str:
        known = {"n": names.ints, "ws": names.lists, "on": names.flags, "act": names.ops,
                 "stages": names.stages}  # fmt: skip
        template = self.one(*NUMBERS)
        chosen = {
            word: self.one(*known[word]) for word in known if re.search(rf"\b{word}\b", template)
        }
        return re.sub(r"\b(n|ws|on|act|stages)\b", lambda word: chosen[word.group()], template)
