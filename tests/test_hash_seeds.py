"""Two hash seeds, the same bytes: of findings, and of what every construct comes to."""

from __future__ import annotations

from pathlib import Path

from command import python

FINDINGS = """
import sys
sys.path.insert(0, {tests!r})
import test_elaborate, test_findings
for text, _ in [*test_findings.ROWS, ({many!r}, ())]:
    print(*test_findings.findings(text), sep="\\n")
for name, row in test_elaborate.FINDINGS.items():
    print(name, *test_elaborate.findings(row[0]), sep="\\n")
"""

# Undefined and misspelt names among many that are known.
MANY = """\
graphbuild: 1
name: net
params: {a1: 1, a2: 2, a3: 3, a4: 4, a5: 5, a6: 6, a7: 7, a8: 8}
inputs: {image: [N, 3, H=8, W=8]}
blocks: {b: {params: {p1: int, p2: int, p3: int, p4: int}, nodes: {c: relu}}}
nodes:
  one: {op: Conv2d, out_channels: $zz, kernel_size: $a9}
  two: {op: b, from: image, q: 1}
  three: {op: relu, from: nowhere}
  four: {op: Conv2d, out_channels: 3, kernel_size: 1, from: {concat: [image, image], on: 1}}
outputs: [one, two, three, four, five]
"""


def test_findings_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    script = FINDINGS.format(tests=str(Path(__file__).parent), many=MANY)
    one = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="1")
    other = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="2")
    assert one.returncode == 0, one.stderr
    assert one.stdout.count("did you mean") > 20
    assert one.stdout == other.stdout
