"""Specs that are wrong, or may be: texts that compile, changed at one to four places.

As data an entry is deleted, swapped, renamed, given another type, repeated, moved, or replaced by a
piece of another spec; as text, bytes, lines and indentation change.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from command import BUNDLED, ROOT
from hypothesis import strategies as st
from proof import HEAD, PARTS, constructs
from specgen import specs
from specgen.draws import integers
from words import BYTES, KEYS, MEANT, NAMES, SIGNS, TOKENS

from graphbuild import ops
from graphbuild.errors import Source
from graphbuild.source import parse, plain

Draw = Callable[[st.SearchStrategy[Any]], Any]
Place = tuple[Any, Any]  # a list or mapping, and an index or key of it


@dataclass
class Broken:
    """The files of a spec, of which one was changed, and what is asked of it."""

    files: dict[str, bytes]  # beside those of `tests/parts`; `net.yaml` is the spec
    given: list[str] = field(default_factory=list)  # as `--set` has it
    params: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        """As it can be pasted."""
        parts = [f"--- {name}\n{_shown(content)}" for name, content in self.files.items()]
        asked = f"given={self.given!r} params={self.params!r} sizes={self.sizes!r}"
        return "\n".join(["", *parts, f"--- {asked}"])


def _shown(content: bytes) -> str:
    """The text, or the bytes where it would not survive being printed."""
    text = content.decode("utf-8", "replace")
    bare = text.replace("\n", "").isprintable() and "\ufffd" not in text
    return text if bare else repr(content)


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Specs written by hand, each with the name of a part that it includes, or none."""
    found = []
    for name in BUNDLED:
        found.append(((ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8"), ""))
    for body in constructs().values():
        parts = [p.name for p in sorted(PARTS.iterdir()) if f"spec: {p.stem}" in body]
        found += [(HEAD + body, part) for part in parts or [""]]
    for part in sorted(PARTS.iterdir()):
        found.append((part.read_text(encoding="utf-8"), ""))
    return tuple(found)


@cache
def pieces() -> tuple[Any, ...]:
    """What can be put elsewhere: every list and mapping of the specs that show the constructs."""
    wholes = [data_of(text) for text, _ in texts() if text.startswith(HEAD)]
    return tuple(
        item for whole in wholes for at, key in places(whole) if not _bare(item := at[key])
    )


def data_of(text: str) -> Any:
    return plain(parse(Source("net.yaml", text)))


def _bare(item: Any) -> bool:
    return not isinstance(item, list | dict)


def places(data: Any) -> Iterator[Place]:
    """Every entry of the data."""
    if _bare(data):
        return
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        yield data, key
        yield from places(data[key])


@st.composite
def broken(draw: Draw) -> Broken:
    """A spec that was right, changed; and sometimes params and sizes that it does not expect."""
    generated = draw(st.booleans())
    text, part = (HEAD + draw(specs()), "") if generated else draw(st.sampled_from(texts()))
    files = {"net.yaml": text}
    target = "net.yaml"
    if part and draw(st.booleans()):
        target = part
        files[part] = (PARTS / part).read_text(encoding="utf-8")
    maker = Mutator(draw)
    content = files[target]
    kind = draw(st.sampled_from(("data", "data", "data", "text", "text", "both", "none")))
    if kind in ("data", "both"):
        content = maker.data(content)
    changed = content.encode()
    if kind in ("text", "both"):
        changed = maker.text(content)
    out = Broken({name: text.encode() for name, text in files.items()} | {target: changed})
    if kind == "none" or maker.chance(8):
        maker.ask(out, text)
    return out


class Mutator:
    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def one(self, items: Any) -> Any:
        return items[self.draw(integers(0, len(items) - 1))]

    def chance(self, of: int) -> bool:
        return bool(self.draw(integers(1, of)) == of)

    # -- as data ------------------------------------------------------------------------------

    def data(self, text: str) -> str:
        data = data_of(text)
        for _ in range(self.one((1, 1, 1, 2, 2, 3, 4))):
            found = list(places(data))
            inside = [(at, key) for at, key in found if at is not data]
            if not inside:
                break
            change = self.one((self.delete, self.swap, self.rename, self.refer, self.retype, self.repeat, self.move,
                               self.wrap, self.graft, self.unwrap, *[self.nudge, self.borrow, self.reckon] * 4))  # fmt: skip
            change(found if self.chance(8) else inside)
        flow = self.one((None, None, False, True))
        out: str = yaml.safe_dump(
            data, sort_keys=False, default_flow_style=flow, width=100, allow_unicode=True
        )
        return out

    def delete(self, found: list[Place]) -> None:
        at, key = self.one(found)
        del at[key]

    def nudge(self, found: list[Place]) -> None:
        """A number or truth value becomes another one of its kind."""
        numbers = [(at, key) for at, key in found if isinstance(at[key], int | float)]
        if numbers:
            at, key = self.one(numbers)
            old = at[key]
            if isinstance(old, bool):
                at[key] = not old
            else:
                at[key] = self.one(
                    (old + 1, old - 1, old * 2, -old, 0, old + 0.5, 1000 * old, f"$({old} + n)")
                )

    def reckon(self, found: list[Place]) -> None:
        """An expression loses a character, or gets a word or a sign."""
        texts = [(at, key) for at, key in found if isinstance(at[key], str) and "$" in at[key]]
        if texts:
            at, key = self.one(texts)
            old = at[key]
            start = self.draw(integers(1, len(old)))
            end = start + self.one((0, 0, 0, 1, 2))
            at[key] = old[:start] + self.one(("", "", *SIGNS)) + old[end:]

    def borrow(self, found: list[Place]) -> None:
        """A value becomes what another key of the same name has: another op, operand, shape."""
        at, key = self.one(found)
        same = [there for there, its in found if its == key and type(there) is type(at)]
        at[key] = copy.deepcopy(self.one(same)[key])

    def swap(self, found: list[Place]) -> None:
        (at, key), (other, its) = self.one(found), self.one(found)
        at[key], other[its] = copy.deepcopy(other[its]), copy.deepcopy(at[key])

    def rename(self, found: list[Place]) -> None:
        """A key becomes another, at its place."""
        named = [(at, key) for at, key in found if isinstance(at, dict)]
        if named:
            at, key = self.one(named)
            new = self.word(found, str(key))
            items = [(new if k == key else k, v) for k, v in at.items()]
            at.clear()
            at.update(items)

    def refer(self, found: list[Place]) -> None:
        """A text becomes another: a name of the spec, of the language, or none."""
        texts = [(at, key) for at, key in found if isinstance(at[key], str)]
        if texts:
            at, key = self.one(texts)
            at[key] = self.word(found, at[key])

    def word(self, found: list[Place], old: str) -> str:
        kind = self.one(("own", "own", "key", "odd", "op", "typo", "part"))
        if kind == "own":
            at, key = self.one(found)
            return str(key) if isinstance(at, dict) else str(at[key])[:300]
        if kind == "part":
            return f"{old}.{self.one((0, 1, 9, -1, 'out', 'x'))}"
        if kind == "typo":
            at = self.draw(integers(0, len(old)))
            return old[:at] + self.one(("", "x", "_", " ")) + old[at + 1 :]
        return str(self.one({"key": KEYS, "odd": NAMES, "op": list(ops.names())}[kind]))

    def retype(self, found: list[Place]) -> None:
        at, key = self.one(found)
        at[key] = copy.deepcopy(self.one(MEANT))

    def repeat(self, found: list[Place]) -> None:
        at, key = self.one(found)
        if isinstance(at, list):
            at.insert(key, copy.deepcopy(at[key]))
        else:
            at[self.word(found, str(key))] = copy.deepcopy(at[key])

    def move(self, found: list[Place]) -> None:
        at, key = self.one(found)
        item = at.pop(key)
        left = [place for place in found if not _bare(place[0])]
        other, its = self.one(left)
        if isinstance(other, list):
            other.insert(its, copy.deepcopy(item))
        else:
            other[str(key)] = copy.deepcopy(item)

    def wrap(self, found: list[Place]) -> None:
        at, key = self.one(found)
        old = at[key]
        at[key] = [old] if self.chance(2) else {self.one(KEYS): old}

    def unwrap(self, found: list[Place]) -> None:
        """A list or mapping becomes one of its entries."""
        full = [(at, key) for at, key in found if not _bare(at[key]) and at[key]]
        if full:
            at, key = self.one(full)
            at[key] = self.one(list(at[key].values() if isinstance(at[key], dict) else at[key]))

    def graft(self, found: list[Place]) -> None:
        at, key = self.one(found)
        at[key] = copy.deepcopy(self.one(pieces()))

    # -- as text ------------------------------------------------------------------------------

    def text(self, text: str) -> bytes:
        content = text.encode()
        for _ in range(self.one((1, 1, 1, 2, 3))):
            if not content:
                break
            change = self.one((self.truncate, self.cut, self.put, self.put, self.put, self.flip,
                               self.indent, self.indent, self.lines, self.twice, self.ends))  # fmt: skip
            content = change(content)
        return content

    def at(self, content: bytes) -> int:
        return int(self.draw(integers(0, len(content))))

    def truncate(self, content: bytes) -> bytes:
        return content[: self.at(content)]

    def cut(self, content: bytes) -> bytes:
        at = self.at(content)
        return content[:at] + content[at + self.one((1, 1, 2, 3, 10, 50)) :]

    def put(self, content: bytes) -> bytes:
        at = self.at(content)
        new = self.one(BYTES) if self.chance(12) else self.one(TOKENS).encode()
        return content[:at] + new + content[at:]

    def flip(self, content: bytes) -> bytes:
        at = min(self.at(content), len(content) - 1)
        return content[:at] + bytes([self.draw(integers(0, 255))]) + content[at + 1 :]

    def indent(self, content: bytes) -> bytes:
        lines = content.split(b"\n")
        at = self.draw(integers(0, len(lines) - 1))
        change = self.one((-2, -1, 1, 2, 4))
        bare = lines[at].lstrip(b" ")
        lines[at] = b" " * max(0, len(lines[at]) - len(bare) + change) + bare
        return b"\n".join(lines)

    def lines(self, content: bytes) -> bytes:
        lines = content.split(b"\n")
        at, other = (self.draw(integers(0, len(lines) - 1)) for _ in range(2))
        how = self.one(("delete", "twice", "swap"))
        if how == "delete":
            del lines[at]
        elif how == "twice":
            lines.insert(other, lines[at])
        else:
            lines[at], lines[other] = lines[other], lines[at]
        return b"\n".join(lines)

    def twice(self, content: bytes) -> bytes:
        at = self.at(content)
        piece = content[at : at + self.one((1, 3, 10, 40))]
        other = self.at(content)
        return content[:other] + piece + content[other:]

    def ends(self, content: bytes) -> bytes:
        """Other ends of lines, or another encoding."""
        how = self.one(("crlf", "cr", "bom", "utf-16", "tabs", "no end"))
        if how == "utf-16":
            return content.decode("utf-8", "replace").encode("utf-16")
        if how == "bom":
            return b"\xef\xbb\xbf" + content
        if how == "no end":
            return content.rstrip(b"\n")
        old = b"  " if how == "tabs" else b"\n"
        return content.replace(old, {"crlf": b"\r\n", "cr": b"\r", "tabs": b"\t"}[how])

    # -- what is asked ------------------------------------------------------------------------

    def ask(self, out: Broken, text: str) -> None:
        """Params as the command line and as Python gives them, and other sizes."""
        data = data_of(text)
        params = data.get("params", {}) if isinstance(data, dict) else {}
        name = str(self.one([*params, "w"]))
        how = self.one(("set", "value", "size"))
        if how == "set":
            value = self.one(MEANT)
            line = yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
            line = self.text(line).decode("utf-8", "replace") if self.chance(2) else line
            out.given.append(f"{name}={line}")
        elif how == "value":
            odd = [(), (1, 2), {1, 2}, b"x", object, 1j, range(3), [[()]], {1: 2}, {"a": b"x"}]
            out.params[name] = copy.deepcopy(self.one([*MEANT, *odd]))
        else:
            size = self.one((0, 1, 2, 3, 7, 1000, -1, 10**9, 10**30))
            out.sizes[self.one(("N", "H", "W", "T", "B", "x"))] = size
