"""What changed between two specs: the rows, the totals, the weights, the command line, the picture."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import torch
import yaml
from command import BUNDLED, ROOT, barred, python, run
from edits import BASE, EDITS, SAME, edited
from hypothesis import HealthCheck, Phase, given, settings
from specgen import specs
from test_golden import GOLDEN, compare

import graphbuild
from graphbuild.diff import Difference, diff
from graphbuild.diff.keys import keys
from graphbuild.diff.matching import Matcher
from graphbuild.ir import Graph
from graphbuild.render import Folding, Style, draw, picture
from graphbuild.report import report

PAIRS = (
    ("densenet121", "densenet169"),
    ("resnet18", "resnet50"),
    ("resnet50", "resnet101"),
    ("vgg16", "vgg19"),
    ("siamese", "siamese_contrastive"),
    ("conditional_depth_switch", "conditional_depth_route"),
    ("googlenet", "googlenet_mini"),
    ("alexnet", "alexnet_2012"),
)


def graph(name: str, **params: object) -> Graph:
    return graphbuild.elaborate(graphbuild.read(name), **params)


def written(text: str) -> Graph:
    return graphbuild.elaborate(graphbuild.read(yaml.safe_load(text)))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the spec and each of its edits."""
    folder = tmp_path_factory.mktemp("edits")
    for name, edit in {"base": {}, **SAME, **EDITS}.items():
        (folder / f"{name}.yaml").write_text(edited(edit), encoding="utf-8")
    return folder


def of(files: Path, name: str, **options: Any) -> Difference:
    before, after = (graph(str(files / f"{n}.yaml")) for n in ("base", name))
    return diff(before, after, names=("base", name), **options)


def told(found: Difference, folder: Path) -> str:
    """The text of a difference, with the names of files alone."""
    return str(found).replace(f"{folder}/", "")


def test_the_edits_are_edits() -> None:
    for name, edit in {**SAME, **EDITS}.items():
        assert all(old in BASE for old in edit), name
        assert (edited(edit) == BASE) == (name == "nothing"), name


def test_a_node_that_came_is_told_by_what_is_written() -> None:
    text = (ROOT / "specs" / "resnet18.yaml").read_text(encoding="utf-8")
    sum_ = "      add: {op: add, from: [bn2, downsample]}\n"
    dropped = "      drop: {op: Dropout2d, from: downsample, p: 0.1}\n" + sum_.replace(
        "downsample", "drop"
    )
    rows = diff(written(text), written(text.replace(sum_, dropped))).rows
    # it is there in layer2, where its shortcut is built, and in layer1, where it is not
    assert rows[0].text == "Dropout2d p 0.1, from downsample to add"
    assert len(rows[0].places) == 8


@pytest.mark.parametrize("name", SAME)
def test_what_changes_nothing(name: str, files: Path) -> None:
    found = of(files, name)
    assert not found, str(found)
    assert "no difference: 8,946 parameters in both" in str(found)


def test_what_is_said_of_each_edit(files: Path, update_golden: bool) -> None:
    text = "\n\n".join(f"# {name}\n{told(of(files, name), files)}" for name in EDITS)
    compare(GOLDEN / "diff.txt", text + "\n", update_golden)


@pytest.mark.parametrize("name", EDITS)
def test_each_edit_is_a_difference(name: str, files: Path) -> None:
    for options in ({}, {"full": True}, {"depth": 1}):
        assert of(files, name, **options), options


def test_bundled_pairs(update_golden: bool) -> None:
    text = "\n\n".join(str(diff(graph(a), graph(b))) for a, b in PAIRS)
    narrow = diff(graph("densenet121"), graph("densenet121", growth_rate=24))
    compare(GOLDEN / "diff_bundled.txt", f"{text}\n\n{narrow}\n", update_golden)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_spec_is_not_different_from_itself(name: str) -> None:
    before = graph(name)
    for after in (before, graph(name)):
        found = diff(before, after)
        assert not found, str(found)
        assert not found.parts
        assert found.weights.same == found.weights.before == found.weights.after


def rows(found: Difference, turned: bool) -> Counter[object]:
    """Marks, kinds and places; turned, as if the second were the first."""
    marks = {"+": "-", "-": "+", "~": "~"} if turned else {}
    kinds = {"added": "removed", "removed": "added"} if turned else {}
    out: Counter[object] = Counter()
    for row in found.rows:
        places = tuple((p.before, p.after)[:: -1 if turned else 1] for p in row.places)
        named = row.where if row.kind in ("param", "init", "size", "tie") else ""
        costs = (-row.parameters, -row.macs) if turned else (row.parameters, row.macs)
        out[
            (marks.get(row.mark, row.mark), kinds.get(row.kind, row.kind), named, places, costs)
        ] += 1
    return out


def mirrored(one: Graph, other: Graph) -> None:
    there, back = diff(one, other, full=True), diff(other, one, full=True)
    assert rows(there, turned=True) == rows(back, turned=False)
    assert there.weights.only == back.weights.only[::-1]


@pytest.mark.parametrize(("one", "other"), [*PAIRS, ("swin_t", "regnet_y_400mf")])
def test_the_other_way_round(one: str, other: str) -> None:
    mirrored(graph(one), graph(other))


def test_the_other_way_round_of_edits(files: Path) -> None:
    base = graph(str(files / "base.yaml"))
    for name in EDITS:
        mirrored(base, graph(str(files / f"{name}.yaml")))


@pytest.mark.slow
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a pair of specs takes long to shrink
)
@given(specs(), specs())
def test_random_specs(one: str, other: str) -> None:
    found = []
    for text in (one, other):
        spec = f"graphbuild: 1\nname: random\n{text}"
        if any(finding.is_error for finding in graphbuild.check(yaml.safe_load(spec))):
            return
        found.append(written(spec))
        assert not diff(found[-1], written(spec))
    mirrored(found[0], found[1])
    merged = diff(found[0], found[1]).graph
    for folding in (Folding(), Folding(full=True)):
        assert draw(picture(merged, folding), "dot", Style()).text


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_totals_are_those_of_the_report(one: str, other: str) -> None:
    before, after = graph(one), graph(other)
    found = diff(before, after)
    assert found.totals.before == report(before).totals
    assert found.totals.after == report(after).totals
    parts = [{row.path: row.counts for row in report(g, depth=1).rows} for g in (before, after)]
    told = {part.path: (part.before, part.after) for part in found.parts}
    for path in parts[0].keys() & parts[1].keys():
        if parts[0][path] != parts[1][path]:
            assert told[path] == (parts[0][path], parts[1][path])


def test_rows_add_up_to_the_totals() -> None:
    """Where nothing is told twice: only nodes that came and went, and arguments."""
    for before, after in (
        (graph("resnet50"), graph("resnet101")),
        (graph("vgg16"), graph("vgg19")),
        (graph("densenet121"), graph("densenet121", growth_rate=24)),
    ):
        found = diff(before, after, full=True)
        nodes = {(r.places, r.parameters) for r in found.rows if r.parameters}
        apart = found.totals.after.parameters - found.totals.before.parameters
        assert sum(parameters for _, parameters in nodes) == apart


def state(model: Graph) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        module = graphbuild.load(graphbuild.emit(model), init=False)
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


KEYED = (
    *("shared_encoder", "gpt2_small", "googlenet", "swin_t", "mixture_of_experts", "vit_b_16"),
    *("conditional_depth_route", "siamese", "triplet_loss", "dynamic_mlp"),
)


@pytest.mark.parametrize("name", KEYED)
def test_keys_are_those_of_torch(name: str) -> None:
    model = graph(name)
    assert list(keys(model).items()) == list(state(model).items())


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_weights_that_fit(one: str, other: str) -> None:
    before, after = graph(one), graph(other)
    left, right = state(before), state(after)
    fit = diff(before, after).weights
    assert fit.same == sum(right.get(key) == shape for key, shape in left.items())
    assert fit.reshaped == sum(k in right and right[k] != shape for k, shape in left.items())
    assert fit.only == (len(left.keys() - right.keys()), len(right.keys() - left.keys()))


def test_keys_of_what_a_module_itself_keeps() -> None:
    model = written(
        """
graphbuild: 1
name: own
inputs: {x: [N, 4]}
nodes:
  fc: {op: Linear, from: x, out_features: 4}
  table: {op: buffer, value: [1.0, 2.0, 3.0, 4.0]}
  hidden: {op: buffer, value: [1, 2], persistent: false}
  scale: {op: parameter, shape: [4]}
  last: {op: sum, from: hidden}
  a: {op: mul, from: [fc, scale]}
  b: {op: add, from: [a, table]}
  out: {op: mul, from: [b, last]}
"""
    )
    assert list(keys(model)) == ["scale", "table", "fc.weight", "fc.bias"] == list(state(model))


def chain(*ops: str) -> Graph:
    """A network that is a list of ops."""
    lines = "".join(f"  - {op}\n" for op in ops)
    return written(f"graphbuild: 1\nname: chain\ninputs: {{x: [N, 4]}}\nnodes:\n{lines}")


def test_the_same_change_at_many_nodes_is_one_row() -> None:
    thin, wide = ("{op: Linear, out_features: 4}", "{op: Linear, out_features: 5}")
    found = diff(chain(*[thin] * 30), chain(*[wide] * 30))
    (row,) = [row for row in found.rows if not row.follows]
    assert (row.where, row.text) == ("0 … 29", "out_features 4 → 5")
    assert len(row.places) == 30
    assert row.parameters == found.totals.after.parameters - found.totals.before.parameters
    few = diff(chain(*[thin] * 3), chain(*[wide] * 3))
    assert [row.where for row in few.rows if row.kind == "argument"] == ["0", "1", "2"]


def test_a_long_list_is_aligned() -> None:
    ops = [
        ("ReLU", "Tanh", "{op: Linear, out_features: 4}", "GELU")[at % 7 % 4] for at in range(900)
    ]
    longer = [*ops[:300], "Softplus", *ops[300:600], "SiLU", *ops[602:]]
    found = diff(chain(*ops), chain(*longer))
    assert {row.text.split(" ")[0] for row in found.rows if row.mark == "+"} == {"Softplus", "SiLU"}
    assert sum(row.mark == "-" for row in found.rows) == 2


def test_layers_in_another_order_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each time with all that are in front of them."""
    lines = [f"  l{at}: {{op: Linear, out_features: 4, from: x}}\n" for at in range(200)]
    head = "graphbuild: 1\nname: wide\ninputs: {x: [N, 4]}\nnodes:\n"
    one, other = (written(f"{head}{''.join(each)}") for each in (lines, lines[::-1]))
    asked: Counter[int] = Counter()
    keeps = Matcher.keeps

    def counted(self: Matcher, node: Any) -> bool:
        asked.update([id(node)])
        return keeps(self, node)

    monkeypatch.setattr(Matcher, "keeps", counted)
    rows = [row for row in diff(one, other).rows if row.kind == "order"]
    assert rows[0].text == "registered after nothing, no longer after l198: keys change order"
    assert len(rows) == 199
    assert max(asked.values()) < 10


def test_a_notebook_shows_the_picture() -> None:
    shown = diff(graph("lenet5"), graph("alexnet"))._repr_mimebundle_()
    assert shown["text/plain"].startswith("lenet5 → alexnet\n")
    assert "removed" in shown["image/svg+xml"]


# the command line


def test_exit_codes(files: Path) -> None:
    same = run("diff", "base.yaml", "a comment.yaml", cwd=files)
    assert (same.returncode, same.stderr) == (0, "")
    other = run("diff", "base.yaml", "renamed.yaml", cwd=files)
    assert (other.returncode, other.stderr) == (1, "")
    assert "~ first  was stem; its keys of state_dict move  (base.yaml:26 → renamed.yaml:26)" in (
        other.stdout
    )
    (files / "wrong.yaml").write_text(edited({"act: ReLU": "act: ReLu"}), encoding="utf-8")
    wrong = run("diff", "base.yaml", "wrong.yaml", cwd=files)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "wrong.yaml:17:12: E111" in wrong.stderr
    assert run("diff", "base.yaml", "absent.yaml", cwd=files).returncode == 2
    assert run("diff", "base.yaml", cwd=files).returncode == 2
    for option in ("--set", "--set-a", "--set-b"):
        done = run("diff", "base.yaml", "base.yaml", option, "no=1", cwd=files)
        assert done.returncode == 2
        assert f"Invalid value for {option}: " in done.stderr
    for file in ("x.gif", "x.html"):
        assert run("diff", "base.yaml", "base.yaml", "--render", file, cwd=files).returncode == 2


def test_json(files: Path) -> None:
    done = run("diff", "base.yaml", "renamed.yaml", "--format", "json", cwd=files)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found == diff(
        *(graph(str(files / f"{n}.yaml")) for n in ("base", "renamed")),
        names=("base.yaml", "renamed.yaml"),
    ).to_dict() | {"rows": found["rows"]}
    (row,) = found["rows"]
    assert row["kind"] == "renamed"
    assert row["places"] == [{"before": "stem", "after": "first"}]
    assert row["lines"] == {"before": "base.yaml:26", "after": "renamed.yaml:26"}
    wrong = run("diff", "base.yaml", "absent.yaml", "--format", "json", cwd=files)
    assert [finding["code"] for finding in json.loads(wrong.stdout)] == ["E001"]


def test_settings_of_one_and_of_both(tmp_path: Path) -> None:
    narrow = ("densenet121", "densenet121", "--set-b", "growth_rate=24")
    done = run("diff", *narrow, "--size", "H=64", "--size", "W=64", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("densenet121 → densenet121 growth_rate=24\n")
    assert "~ param growth_rate  32 → 24\n" in done.stdout
    assert len(done.stdout.splitlines()) < 20
    both = run("diff", "densenet121", "densenet121", "--set", "growth_rate=24", cwd=tmp_path)
    assert both.returncode == 0
    assert "4,743,180 parameters in both" in both.stdout


def test_without_torch(tmp_path: Path) -> None:
    without = barred(tmp_path / "barred", "torch", "torchvision")
    given = ("diff", "resnet18", "resnet34", "--render", "both.svg")
    done = run(*given, cwd=tmp_path, without=without)
    assert (done.returncode, done.stderr) == (1, "")
    assert (tmp_path / "both.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_same_under_any_hash_seed(tmp_path: Path) -> None:
    script = """
import graphbuild
from graphbuild.diff import diff
one, other = (graphbuild.elaborate(graphbuild.read(n)) for n in ("alexnet", "googlenet_mini"))
found = diff(one, other)
print(found, graphbuild.render(found, format="dot").text)
"""
    outputs = {python("-c", script, cwd=tmp_path, PYTHONHASHSEED=seed).stdout for seed in "12"}
    assert len(outputs) == 1
    assert "→" in outputs.pop()


# the picture


def test_dot(files: Path, update_golden: bool) -> None:
    found = diff(graph("siamese"), graph("siamese_contrastive"))
    compare(GOLDEN / "diff.dot", graphbuild.render(found, format="dot").text, update_golden)


def boxes(found: Difference, **folding: Any) -> dict[str, str]:
    """The marks of boxes by their paths."""
    return {box.path: box.mark for box in picture(found.graph, Folding(**folding)).boxes}


def test_marks(files: Path) -> None:
    found = boxes(of(files, "inserted at the top of a list"))
    assert found["tail.0"] == "added"
    assert found["tail.1"] == found["stem"] == ""
    assert boxes(of(files, "a node removed"), full=True)["stem.act"] == "removed"
    assert boxes(of(files, "renamed"))["first"] == "changed"
    assert boxes(of(files, "another op"), full=True)["stem.act"] == "changed"
    assert boxes(of(files, "an input more"))["more"] == "added"
    assert boxes(of(files, "one output"))["features"] == "removed"


@pytest.mark.parametrize("format", ["svg", "png", "pdf", "dot", "mmd"])
def test_every_format(format: Any, files: Path) -> None:
    assert graphbuild.render(of(files, "rewired"), format=format).content


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_never_by_colour_alone(theme: Any, files: Path) -> None:
    text = graphbuild.render(of(files, "a node removed"), full=True, theme=theme).text
    assert "− ReLU" in text
    assert "− removed" in text  # in the legend
    assert "stroke-dasharray" in text
    rewired = picture(of(files, "rewired").graph, Folding(full=True))
    assert {link.mark for link in rewired.links} >= {"added", "removed"}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_picture_is_folded(one: str, other: str) -> None:
    found = diff(graph(one), graph(other))
    what = picture(found.graph, Folding())
    assert len(what.boxes) <= 40
    assert what.name == f"{one} → {other}"
    old, new = (report(graph(name)).totals.parameters for name in (one, other))
    assert ("→" in what.totals.split("parameters")[0]) == (old != new)
    for mark in ("+", "-", "~"):  # what is said is to be seen
        if any(row.mark == mark and row.kind in ("added", "removed", "op") for row in found.rows):
            word = {"+": "added", "-": "removed", "~": "changed"}[mark]
            assert any(box.mark == word for box in what.boxes)


HOSTILE = ("<script>alert(1)</script>", "</TABLE>>", "&#x6a;", "{x|y}", "%", "#quot;", "x" * 200)


def test_hostile_names(tmp_path: Path) -> None:
    head = "graphbuild: 1\nname: evil\ninputs: {x: [N, 4]}\nnodes:\n"
    lines = [f"  {json.dumps(name)}: {{op: Linear, out_features: 4}}\n" for name in HOSTILE]
    (tmp_path / "evil.yaml").write_text(head + "".join(lines), encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(f"{head}  fc: ReLU\n{lines[1]}", encoding="utf-8")
    for pair in (("plain.yaml", "evil.yaml"), ("evil.yaml", "plain.yaml")):
        done = run("diff", *pair, "--full", "--render", "out.svg", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, "")
        drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn
        ET.fromstring(drawn)


def test_what_is_no_difference_draws_too() -> None:
    what = picture(diff(graph("lenet5"), graph("lenet5")).graph, Folding())
    assert not any(box.mark for box in what.boxes)
