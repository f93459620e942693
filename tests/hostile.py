"""Hostile specs, each with the code that it ends in; run as a script, it measures them.

    python tests/hostile.py [NAME]...

tells for each the seconds of the processor and the MiB above start that `check` takes. A case
without a code is large, but right.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

Case = tuple[str, Callable[[], str]]


def spec(*lines: str, inputs: str = "{x: [N, 8, H=16, W=16]}") -> str:
    return "\n".join(["graphbuild: 1", "name: net", f"inputs: {inputs}", *lines, ""])


def nodes(*lines: str, inputs: str = "{x: [N, 8, H=16, W=16]}") -> Callable[[], str]:
    return lambda: spec("nodes:", *(f"  {line}" for line in lines), inputs=inputs)


def each(count: int, line: str, first: int = 0) -> Iterable[str]:
    """`line` for each number n, in which [n] stands for it, [n-1] and [n+1] for its neighbours."""
    for n in range(first, count):
        text = line.replace("[n]", str(n))
        yield text.replace("[n-1]", str(n - 1)).replace("[n+1]", str(n + 1))


def many(count: int, line: str) -> Callable[[], str]:
    return lambda: spec("nodes:", *(f"  {text}" for text in each(count, line)))


def blocks(first: str, others: str, call: str) -> Callable[[], str]:
    return lambda: spec("blocks:", f"  {first}", *each(60, f"  {others}", 1), f"nodes: [{call}]")


def lets(first: str, others: str) -> Callable[[], str]:
    return lambda: spec("let:", f"  {first}", *each(60, f"  {others}", 1), "nodes: [ReLU]")


def expression(text: str) -> Case:
    return "E121" if len(text) > 500 else "E124", nodes(f'a: {{op: Dropout, p: "$({text})"}}')


EXPRESSIONS = """
9**9**9 | 2**(2**(2**100)) | 10**300*10**300*10**300 | ((9**99)**99)**99 | 2 ** 10**9 | int(1e308)
[0] * 10**9 | 'a' * 10**9 | (1,) * 10**9 | range(10**9) | sum(range(10**8)) | x.shape * 10**8
sum([a * b * c for a in range(1000) for b in range(1000) for c in range(1000)])
[[x for x in range(10000)] for y in range(10000)] | sum([[1] * 10**5 for i in range(10**4)], [])
len([0 for a in range(99999)]) | max([9**9**9]) | round(9**99, -10**9) | float('9' * 10**7)
make_divisible(10**300, 10**299) | sqrt(10**400) | 1 % 10**-400 | (-1) ** 0.5 | 0.0 ** -1
"""
CASES: dict[str, Case] = {
    "alias bomb": ("E002", lambda: "\n".join(["a0: &a0 [x, x]", *each(60, "a[n]: &a[n] [*a[n-1], *a[n-1]]", 1)])),
    "merge bomb": ("E002", lambda: "\n".join(["a0: &a0 {x: 1}", *each(60, "a[n]: &a[n] {<<: [*a[n-1], *a[n-1]]}", 1)])),
    # nesting
    "100,000 lists": ("E004", nodes("[" * 100_000)),
    "100,000 lists, closed": ("E004", nodes("[" * 100_000 + "]" * 100_000)),
    "100,000 mappings": ("E004", nodes("{a: " * 100_000)),
    "100,000 items": ("E004", nodes("- " * 100_000 + "ReLU")),
    "2,000 lines deeper and deeper": ("E004", lambda: "\n".join(" " * k + "a:" for k in range(2000))),
    "parentheses": expression("(" * 900 + "1" + ")" * 900),
    "100,000 parentheses": expression("(" * 100_000 + "1" + ")" * 100_000),
    "minus": expression("-" * 1900 + "1"),
    "not": expression("not " * 480 + "1"),
    "a long sum": expression("1 + " * 490 + "1"),
    "a long condition": expression("1 if 1 else " * 160 + "1"),
    "groups": ("E004", nodes("a: " + "{nodes: {a: " * 70 + "ReLU" + "}}" * 70)),
    # size
    "100 MB of lines": ("E004", lambda: "a: xxxx\n" * 12_500_000),
    "100 MB in one line": ("E004", lambda: "a: '" + "x" * 100_000_000),
    "100 MB of zeros": ("E004", lambda: "\0" * 100_000_000),
    "entries": ("E004", lambda: "- a\n" * 490_000),
    "a long doc": ("", lambda: spec("doc: " + "x y " * 490_000, "nodes: [ReLU]")),
    "a long name": ("E002", nodes(f"{'x' * 1_000_000}: ReLU")),
    "a long name, quoted": ("E002", nodes(f"'{'x' * 1_000_000}.y': ReLU")),
    "a long op": ("E111", nodes(f"a: {'x' * 1_000_000}")),
    "a long reference": ("E201", nodes(f"a: {{op: ReLU, from: {'x' * 1_000_000}}}")),
    "a long equation": ("E207", nodes(f"a: {{op: einsum, equation: '{'a' * 100_000}->a', from: [x]}}")),
    "a long name of expressions": ("E104", nodes(f"? '{'$(1)' * 490}.'\n  : ReLU")),
    # many of one kind, and many findings
    "nodes": ("E004", many(90_000, "n[n]: ReLU")),
    "nodes, backwards": ("", lambda: spec("nodes:", *each(11_990, "  c[n]: {op: ReLU, from: c[n+1]}"), "  c11990: {op: ReLU, from: x}", "outputs: c0")),
    "a long cycle": ("E203", lambda: spec("nodes:", *each(11_990, "  c[n]: {op: ReLU, from: c[n+1]}"), "  c11990: {op: ReLU, from: c0}")),
    "unknown ops": ("E111", many(12_000, "n[n]: Conv[n]x")),
    "unknown arguments": ("E112", many(12_000, "n[n]: {op: ReLU, k[n]: 1}")),
    "unknown references": ("E201", many(12_000, "n[n]: {op: ReLU, from: m[n]}")),
    "unknown names": ("E123", many(12_000, "n[n]: {op: Dropout, p: $(m[n])}")),
    "unknown keys": ("E101", many(6_000, "n[n]: {nodes: [ReLU], k[n]: 1}")),
    "unknown keys of the spec": ("E101", lambda: "\n".join(each(70_000, "k[n]: 1"))),
    "arguments of one node": ("E112", lambda: spec("nodes:", "  a:", "    op: Conv2d", *each(299, "    k[n]: 1"))),
    "keys that stand twice": ("E003", lambda: "a: 1\n" * 300_000),
    "cut expressions": ("E122", nodes("a: {" + "a: $(f(1, 2)), " * 90_000 + "}")),
    "aliases": ("E002", lambda: "\n".join(each(100_000, "a[n]: *x"))),
    "params": ("W302", lambda: spec("params:", *each(300, "  p[n]: 1"), "nodes: [ReLU]")),
    "a chain of lets": ("W302", lambda: spec("let:", "  l0: 1", *each(300, "  l[n]: $(l[n-1] + 1)", 1), "nodes: [ReLU]")),
    "blocks": ("W302", lambda: spec("blocks:", *each(11_990, "  b[n]: {nodes: [ReLU]}"), "nodes: [ReLU]")),
    "defaults": ("E111", lambda: spec("defaults:", *each(30_000, "  Op[n]: {a: 1}"), "nodes: [ReLU]")),
    "inputs": ("", lambda: spec("nodes: {a: {op: ReLU, from: x0}}", inputs="\n" + "\n".join(each(1_000, "  x[n]: [N[n], H[n]=3]")))),
    "outputs": ("", lambda: spec("nodes: {a: ReLU}", f"outputs: [{'a, ' * 1_000}]")),
    "operands": ("", nodes(f"a: {{op: concat, from: [{'x, ' * 20_000}]}}")),
    "rules": ("E004", lambda: spec("nodes:", *each(500, f"  {'a' * 60}[n]: {{op: Conv2d, out_channels: 8, kernel_size: 1}}"), "init:", *each(500, f"  - {{match: '{'*a' * 40}*b[n]', weight: ones}}"))),
    # repetition
    "repeat": ("E124", nodes("a: {op: ReLU, repeat: 1000000000}")),
    "repeat, computed": ("E124", nodes("a: {op: ReLU, repeat: $(10 ** 9)}")),
    "repeat over a range": ("E124", nodes("a: {op: ReLU, repeat: {k: $(range(10 ** 9))}}")),
    "repeat in repeat in repeat": ("E004", nodes("a: {repeat: 12000, nodes: {b: {repeat: 12000, nodes: {c: {op: ReLU, repeat: 12000}}}}}")),
    "repeat beside repeat": ("E004", many(100, "a[n]: {op: ReLU, repeat: 12000}")),
    "repeat, each turn another": ("", nodes("a: {op: Conv2d, out_channels: $(i + 1), kernel_size: 1, bias: true, repeat: 11990}")),
    "dense": ("", nodes("a: {connect: dense, nodes: {b$(i): {op: Conv2d, out_channels: 1, kernel_size: 1, repeat: 5900}}}")),
    "blocks that call two": ("E004", blocks("b0: {nodes: [ReLU]}", "b[n]: {nodes: [b[n-1], b[n-1]]}", "b59")),
    "blocks that call two others": ("E004", blocks("b0: {params: {p: int}, nodes: [{op: LeakyReLU, negative_slope: $(p / 3)}]}", "b[n]: {params: {p: int}, nodes: [{op: b[n-1], p: $(2 * p)}, {op: b[n-1], p: $(2 * p + 1)}]}", "{op: b39, p: 1}")),
    "a block of itself": ("E211", lambda: spec("blocks: {a: {nodes: [a]}}", "nodes: [a]")),
    "two blocks of each other": ("E211", lambda: spec("blocks: {a: {nodes: [b]}, b: {nodes: [a, a]}}", "nodes: [a]")),
    "a block of itself by a param": ("E211", lambda: spec("blocks: {a: {params: {f: op}, nodes: [{op: $f, f: $f}]}}", "nodes: [{op: a, f: a}]")),
    "a block of itself under a condition": ("E211", lambda: spec("blocks: {a: {params: {n: int}, nodes: [{op: a, n: $(n - 1), if: $(n > 0)}]}}", "nodes: [{op: a, n: 1000000}]")),
    # expressions
    **{text.strip(): expression(text.strip()) for line in EXPRESSIONS.split("\n") for text in line.split("|") if text.strip()},
    "lists that double": ("E124", lets("a0: [1, 2]", "a[n]: $(a[n-1] + a[n-1])")),
    "lists of two lists": ("E124", lets("a0: [1, 2]", "a[n]: [$a[n-1], $a[n-1]]")),
    "texts that double": ("E124", lets("a0: xx", "a[n]: $(a[n-1])$(a[n-1])")),
    "numbers that double": ("E124", lets("a0: 9", "a[n]: $(a[n-1] * a[n-1])")),
    "arguments that double": ("E124", blocks("b0: {params: {p: list}, nodes: [{op: reshape, shape: $p}]}", "b[n]: {params: {p: list}, nodes: [{op: b[n-1], p: [$p, $p]}]}", "{op: b59, p: [1]}")),
    # sizes
    "channels": ("", nodes("a: {op: Conv2d, out_channels: 1000000000000000, kernel_size: 1}")),
    "a size of 200 digits": ("E207", nodes(f"a: {{op: Conv2d, out_channels: {'9' * 200}, kernel_size: 1}}")),
    "an input": ("E103", lambda: spec("nodes: [ReLU]", inputs=f"{{x: [N, {'9' * 19}]}}")),
    "dimensions": ("E103", lambda: spec("nodes: [ReLU, Tanh]", inputs=f"{{x: [N{', 2' * 10_000}]}}")),
    "chunks": ("", nodes("a: {op: chunk, chunks: 1000000000, dim: 1}", "b: {op: ReLU, from: a.0}")),
    "splits": ("E207", nodes("a: {op: split, split_size_or_sections: 1, dim: 1}", "b: {op: ReLU, from: a.0}", inputs="{x: [N, 1000000000]}")),
    "slices": ("E207", nodes("a: {op: unbind, dim: 1}", "b: {op: ReLU, from: a.0}", inputs="{x: [N, 1000000000]}")),
    "a pooling": ("", nodes("a: {op: AdaptiveAvgPool2d, output_size: 1000000000000000}")),
    "tiles": ("", nodes("a: {op: tile, dims: [1000000000000, 1000000000000, 99999999999]}")),
    "layers of a layer": ("E207", nodes("a: {op: LSTM, hidden_size: 3, num_layers: 1000000000}", inputs="{x: [N, 10, 10]}")),
}  # fmt: skip


def every() -> dict[str, Case]:
    import hostile_work  # which is written with what stands here

    return CASES | hostile_work.CASES


def pace() -> float:
    """The seconds of the processor for a fixed piece of work, 0.015 on the machine of the limits.

    Others on the machine, or a slower one, stretch it as they stretch a case.
    """
    clock, total = time.process_time(), 0
    for k in range(200_000):
        total += k * k
    return time.process_time() - clock


def measure(name: str, file: Path, case: Callable[[], str]) -> dict[str, object]:
    """What `check` says of a case, and what it took."""
    import graphbuild

    file.write_text(case(), encoding="utf-8")
    paces = [pace()]
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    memory, clock = _status("VmRSS"), time.process_time()
    found = graphbuild.check(file)
    told = sum(len(str(finding)) for finding in found)
    seconds = time.process_time() - clock
    later = [] if any(finding.is_error for finding in found) else [*_later(file)]
    paces.append(pace())
    codes = sorted({finding.code for finding in found})
    mib = (_status("VmHWM") - memory) / 1024
    return {
        "name": name,
        "codes": codes,
        "seconds": seconds,
        "later": max(later, default=0),
        "pace": max(paces),
        "MiB": mib,
        "characters": told,
    }


def _later(file: Path) -> Iterator[float]:
    """The seconds that each further stage takes for a spec that is right."""
    import graphbuild

    graph = graphbuild.elaborate(graphbuild.read(file))
    stages: tuple[Callable[[], object], ...] = (
        lambda: str(graphbuild.summary(graph)),
        lambda: graphbuild.emit(graph),
        lambda: graphbuild.render(graph),
    )
    for stage in stages:
        clock = time.process_time()
        stage()
        yield time.process_time() - clock


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def main(names: list[str]) -> None:
    import graphbuild

    graphbuild.check({"graphbuild": 1, "inputs": {"x": ["N", 2]}, "nodes": ["ReLu"]})  # imports all
    graph = graphbuild.elaborate(graphbuild.read("lenet5"))
    graphbuild.emit(graph)
    graphbuild.render(graph)
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(
        resource.RLIMIT_AS, (4 * 2**30, most)
    )  # a bad case is not to end the machine
    with TemporaryDirectory() as folder:
        for name, (_, case) in every().items():
            if not names or name in names:
                print(json.dumps(measure(name, Path(folder) / "net.yaml", case)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
