"""Options of the command line that ask for too much, or hide what they ask for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from test_cli import main

SPEC = """\
graphbuild: 1
name: net
params: {width: 8, depths: [1, 2], act: ReLU, slopes: {a: 0.1}, spare: null}
inputs: {x: [N, 4]}
nodes:
  a: {op: Linear, out_features: $width, repeat: $(len(depths))}
  b: {op: $act}
  c: {op: LeakyReLU, negative_slope: $slopes.a}
"""
SECONDS = 5  # of the processor; two are promised, and machines differ
MANY = 100_000

# What is given, and the code that it ends in; without one it is right.
PARAMS = {
    "width": {
        **dict.fromkeys(["1e308", ".inf", ".nan", "true", "null", "", "~", "[1]", "{a: 1}"], "E103"),
        **dict.fromkeys(["$x", "$(9**9**9)", "'8'", "1_000", "<b>", "\\", "1\n2", "😀"], "E103"),
        **dict.fromkeys(["9" * 5_000, "8" * MANY, "x" * MANY, "# nothing"], "E103"),
        **dict.fromkeys(["!!python/object/apply:os.system [x]", "!!int 3", "&a 1", "*a"], "E002"),
        **dict.fromkeys(["a: &x [1]\nb: *x", "\x00", "\x1b[31m8", "\u202e8", "\udcff"], "E002"),
        **dict.fromkeys(["`rm`", "'", '"', "%", "@", "\t8", "[1", "%YAML 1.1\n---\n8"], "E002"),
        **dict.fromkeys(["-1", "0"], "E115"),
        **dict.fromkeys(["10000000000000", "0x10", "8\n...", "8 # said", " 8 ", "1\r\n"], ""),
    },
    "depths": {
        "[" * MANY: "E004",
        f"[{'1, ' * MANY}]": "E124",
        f"[{'1, ' * 13_000}]": "E124",
        "- 1\n- 2": "E002",
        "8": "E103",
        "{}": "E103",
        "['\u202e']": "E002",
        **dict.fromkeys(["[[1]]", "[]", "[-1, x]", "[1,\n2]", "[" * 60 + "]" * 60], ""),
    },
    "act": {
        **dict.fromkeys(["__import__('os')", "../../etc/passwd", "net", "$act", "x" * MANY], "E103"),
        **dict.fromkeys(["[ReLU]", "{op: ReLU}", "a"], "E103"),
        "Conv2d": "E113",
        "add": "E205",
        "Tanh\n": "",
    },
    "slopes": {
        **dict.fromkeys(["{a: x}", "{a: {b: 1}}"], "E114"),
        **dict.fromkeys(["{__class__: 1}", "{1: 2}", "{}"], "E123"),
        **dict.fromkeys(["{? [a] : 1}", "{<<: {a: 1}, a: 2}"], "E002"),
        "{a: 1, a: 2}": "E003",
        **dict.fromkeys(["{a: .nan}", "{a: 1e400}", "{a: -0.0, b: [[[]]]}"], ""),
    },
    "spare": dict.fromkeys(["'\"\"\"'", "$(1)", "{a: [1, {b: 2}]}", "'x\n\n y'", '"\\u202e"'], ""),
}  # fmt: skip
SIZES = ["0", "-1", "x", "", "9" * 5_000, "1.5", "1e3", "0x10", "٣", "1\n", "$(1)", "[1]"]
CASES = [(name, value, code) for name, given in PARAMS.items() for value, code in given.items()]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(SPEC, encoding="utf-8")


def soon(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """The exit code, and what is told about it."""
    start = time.process_time()
    code, out, err = main(capsys, *args)
    assert time.process_time() - start < SECONDS
    assert "internal error" not in err
    assert "Traceback" not in err
    assert len(err) < 10_000
    assert not {"\x1b", "\x00", "\u202e"} & set(out + err)
    return code, err


@pytest.mark.parametrize(("name", "value", "code"), CASES, ids=range(len(CASES)))
def test_values_of_params(
    name: str, value: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = f"{name}={value}"
    status, err = soon(capsys, "check", "net.yaml", "--set", given)
    assert (status, code in err) == (bool(code), True), err
    assert soon(capsys, "summary", "net.yaml", "--set", given)[0] == bool(code)
    assert soon(capsys, "diff", "net.yaml", "net.yaml", "--set", given)[0] == 2 * bool(code)
    status, err = soon(capsys, "compile", "net.yaml", "--set", given, "-o", "net.py")
    assert status == bool(code)
    assert Path("net.py").exists() != bool(code)
    if not code:
        compile(Path("net.py").read_text(encoding="utf-8"), "net.py", "exec")


@pytest.mark.parametrize("value", SIZES, ids=range(len(SIZES)))
def test_sizes(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, err = soon(capsys, "summary", "net.yaml", "--size", f"N={value}")
    assert status == 2
    assert "has no size" in err


@pytest.mark.parametrize("item", ["", "=", "=8", "width", "a" * MANY, "wid\nth=8", "__class__=1"])
def test_what_names_no_param(item: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert soon(capsys, "check", "net.yaml", "--set", item)[0] == 2
    assert soon(capsys, "summary", "net.yaml", "--size", item)[0] == 2
