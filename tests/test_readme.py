"""What the README and the reference of the language show is what happens."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from command import ROOT, python, run

import graphbuild
from graphbuild import ops

README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "specs" / "README.md").read_text(encoding="utf-8")
FENCED = "^```{}\n(.*?)^```$"
EXAMPLE = {  # what an example of the reference that leaves it out goes into
    "graphbuild": "graphbuild: 1",
    "name": "name: example",
    "inputs": "inputs: {image: [N, 3, H=32, W=32]}",
    "nodes": "nodes: {stem: {op: Conv2d, out_channels: 8, kernel_size: 3, padding: 1}}",
}


def test_the_limits_of_the_reference_are_those_of_the_code() -> None:
    from graphbuild import fmt, names, source
    from graphbuild.elaborate import state
    from graphbuild.read import MAX_FILES, MAX_WAY
    from graphbuild.spec import MAX_NODES, MAX_PATTERN, kinds, scope
    from graphbuild.spec import names as variables

    told = (
        f"{source.MAX_SIZE:,} characters, {source.MAX_ENTRIES:,} entries, {source.MAX_DEPTH} levels",
        f"{MAX_NODES:,} nodes; {state.MAX_CALLS:,} with each",
        f"{state.MAX_LAYERS:,} nodes",
        f"{state.MAX_TURNS:,} turns, {state.MAX_ALL_TURNS:,} in all",
        f"{state.MAX_OPERANDS:,} operands, {state.MAX_CHARACTERS:,} characters of expressions",
        f"{scope.MAX_INPUTS:,} inputs and outputs, {variables.MAX_VARIABLES} params and lets",
        f"{scope.MAX_ARGUMENTS} arguments",
        f"{names.MAX_NAME} characters",
        f"{kinds.MAX_RANK} dimensions",
        f"{MAX_FILES} files, {MAX_WAY} inside of each other",
        f"{MAX_PATTERN:,} characters | a pattern",
        f"{fmt.MAX_SIZE:,} characters | what `fmt`",
    )
    table = REFERENCE[REFERENCE.index("| at most |") :]
    assert [row for row in told if f"\n| {row}" not in table] == []


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(FENCED.format(language), text, re.MULTILINE | re.DOTALL)


def whole(text: str) -> str:
    """An example with what it leaves out; one that extends another takes that from there."""
    if re.search("^extends:", text, re.M):
        return "\n".join([EXAMPLE["graphbuild"], text])
    missing = [line for key, line in EXAMPLE.items() if not re.search(f"^{key}:", text, re.M)]
    return "\n".join([*missing, text])


@pytest.mark.parametrize("text", [whole(text) for text in blocks(REFERENCE, "yaml")])
def test_the_examples_of_the_reference_compile(text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    errors = [finding for finding in graphbuild.check(path) if finding.is_error]
    assert not errors, "\n\n".join(map(str, errors))
    graphbuild.compile(path)


def test_the_reference_says_what_its_examples_go_into() -> None:
    assert blocks(REFERENCE, "yaml")[0].splitlines() == list(EXAMPLE.values())


def test_the_reference_names_every_key() -> None:
    from graphbuild.expr import FUNCTIONS
    from graphbuild.spec import Spec

    for key in Spec.keys:
        assert key == "rest" or f"| `{key}` |" in REFERENCE
    assert " ".join(FUNCTIONS) in re.sub(r"\s+", " ", REFERENCE)


@pytest.mark.parametrize("layers", [True, False])
def test_the_reference_lists_every_op(layers: bool, update_golden: bool) -> None:
    called = [op for op in map(ops.get, ops.names()) if op is not None and not op.own]
    names = [op.name for op in called if op.layer is layers]
    text = textwrap.fill(" ".join(names), 100, break_on_hyphens=False) + "\n"
    compare("text", not layers, text, update_golden, ROOT / "specs" / "README.md")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with the README's spec."""
    (tmp_path / "tiny.yaml").write_text(blocks(README, "yaml")[0], encoding="utf-8")
    return tmp_path


def compare(
    language: str, position: int, text: str, update: bool, file: Path = ROOT / "README.md"
) -> None:
    """That a block of a file is this text; `--update-golden` puts it there."""
    whole = file.read_text(encoding="utf-8")
    found = list(re.finditer(FENCED.format(language), whole, re.MULTILINE | re.DOTALL))[position]
    if update:
        start, end = found.span(1)
        file.write_text(whole[:start] + text + whole[end:], encoding="utf-8")
    else:
        assert text == found[1]


def test_source(tiny: Path, update_golden: bool) -> None:
    assert run("compile", "tiny.yaml", cwd=tiny).returncode == 0
    source = (tiny / "tiny.py").read_text(encoding="utf-8")
    block = source[source.index("class Residual") : source.index("\n\nclass Tiny")]
    compare("python", 0, block, update_golden)


def test_summary(tiny: Path, update_golden: bool) -> None:
    done = run("summary", "tiny.yaml", "--depth", "1", cwd=tiny)
    assert done.returncode == 0, done.stderr
    compare("text", 0, done.stdout, update_golden)


def test_error(tiny: Path, update_golden: bool) -> None:
    lines = (tiny / "tiny.yaml").read_text(encoding="utf-8").splitlines()
    lines[20] = lines[20].replace("out_channels: $channels", "out_channels: $(channels * 2)")
    (tiny / "tiny.yaml").write_text("\n".join(lines), encoding="utf-8")
    done = run("check", "tiny.yaml", cwd=tiny)
    assert done.returncode == 1
    compare("text", 1, done.stderr.rstrip("\n") + "\n", update_golden)


def test_diff(tiny: Path, update_golden: bool) -> None:
    text = (tiny / "tiny.yaml").read_text(encoding="utf-8")
    norm = "      norm2: BatchNorm2d\n"
    text = text.replace(norm, f"{norm}      drop: {{op: Dropout2d, p: 0.1}}\n")
    text = text.replace("from: [norm2,", "from: [drop,")
    text = text.replace("  head: {op: Linear,", "  classifier: {op: Linear, bias: false,")
    (tiny / "new.yaml").write_text(text, encoding="utf-8")
    done = run("diff", "tiny.yaml", "new.yaml", cwd=tiny)
    assert (done.returncode, done.stderr) == (1, "")
    compare("text", 2, done.stdout, update_golden)


def test_commands(tiny: Path) -> None:
    (tiny / "net.yaml").write_text((tiny / "tiny.yaml").read_text(encoding="utf-8"))
    text = next(block for block in blocks(README, "sh") if "graphbuild list" in block)
    for line in text.splitlines():
        command = line.split("#")[0].split()[1:]
        if command == ["--install-completion"]:
            continue
        specs = map(str, sorted((ROOT / "specs").glob("*.yaml")))
        command = [one for word in command for one in (specs if word == "specs/*.yaml" else [word])]
        done = run(*command, cwd=tiny)
        assert done.returncode == int(command[0] == "diff"), f"{line}\n{done.stderr}"


def test_python(tmp_path: Path) -> None:
    done = python("-c", blocks(README, "python")[1], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
