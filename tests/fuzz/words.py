"""What broken specs get in place of what they have: words, values, signs and bytes."""

from __future__ import annotations

from typing import Any

KEYS = """graphbuild extends name doc params let inputs dims defaults blocks nodes connect outputs
expect init op from if when repeat share tie args spec cases switch route mixture top_k rest value
shape dtype match input i training weight parameters multiple min max""".split()
NAMES = ["", "a.b", "a b", "0", "-1", "true", "null", "~", "é", "__class__", "forward", "self", "None",
         "class", "$x", "x$(i)", "$(", "$$", "<<", "=", "x" * 300, "\u202e", "a\nb", "%s{0}", "1e5",
         "a.0", "input.0", "..", "weight", "*", "$(1 / 0)", "a\tb", "\U0001f600", "ﬁ"]  # fmt: skip
SCALARS: list[Any] = [None, True, False, 0, 1, -1, 2, 3, 7, 0.5, -0.0, 1e-5, 1e300, 2**31, 2**63, 10**18, 10**30, -(10**9),
           float("inf"), float("nan"), "", " ", "x", "int", "op", "ReLU", "Linear", "add", "$i", "$training",
           "$(w)", "$(n + 1)", "$(i + 1)", "$(1 / 0)", "$(9 ** 9)", "$(10 ** 9)", "$(input.shape)",
           "$(input.channels)", "$([1, 2])", "$('a' * 9)", "$(x", "$()", "$(None)", "$(x.y.z)", "$w.0",
           "$(min())", "$([i for i in range(9)])", "$(a[0])", "$(stages)", "a$(1)b$(2)", "$(training)",
           "input", "input.0", "always", "H=8", "N=0", "N", "0x1F", "0o17", "1_000", "on", "..",
           "../x", "/etc/passwd", "resnet18", "encoder", "inner", "b1", "same"]  # fmt: skip
TOKENS = ["\t", "\r", "\n", "\n\n", " ", "  ", "- ", ": ", "? ", ":", ",", "{", "}", "[", "]", "{}", "[]",
          "|", ">", "|\n", ">-\n", "&a ", "*a", "!!int ", "!x ", "%", "%YAML 1.1\n", "@", "`", "#", " # c", "# c\n",
          "'", '"', "''", '""', "---\n", "\n---\n", "...\n", "\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029",
          "\xa0", "\u3000", "\u202e", "\u200b", "\ufeff", "\U0001f600", "e\u0301", "é", "<<: ", "\\", "\\x", "\\u12",
          "$(", ")", "$", "$$", "$(i)", "$x", "~", "null", "0", "-1", "1e9", "0x", ".", "..", "=", "|2",
          ": {", ": [", "\n  x: 1\n", "\n x", "\x0b", "\x0c", "\x1c"]  # fmt: skip
BYTES = [b"\xff", b"\xfe\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf",
         b"\xf8\x88\x80\x80", b"\x80"]  # fmt: skip
SIGNS = """( ) [ ] { } , : . .. = == < > + - * ** / // % @ & | ~ ^ ! ' " \\ # $ $( 0 1 -1 1e999 0x 1j _ x i n w ws
input .shape .channels .x [0] [-1] [::2] [9] () (1) None True training not and or if else in is lambda for
[k for k in ws] sum( range(9) len(n) max() zip(ws) 'a'*9 f'' b'' ... := é \u202e \t \n import __class__""".split()
MEANT: list[Any] = [*SCALARS, [], {}, [1], [None], ["input", "input"], [[1, 2], [3]], {"a": 1}, {"op": "ReLU"}, {"x": ["N", 6]},
         {"add": ["input", "input"]}, {"k": 2}, {"w": "$ws"}, {"op": "Linear", "repeat": 2}, {"nodes": ["ReLU"]},
         {"op": "normal", "std": -1}, {"true": "ReLU", "false": "Tanh"}, ["ReLU", "Tanh"], {"spec": "inner"},
         {"concat": ["input"], "dim": 9}, {"x": {"y": {"z": []}}}]  # fmt: skip
