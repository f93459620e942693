"""Random YAML as somebody may have written it: data in all layouts, with comments all over."""

from __future__ import annotations

from random import Random

import yaml

TEXTS = """a b key Conv2d x1 1 true ~ null on 1e-5 - -.5 $x $(a+b) it's a:_b a:b #x x#y -_a %x --- ? ?x
_x x_ é 日本 [a] {a} a,b * & ! @ ` " \\ a\\nb long_long_long_long_long_long_long_long_long""".split()


class Layout:
    """Writes random data; `random` decides about everything."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.count = 0  # of keys and comments

    def is_(self, chance: float) -> bool:
        return self.random.random() >= 1 - chance  # the smallest draw is the shortest text

    def write(self) -> str:
        self.between(0)
        if self.is_(0.1):
            self.lines.append("---" + self.behind())
            self.between(0)
        if self.is_(0.8):
            self.mapping(2 * self.is_(0.3), 3)
        elif self.is_(0.5):
            self.sequence(2 * self.is_(0.3), 3)
        else:
            self.lines.append(self.random.choice(["", " "]) + self.flow(3) + self.behind())
        self.between(0)
        self.lines += ["..."] * self.is_(0.05)
        return "\n".join(self.lines) + self.random.choice(["\n", "\n", "", "\n\n"])

    # -- comments and blank lines -------------------------------------------------------------

    def comment(self) -> str:
        self.count += 1
        return f"# c{self.count}" + self.random.choice(["", "  ", "\t", " é", ": [", '"'])

    def behind(self) -> str:
        if self.is_(0.25):
            return self.random.choice([" ", "  ", "\t", " " * 30]) + self.comment()
        return self.random.choice(["", "", "  "])

    def between(self, indent: int) -> None:
        while self.is_(0.25):
            if self.is_(0.4):
                self.lines.append(" " * self.random.choice([0, 0, 3]))
            else:
                place = self.random.choice([indent, indent, 0, indent + 2, 1])
                self.lines.append(" " * place + self.comment())

    # -- scalars ------------------------------------------------------------------------------

    def scalar(self, flow: bool) -> str:
        text = "" if self.is_(0.1) else self.random.choice(TEXTS)
        return self.quoted(text.replace("_", " ").replace("\\n", "\n"), flow)

    def key(self, flow: bool) -> str:
        self.count += 1
        names = ["a", "b", "on", "1", "a b", "it's", "$x", "x-y", "true", "null", "", "#q", "é"]
        return self.quoted(f"{self.random.choice(names)}{self.count}", flow)

    def quoted(self, text: str, flow: bool) -> str:
        if self.is_(0.7) and _is_plain(text, flow):
            return text
        if self.is_(0.5) and "\n" not in text:
            return "'" + text.replace("'", "''") + "'"
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{text}"'

    def block_text(self, lead: str, indent: int) -> None:
        inner = indent + self.random.randint(1, 4)
        says = self.random.choice(["", "", "", str(inner - indent)] if indent else [""])
        chomps = self.random.choice(["", "-", "+"])
        self.lines.append(f"{lead} {self.random.choice('|>')}{says}{chomps}{self.behind()}")
        for _ in range(self.random.randint(1, 3)):
            text = self.random.choice(["text", "# no comment", "- x: ", "  more", "", "y\tz"])
            self.lines.append(" " * inner + text if text else "")
        self.lines += [" " * inner + "end"] * self.is_(0.8)

    # -- collections --------------------------------------------------------------------------

    def flow(self, depth: int) -> str:
        if depth == 0 or not self.is_(0.5):
            return self.scalar(True)
        items = []
        pairs = self.is_(0.5)
        for _ in range(self.random.randint(0, 4)):
            if not pairs:
                items.append(self.flow(depth - 1) or "''")
            else:
                key = self.key(True)
                items.append(key if self.is_(0.1) else f"{key}: {self.flow(depth - 1)}")
        comma = self.random.choice([", ", ", ", ",\n      ", " , "])
        inside = comma.join(items) + self.random.choice(["", " ", ","] if items else [""])
        return f"{{ {inside}}}" if pairs else f"[{inside}]"

    def value(self, lead: str, indent: int, depth: int, least: int = 0) -> None:
        """The value of what is `lead`, whose own lines are at least `least` further in."""
        inner = indent + self.random.randint(1, 4)
        choice = self.random.random() if depth else 0
        if choice < 0.3:
            self.lines.append(f"{lead} {self.scalar(False)}{self.behind()}")
        elif choice < 0.55:
            self.lines.append(f"{lead} {self.flow(3)}{self.behind()}")
        elif choice < 0.6:
            self.block_text(lead, indent)
        elif choice < 0.65:
            quote = self.random.choice(["", "'", '"'])
            self.lines += [f"{lead} {quote}one", *[""] * self.is_(0.3)]
            self.lines.append(" " * inner + f"two{quote}{self.behind()}")
        else:
            self.lines.append(lead + self.behind())
            if choice > 0.85:
                self.sequence(indent + self.random.randint(least, 4), depth - 1)
            elif choice > 0.7:
                self.mapping(inner, depth - 1)

    def mapping(self, indent: int, depth: int, first: str | None = None) -> None:
        for number in range(self.random.randint(1, 4)):
            if number or first is None:
                self.between(indent)
            lead = first if first is not None and not number else " " * indent
            if self.is_(0.04):
                self.lines.append(f"{lead}? {self.key(False)}{self.behind()}")
                self.value(" " * indent + ":", indent, depth)
            else:
                self.value(f"{lead}{self.key(False)}:", indent, depth)

    def sequence(self, indent: int, depth: int) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.between(indent)
            if depth and self.is_(0.25):
                inner = self.random.randint(1, 4)
                lead = " " * indent + "-" + " " * inner
                self.mapping(indent + 1 + inner, depth - 1, lead)
            else:
                self.value(" " * indent + "-", indent, depth, 1)


def _is_plain(text: str, flow: bool) -> bool:
    """Whether YAML reads a text without quotes as it is."""
    try:
        events = list(yaml.parse(f"[{text}, b]" if flow else f"a: {text}", yaml.SafeLoader))
    except yaml.YAMLError:
        return False
    found = [event.value for event in events if isinstance(event, yaml.ScalarEvent)]
    return "#" not in text and found == ([text, "b"] if flow else ["a", text])
