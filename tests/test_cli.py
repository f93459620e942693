"""The command line: verbs, exit codes, output for people and for machines."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from command import BUNDLED, ROOT, barred, run

import graphbuild
from graphbuild import cli

BROKEN = """\
graphbuild: 1
name: broken
inputs: {image: [N, 3, H=32, W=32]}
nodes:
  conv: {op: Conv2D, out_channels: 8, kernel_size: 3}
  more: {op: Conv2d, out_chanels: 8, kernel_size: 3}
"""
UNUSED = """\
graphbuild: 1
name: unused
params: {spare: 1}
inputs: {x: [N, 4]}
nodes: {fc: {op: Linear, out_features: 2}}
"""


def main(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as exit:
        cli.main(list(args))
    out, err = capsys.readouterr()
    return int(exit.value.code or 0), out, err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- help ---------------------------------------------------------------------------------------


VERBS = "compile check summary list explain fmt new schema".split()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = main(capsys, verb, "--help")
    assert code == 0
    assert f"\n    graphbuild {verb}" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(capsys, "--version") == (0, f"graphbuild {graphbuild.__version__}\n", "")


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = "torch", "pydantic", "networkx", "yaml", "rich"
    done = run("--help", cwd=tmp_path, without=barred(tmp_path / "barred", *heavy))
    assert done.returncode == 0, done.stderr


def test_completion(tmp_path: Path) -> None:
    (tmp_path / "dense.yaml").touch()
    (tmp_path / "dense.txt").touch()
    (tmp_path / "densefolder").mkdir()
    done = run(
        cwd=tmp_path,
        _GRAPHBUILD_COMPLETE="complete_bash",
        COMP_WORDS="graphbuild check dense",
        COMP_CWORD="2",
    )
    names = {name for name in BUNDLED if name.startswith("dense")}
    assert set(done.stdout.split()) == {*names, "dense.yaml", "densefolder/"}


# -- compile ------------------------------------------------------------------------------------


def test_compile_writes_where_you_stand(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "compile", str(ROOT / "specs" / "lenet5.yaml"))
    assert (code, err) == (0, "")
    source = (here / "lenet5.py").read_text(encoding="utf-8")
    assert source == graphbuild.emit(graphbuild.elaborate(graphbuild.read("lenet5"))).source
    assert "lenet5.py" in out
    assert f"{len(source.splitlines())}" in out
    assert os.listdir(here) == ["lenet5.py"]


def test_compile_by_name_to_stdout(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "compile", "lenet5", "-o", "-")
    assert (code, err) == (0, "")
    assert out == graphbuild.emit(graphbuild.elaborate(graphbuild.read("lenet5"))).source
    assert os.listdir(here) == []


def test_compile_with_params(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = "compile", "lenet5", "--set", "num_classes=7", "-o", "seven.py"
    code, out, _ = main(capsys, *args)
    assert code == 0
    assert "N×7" in out
    assert "7" in (here / "seven.py").read_text(encoding="utf-8")


def test_compile_does_not_touch_the_file_if_the_spec_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "spec.yaml").write_text(BROKEN)
    (here / "broken.py").write_text("mine")
    code, _, err = main(capsys, "compile", "spec.yaml")
    assert code == 1
    assert "E111" in err
    assert (here / "broken.py").read_text() == "mine"


def test_a_place_that_cannot_be_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = main(capsys, "compile", "lenet5", "-o", "none/lenet5.py")
    assert (code, err) == (2, "graphbuild: none: no such folder\n")


# -- check --------------------------------------------------------------------------------------


def test_check_is_content_with_the_bundled_specs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "check", *BUNDLED)
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"{name}: ok" for name in BUNDLED]


def test_check_tells_every_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(BROKEN)
    code, out, err = main(capsys, "check", "spec.yaml", "lenet5")
    assert code == 1
    assert out.splitlines() == ["spec.yaml: 2 errors", "lenet5: ok"]
    assert "spec.yaml:5:14: E111 " in err
    assert "\n    5 |   conv: {op: Conv2D, out_channels: 8, kernel_size: 3}\n" in err
    assert "did you mean 'Conv2d'?" in err
    assert "spec.yaml:6:22: E112 " in err
    assert "did you mean 'out_channels'?" in err


def test_check_in_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(BROKEN)
    code, out, err = main(capsys, "check", "spec.yaml", "lenet5", "--format", "json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert [f["code"] for f in found] == ["E111", "E112"]
    assert found[0].keys() == {
        "code", "severity", "message", "file", "line", "column", "end_line", "end_column",
        "expected", "found", "suggestion", "notes",
    }  # fmt: skip
    place = [found[0][key] for key in ("file", "line", "column", "end_line", "end_column")]
    assert place == ["spec.yaml", 5, 14, 5, 20]
    assert found[0]["severity"] == "error"


def test_json_of_a_good_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(capsys, "check", "lenet5", "--format", "json") == (0, "[]\n", "")


def test_warnings_are_shown_and_fine(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(UNUSED)
    code, out, err = main(capsys, "check", "spec.yaml")
    assert code == 0
    assert out == "spec.yaml: ok, 1 warning\n"
    assert "W302" in err


def test_strict_takes_warnings_for_errors(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(UNUSED)
    code, out, _ = main(capsys, "check", "spec.yaml", "lenet5", "--strict")
    assert (code, out) == (1, "spec.yaml: 1 warning\nlenet5: ok\n")
    code, out, _ = main(capsys, "check", "spec.yaml", "--strict", "--format", "json")
    assert (code, [f["severity"] for f in json.loads(out)]) == (1, ["error"])


def test_check_for_github_and_as_sarif(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(BROKEN)
    code, out, err = main(capsys, "check", "spec.yaml", "--format", "github")
    assert (code, err) == (1, "")
    assert [line.split(" ")[0] for line in out.splitlines()] == ["::error"] * 2
    assert "file=spec.yaml,line=5,endLine=5,col=14,endColumn=19::" in out
    code, out, err = main(capsys, "check", "spec.yaml", "--format", "sarif")
    assert (code, err) == (1, "")
    assert [r["ruleId"] for r in json.loads(out)["runs"][0]["results"]] == ["E111", "E112"]
    assert main(capsys, "check", "lenet5", "--format", "github") == (0, "", "")


@pytest.mark.parametrize("text", [BROKEN, "a: [", "graphbuild: 1\n"])
def test_json_where_a_summary_cannot_be(
    text: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "spec.yaml").write_text(text)
    for verb in ("summary", "check"):
        code, out, err = main(capsys, verb, "spec.yaml", "--format", "json")
        assert (code, err) == (1, "")
        assert json.loads(out)[0]["code"][0] == "E"


# -- new, schema ----------------------------------------------------------------------------------


def test_new_writes_a_spec_that_compiles(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "new", "my-net")
    assert (code, err) == (0, "")
    assert "graphbuild check my-net.yaml" in out
    assert sorted(os.listdir(here)) == ["graphbuild.schema.json", "my-net.yaml"]
    assert main(capsys, "check", "--strict", "my-net.yaml") == (0, "my-net.yaml: ok\n", "")
    assert main(capsys, "fmt", "--check", "my-net.yaml") == (0, "", "")
    graphbuild.compile("my-net.yaml")


def test_new_overwrites_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.yaml").write_text("mine")
    code, _, err = main(capsys, "new", "net")
    assert (code, err) == (2, "graphbuild: net.yaml is there already\n")
    assert (here / "net.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["a/b", "../net", "a b", "1net", "", "a.b", "x" * 200])
def test_new_takes_names_only(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = main(capsys, "new", name)
    assert code == 2
    assert "not a name for a spec" in err
    assert os.listdir(here) == []


def test_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = main(capsys, "schema")
    assert (code, json.loads(out)["title"]) == (0, "graphbuild spec")
    assert main(capsys, "schema", "-o", "s.json") == (0, "", "")
    assert (here / "s.json").read_text(encoding="utf-8") == out


# -- summary and list -----------------------------------------------------------------------------


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "summary", "densenet121", "--depth", "1")
    assert (code, err) == (0, "")
    assert "image N×3×H×W -> classifier N×1000" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert re.search(r"group +N×1024×\S+ +6,953,856 ", rows["features"])
    assert re.search(r"Linear +N×1000 +1,025,000 +1,024,000$", rows["classifier"])
    assert "7,978,856" in rows["total"]


@pytest.mark.parametrize(
    ("name", "size"), [("linear_regression", "16 bytes"), ("mlp", "4.6 kB"), ("lenet5", "0.2 MB")]
)
def test_a_summary_tells_how_much_the_parameters_take(
    name: str, size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"\nparameters take {size}; " in main(capsys, "summary", name)[1]


def test_totals_do_not_change_with_depth(capsys: pytest.CaptureFixture[str]) -> None:
    totals = set()
    for depth in ([], ["--depth", "1"], ["--depth", "3"]):
        _, out, _ = main(capsys, "summary", "resnet50", *depth, "--format", "json")
        told = json.loads(out)
        assert sum(row["macs"] for row in told["rows"]) == told["totals"]["macs"]
        totals.add(json.dumps(told["totals"]))
    assert len(totals) == 1


def test_summary_at_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = main(
        capsys, "summary", "resnet18", "--depth", "1", "--size", "H=256", "--size", "N=4"
    )
    assert code == 0
    assert "4×64×128×112" in out
    assert "N×" not in out
    assert "MACs are at N=4, H=256, W=224" in out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = main(capsys, "list")
    assert code == 0
    rows = out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == list(BUNDLED)
    assert "growth_rate=32" in out


# -- exit codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("compil",), "Did you mean 'compile'?"),
        (("compile",), "Missing argument"),
        (("compile", "lenet5", "--colour"), "No such option"),
        (("compile", "lenet5", "--set", "num_classes"), "is not NAME=VALUE"),
        (("compile", "lenet5", "--set", "num_clases=3"), "did you mean 'num_classes'?"),
        (("summary", "lenet5", "--size", "X=3"), "there are N"),
        (("summary", "lenet5", "--size", "N=0"), "has no size"),
        (("summary", "lenet5", "--depth", "0"), "--depth"),
        (("check", "lenet5", "--format", "xml"), "--format"),
        (("check", "lennet5"), "did you mean 'lenet5'?"),
        (("check", "nowhere/net.yaml"), "nowhere/net.yaml"),
        (("check", "."), ".: E001 the file cannot be read: is a directory"),
        (("compile", "./lenet5"), "a bundled spec is called by its name alone: lenet5"),
        (("check", "lenet5", "resnet18", "--set", "x=3"), "'lenet5' has no param 'x'"),
        (("explain", "E20"), "did you mean"),
        (("explain", "cycle"), "there are E001, E002"),
        (("fmt", "nowhere.yaml"), "no such file"),
    ],
)
def test_wrong_usage(args: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = main(capsys, *args)
    assert code == 2
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize("value", ["many", "[1", "1.5", "null"])
def test_a_param_with_a_wrong_value_is_a_finding(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = main(capsys, "check", "lenet5", "--set", f"num_classes={value}")
    assert code == 1
    assert re.search("E[0-9]{3}", err)
    assert "Traceback" not in err


def test_a_finding_in_a_value_points_into_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = main(capsys, "check", "lenet5", "--set", "num_classes={a: 1, a: 2}")
    assert code == 1
    assert "--set:1:20: E003" in err
    assert "1 | num_classes={a: 1, a: 2}" in err


def test_a_value_of_the_wrong_kind_is_shown_as_it_was_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = main(capsys, "check", "lenet5", "--set", "num_classes=abc")
    assert code == 1
    assert "--set:1:13: E103 " in err
    assert "1 | num_classes=abc" in err
    assert re.search(r"it is declared here  \(.*lenet5.yaml:\d+\)", err)


def test_a_file_that_is_not_there_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = main(capsys, "check", "no/net.yaml", "--format", "json")
    (found,) = json.loads(out)
    assert (code, found["code"], found["file"], found["line"]) == (2, "E001", "no/net.yaml", None)


def test_an_internal_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    stage = import_module("graphbuild.elaborate")
    monkeypatch.setattr(stage, "elaborate_with_findings", fail)
    code, _, err = main(capsys, "check", "lenet5")
    assert code == 2
    assert "internal error: RuntimeError: a bug" in err
    assert "report" in err
    assert "Traceback" not in err
    monkeypatch.setenv("GRAPHBUILD_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["check", "lenet5"])


def test_only_a_wrong_path_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise KeyError("a bug")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_module("graphbuild.render"), "picture", fail)
    for args in (("render", "lenet5"), ("diff", "lenet5", "alexnet", "--render", "x.svg")):
        code, _, err = main(capsys, *args)
        assert code == 2
        assert "internal error: KeyError" in err
        assert "--expand" not in err


# -- torch, terminals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ("check", *BUNDLED),
        ("summary", "densenet121"),
        ("list",),
        ("compile", "densenet121", "-o", "net.py"),
    ],
)
def test_without_torch(args: tuple[str, ...], tmp_path: Path) -> None:
    without = barred(tmp_path / "barred", "torch", "torchvision")
    done = run(*args, cwd=tmp_path, without=without)
    assert done.returncode == 0, done.stderr


def on_a_terminal(*args: str, cwd: Path) -> str:
    """What the command prints to a terminal, escape sequences and all."""
    parent, child = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1", "COLUMNS": "100"}
    env |= {"PYTHONPATH": str(Path(graphbuild.__file__).parent.parent)}
    env.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "graphbuild", *args]
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=child, stderr=child):
        os.close(child)
        out = b""
        try:
            while part := os.read(parent, 4096):
                out += part
        except OSError:  # the other end was closed
            pass
    os.close(parent)
    return out.decode()


def test_colours_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BROKEN)
    out = on_a_terminal("check", "spec.yaml", cwd=tmp_path)
    assert "\x1b[1;31mE111\x1b[0m" in out
    assert "did you mean 'Conv2d'?" in out
    assert "7,978,856" in on_a_terminal("summary", "densenet121", "--depth", "1", cwd=tmp_path)


def test_what_a_spec_holds_cannot_drive_the_terminal(tmp_path: Path) -> None:
    text = BROKEN.replace("Conv2D", r'"\e[2J[red]oh[/red]"')
    (tmp_path / "spec.yaml").write_text(text)
    for out in (
        on_a_terminal("check", "spec.yaml", cwd=tmp_path),
        run("check", "spec.yaml", cwd=tmp_path).stderr,
    ):
        assert "\x1b[2J" not in out
        assert "[red]oh[/red]" in out
