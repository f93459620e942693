"""Hostile specs that ask for much work or memory in few words, and those that hide what they ask for."""

from __future__ import annotations

from hostile import Case, each, nodes, spec


def halves(count: int, leaf: str) -> str:
    """A sum of so many terms that is not deep."""
    if count < 2:
        return leaf
    return f"({halves(count // 2, leaf)}+{halves(count - count // 2, leaf)})"


def block(params: str, node: str, *lines: str, **more: str) -> str:
    return spec(f"blocks: {{b: {{params: {params}, nodes: [{node}]}}}}", *lines, **more)


CONV = "{op: Conv2d, out_channels: 8, kernel_size: 1}"
SLOPE = "{op: LeakyReLU, negative_slope: $k}"
CASES: dict[str, Case] = {
    # expressions: many, long, slow, and with much to read
    "long expressions": ("E004", lambda: spec("nodes:", *each(1_500, f'  n[n]: {{op: Dropout, p: "$({halves(240, "1")}*0+[n])"}}'))),
    "a long expression in each turn": ("E004", nodes(f'a: {{op: LeakyReLU, repeat: 11000, negative_slope: "$({halves(240, "i")})"}}')),
    "a slow expression in each turn": ("E004", nodes('a: {op: LeakyReLU, repeat: 11000, negative_slope: "$(sum([k * i for k in range(40000)]))"}')),
    "slow expressions": ("E004", lambda: spec("nodes:", *each(2000, '  n[n]: {op: LeakyReLU, negative_slope: "$(sum([k * [n] for k in range(40000)]))"}'))),
    "slow lets": ("E004", lambda: spec("blocks: {b: {params: {k: int}, let: {l: '$([k + j for j in range(20000)])'}, nodes: [{op: LeakyReLU, negative_slope: '$(l[0])'}]}}", "nodes: {a: {op: b, k: $i, repeat: 6000}}")),
    "lets that grow": ("E004", lambda: spec("let:", "  l0: [1]", *each(300, "  l[n]: $(l[n-1] + l[n-1][:300])", 1), "nodes: [ReLU]")),
    "conditions": ("E004", lambda: spec("nodes:", *each(5000, f"  a[n]: {{op: ReLU, when: $(training and [n] > 2 and ({halves(60, '1')}) > 2)}}"))),
    "a large param in each turn": ("E004", lambda: spec(f"params: {{m: {{{', '.join(each(30_000, 'y[n]: 1'))}}}}}", "nodes: {b: {op: LeakyReLU, repeat: 5000, negative_slope: $(m.y1 + i)}}")),
    # names that are seen by many
    "params of a spec": ("E004", lambda: spec("params:", *each(50_000, "  p[n]: 1"), "nodes: [ReLU]")),
    "params and turns": ("E004", lambda: spec("params:", *each(300, "  p[n]: 1"), "nodes: {a: {op: LeakyReLU, negative_slope: $(i + p0), repeat: 11000}}")),
    "params of a block": ("E004", lambda: block(f"{{k: int, {', '.join(each(290, 'p[n]: 1'))}}}", SLOPE, "nodes: {a: {op: b, k: $i, repeat: 6000}}")),
    "arguments of a block": ("E004", lambda: block(f"{{{', '.join(each(290, 'p[n]: int'))}}}", "ReLU", f"nodes: {{a: {{op: b, repeat: 5000, {', '.join(each(290, 'p[n]: $i'))}}}}}")),
    "arguments that are passed on": ("", lambda: spec("blocks: {b: {rest: c, nodes: {c: Conv2d}}}", "nodes:", *each(4_000, "  c[n]: {op: b, out_channels: [n], kernel_size: 1}", 1))),
    "too many arguments": ("E004", lambda: spec("nodes:", "  a:", "    op: Conv2d", *each(70_000, "    k[n]: 1"))),
    # operands, outputs, parts, dimensions
    "operands of a block": ("E004", lambda: spec(f"blocks: {{b: {{params: {{k: int}}, inputs: [q], nodes: {{l: {SLOPE}, c: {{op: concat, from: [{'l, ' * 20_000}]}}}}}}}}", "nodes: {a: {op: b, k: $i, repeat: 5000}}")),
    "outputs of a block": ("E004", lambda: spec(f"blocks: {{b: {{inputs: [q], nodes: {{l: ReLU}}, outputs: [{'l, ' * 9_000}]}}}}", "nodes: {'b$(i)': {op: b, repeat: 9000, from: x}}")),
    "inputs of a group": ("E004", lambda: spec("nodes:", f"  g: {{inputs: [{', '.join(each(9000, 'a[n]'))}], from: [{'x, ' * 9000}], nodes: {{h: {{op: add, from: [a1, a8999]}}}}}}")),
    "outputs of a spec": ("E004", lambda: spec("nodes: {a: ReLU}", f"outputs: [{'a, ' * 70_000}]")),
    "ever more dimensions": ("E207", nodes("a: {op: unsqueeze, dim: 0, repeat: 5000}")),
    "parts": ("E004", lambda: spec("nodes:", *each(900, "  f[n]: {op: chunk, chunks: [n], dim: 1, from: x}", 1), inputs="{x: [N, 1000]}")),
    "parts that double": ("E004", lambda: spec("blocks:", "  b0: {connect: parallel, nodes: [ReLU, ReLU]}", *each(60, "  b[n]: {connect: parallel, nodes: [b[n-1], b[n-1]]}", 1), "nodes: [b50]")),
    "sizes that double": ("E207", nodes("a: {connect: dense, nodes: {'b$(i)': {connect: dense, repeat: 70, nodes: [Tanh]}}}")),
    "a pattern of many axes": ("E207", nodes(f"a: {{op: rearrange, pattern: '{'a ' * 90_000}-> {'a ' * 90_000}'}}")),
    "an equation of many operands": ("", nodes(f"a: {{op: einsum, equation: '{','.join(['abcd'] * 10_000)}->a', from: [{'x, ' * 10_000}]}}")),
    "a list of many arguments": ("E124", nodes(f"a: {{op: Conv2d, out_channels: 8, kernel_size: [{'1, ' * 90_000}1]}}")),
    # shapes of graphs
    "blocks that double": ("E004", lambda: spec("blocks:", "  b0: {params: {w: int}, nodes: [{op: Conv2d, out_channels: $w, kernel_size: 1}]}", *each(60, "  b[n]: {params: {w: int}, nodes: [{op: b[n-1], w: $(w * 2)}, {op: b[n-1], w: $(w * 2 + 1)}]}", 1), "nodes: [{op: b12, w: 1}]")),
    "calls of a large block": ("E004", lambda: spec("blocks:", "  b:", "    nodes:", *each(5000, "      r[n]: Tanh"), "nodes:", *each(3000, f"  c[n]: {CONV}\n  b[n]: b"))),
    "wide": ("", nodes("p: {connect: parallel, nodes: {'b$(i)': {op: Conv2d, out_channels: $(i + 1), kernel_size: 1, repeat: 11000}}}", "c: concat")),
    "each with all before it": ("", lambda: spec("nodes:", *(f"  n{n}: {{op: Linear, out_features: 8, from: {{concat: [{', '.join(['x', *(f'n{k}' for k in range(n))])}], dim: 1}}}}" for n in range(19)), inputs="{x: [N, 8]}")),
    "each with one far above": ("", lambda: spec("nodes:", "  n0: {op: ReLU, from: x}", *(f"  n{n}: {{op: add, from: [n{n - 1}, n{n * n // 9001 if n > 3 else 0}]}}" for n in range(1, 9_000)))),
    "many cases": ("", lambda: spec(f"nodes: {{r: {{route: c, from: x, cases: [{'ReLU, ' * 11_000}]}}}}", inputs="{x: [N, 8, 4, 4], c: {shape: [N], dtype: int64}}")),
    "many present in one mode": ("W301", lambda: spec("nodes:", "  w0: {op: ReLU, from: x}", *each(5_900, "  w[n]: {op: ReLU, when: $training, from: x}\n  v[n]: {op: add, from: [w[n], w0]}", 1))),
    "left out, one after the other": ("", lambda: spec("nodes:", *each(9000, "  c[n]: {op: ReLU, if: $(x.channels > [n])}", 1))),
    "views as outputs": ("", lambda: spec("nodes:", *each(5_500, "  v[n]: {op: flatten, start_dim: 2}\n  w[n]: {op: unflatten, dim: 2, sizes: [16, 16]}"), f"outputs: [{', '.join(each(990, 'v[n]'))}, w5499]")),
    "layers that share, backwards": ("E201", lambda: spec("nodes:", *each(11_000, "  s[n]: {share: s[n+1], from: x}"), "  s11000: {op: Conv2d, out_channels: 8, kernel_size: 1, from: x}")),
    "ties in a row": ("", lambda: spec("nodes:", "  t0: {op: Linear, out_features: 16}", *each(10_000, "  t[n]: {op: Linear, out_features: 16, tie: {weight: t[n-1].weight}}", 1), inputs="{x: [N, 16]}")),
    "ties with one": ("", lambda: spec("blocks: {b: {nodes: [{op: Linear, out_features: 16, tie: {weight: t.weight, bias: t.bias}}, Tanh]}}", "nodes:", "  t: {op: Linear, out_features: 16}", "  a: {op: b, repeat: 3900}", inputs="{x: [N, 16]}")),
    "ties in a circle": ("E203", lambda: spec("nodes:", *each(10_000, "  t[n]: {op: Linear, out_features: 16, tie: {weight: t[n+1].weight}}"), "  t10000: {op: Linear, out_features: 16, tie: {weight: t0.weight}}", inputs="{x: [N, 16]}")),
    "ties to nothing": ("E201", lambda: spec("nodes:", *each(10_000, "  t[n]: {op: Linear, out_features: 16, tie: {weight: u[n].weight}}"), inputs="{x: [N, 16]}")),
    "a spec in a spec": ("E004", lambda: spec("nodes:", *each(3000, "  a[n]: {spec: resnet152, params: {num_classes: [n]}, from: x}", 1), inputs="{x: [N, 3, 224, 224]}")),
    "specs that are not there": ("E004", lambda: spec("nodes:", *each(9000, "  a[n]: {spec: nope[n], from: x}"))),
    "present in training, one after the other": ("", lambda: spec("nodes:", "  a0: ReLU", *each(9_000, "  a[n]: {op: ReLU, when: $training}", 1))),
    "a sum of very many": ("", lambda: spec("nodes:", *each(4_000, "  b[n]: {op: Tanh, from: x}"), f"  c: {{op: add, from: [{', '.join(each(4_000, 'b[n]'))}]}}")),
    "sizes that hang on each other": ("", lambda: spec("params: {w: 3}", "nodes:", "  a0: {op: Linear, out_features: $w}", *each(2_000, "  a[n]: {op: Linear, out_features: $(a[n-1].channels * 2 % 7 + 1)}", 1), inputs="{x: [N, 8]}")),
    "a pattern of many other axes": ("E207", nodes(f"a: {{op: rearrange, pattern: '{' '.join(each(20_000, 'a[n]'))} -> {' '.join(each(20_000, 'a[n]'))}'}}")),
    # rules of initialisation
    "rules by op": ("E004", lambda: spec("nodes:", *each(6000, f"  c[n]: {CONV}"), "init:", *each(3000, "  - {match: Conv2d, weight: {op: normal, std: '$(1 / [n])'}}", 1))),
    "rules by path": ("E004", lambda: spec("nodes:", *each(6000, f"  c[n]: {CONV}"), "init:", *each(800, "  - {match: 'c[n]*x', weight: zeros}"))),
    "long patterns": ("E004", lambda: spec("nodes:", *each(60, f"  {'a' * 150}[n]: {CONV}"), "init:", *each(2_000, f"  - {{match: '{'*a' * 250}[n]', weight: ones}}"))),
    "a pattern that is too long": ("E103", lambda: spec(f"nodes: [{CONV}]", f"init: [{{match: '{'*x' * 500_000}', weight: zeros}}]")),
    # names and numbers
    "a long name, in turns": ("E104", lambda: spec("nodes:", f"  ? {'x' * 1_000_000}", "  : {repeat: 5000, nodes: {a: {op: LeakyReLU, negative_slope: $i}}}")),
    "long names in each other": ("E104", lambda: spec("nodes:", f"  ? {'x' * 300_000}", f"  : {{nodes: {{? {'y' * 300_000} : {{op: ReLU, repeat: 10000}}}}}}")),
    "a long name of an output": ("E104", lambda: spec("nodes: [ReLU]", f"outputs: {{? {'x' * 1_000_000} : '0'}}")),
    "a long name of a spec": ("E005", nodes(f"a: {{spec: {'x' * 1_000_000}}}")),
    "huge numbers": ("E207", lambda: spec("nodes:", *(f"  {key}: {{op: conv2d, from: [x, x], {key}: {'9' * 200}}}" for key in ("stride", "padding", "dilation", "groups")))),
    "huge expectations": ("E210", lambda: spec("nodes: {a: ReLU}", f"expect: {{parameters: {'9' * 200}, outputs: {{a: [{'9' * 200}, 1e309, .inf, .nan]}}}}")),
    "findings of outputs": ("W304", lambda: spec("nodes:", *each(1_000, "  u[n]: {op: Dropout, from: x}"), f"outputs: [{', '.join(each(1_000, 'u[n]'))}]")),
    "dimensions that no input has": ("E101", lambda: spec("dims:", *each(30_000, "  e[n]: {min: 3}"), "nodes: [ReLU]", inputs=f"{{{', '.join(each(1_000, 'y[n]: [A[n], B[n]]'))}}}")),
}  # fmt: skip
