"""Drawings: every format valid, nothing of a spec but text in them, the same bytes every time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from command import BUNDLED, ROOT, barred, python, run
from test_golden import compare

import graphbuild
from graphbuild.ir import Graph
from graphbuild.render import FORMATS, Drawing, Folding, Still, Style, draw, picture
from graphbuild.render.text import attribute, markup, measure, seen
from graphbuild.render.theme import DARK, HUES, LIGHT, SCALE, heat, on

GOLDEN = Path(__file__).parent.parent / "golden"
KEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "lenet5": ("lenet5", {}),
    "densenet121": ("densenet121", {}),
    "densenet121.bus": ("densenet121", {"expand": ("features.denseblock1",)}),
    "googlenet": ("googlenet", {}),
    "resnet50": ("resnet50", {}),
    "multimodal": ("multimodal", {}),
    "conditional_depth_switch": ("conditional_depth_switch", {}),
}
SVG = "{http://www.w3.org/2000/svg}"


def elaborated(name: str) -> Graph:
    return graphbuild.elaborate(graphbuild.read(name))


def drawing(graph: Graph, format: Still = "svg", **style: Any) -> Drawing:
    return draw(picture(graph, Folding()), format, Style(**style))


def svg(graph: Graph, **style: Any) -> ET.Element:
    return ET.fromstring(drawing(graph, **style).content)


@pytest.mark.parametrize(("name", "folding"), KEPT.values(), ids=KEPT)
def test_dot(name: str, folding: dict[str, Any], update_golden: bool, request: Any) -> None:
    file = GOLDEN / f"{request.node.callspec.id}.dot"
    # spans name the file as it was read, and do not stand in DOT without --link-base
    text = draw(picture(elaborated(name), Folding(**folding)), "dot", Style()).text
    compare(file, text, update_golden)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_spec_draws(name: str) -> None:
    root = svg(elaborated(name), theme="auto")
    assert root.tag == f"{SVG}svg"
    texts = [node.text or "" for node in root.iter(f"{SVG}text")]
    assert name in texts
    assert any("parameters" in text for text in texts)
    assert not list(root.iter(f"{SVG}script"))


def test_formats() -> None:
    graph = elaborated("lenet5")
    found = {format: drawing(graph, format).content for format in get_args(Still)}
    assert {*found, "html"} == set(FORMATS)
    assert found["png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert found["png"].rstrip().endswith(b"IEND\xaeB`\x82")
    assert found["pdf"].startswith(b"%PDF-1.")
    assert found["pdf"].rstrip().endswith(b"%%EOF")
    assert found["svg"].startswith(b"<?xml")
    assert found["dot"].startswith(b"digraph ")
    assert b"\nflowchart TB\n" in found["mmd"]


def test_all_formats_show_the_same() -> None:
    what = picture(elaborated("densenet121"), Folding())
    titles = {box.title for box in what.boxes if box.form == "card"}
    mermaid, dot = draw(what, "mmd", Style()).text, draw(what, "dot", Style()).text
    for title in titles:
        assert title in mermaid
        assert title in dot


def test_png_is_large_enough_to_print() -> None:
    graph = elaborated("lenet5")
    png = drawing(graph, "png").content
    width = int.from_bytes(png[16:20], "big")
    points = float(re.search(r'width="(\d+)pt"', drawing(graph).text)[1])  # type: ignore[index]
    assert width == pytest.approx(points * 2, rel=0.02)  # 144 dots per inch


# -- text that nobody has looked at -------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "&amp;bogus;",
    "&#x6a;",
    "</TABLE>>",
    "]]>",
    "--",
    "{x|y}",
    "end",
    "subgraph",
    "a:b:n",
    "a;b",
    "%",
    "#quot;",
    "<<B>",
    "中文",
    "onload=alert(1)",
    "x" * 200,  # the longest that a name may be
]
DOC = 'one "two" \\N \\L <b>&amp; </title><script>alert(2)</script> \u202eevil\u2066 ${x} `y` \\'


def hostile() -> Graph:
    nodes = {name: {"op": "Linear", "out_features": 2, "doc": DOC} for name in HOSTILE}
    group = {"nodes": dict(nodes), "doc": DOC}
    text: Any = {"graphbuild": 1, "name": "hostile", "doc": DOC, "inputs": {"<img>": ["N", 4]}}
    return graphbuild.elaborate(graphbuild.read({**text, "nodes": {**nodes, "<g>": group}}))


def test_names_are_text_in_svg() -> None:
    what = picture(hostile(), Folding(depth=2))
    style = Style(link_base="https://x.test/?a=1&b=<2>", theme="auto")
    root = ET.fromstring(draw(what, "svg", style).content)
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    words = {"title", "desc", "text", "style"}
    assert tags <= words | {"svg", "g", "a", "path", "polygon", "ellipse", "polyline"}
    attributes = {name.split("}")[-1] for node in root.iter() for name in node.attrib}
    assert not [name for name in attributes if name.startswith("on")]
    shown = "\n".join(node.text or "" for node in root.iter(f"{SVG}text"))
    for name in HOSTILE[:-1]:
        assert name[:16] in shown, name
    assert not {"\u202e", "\u2066"} & set("".join(root.itertext()))
    links = {node.attrib.get("{http://www.w3.org/1999/xlink}href", "") for node in root.iter()}
    assert {link[:8] for link in links} <= {"https://", ""}


def test_names_are_text_in_mermaid_and_dot() -> None:
    what = picture(hostile(), Folding(depth=2))
    text = draw(what, "mmd", Style()).text
    assert "<" not in text.replace("<br/>", "")
    assert "alert(1)" not in text
    assert text.count('"') % 2 == 0
    for format in ("png", "pdf"):
        assert draw(what, format, Style()).content  # Graphviz reads the DOT text


def test_what_looks_like_markup_from_end_to_end_is_text_too() -> None:
    """A tooltip begins with a path and can end with a doc: `<...>` would be read as markup."""
    name = "<a>];evil[URL=x];n2[tooltip=<"
    block = {"doc": "x>", "nodes": {"c": "ReLU"}}
    nodes = {name: {"op": "b"}, "<a>b>": {"nodes": ["ReLU", "Tanh"]}}
    text: Any = {"graphbuild": 1, "name": "x", "inputs": {"i": ["N", 4]}, "blocks": {"b": block}}
    graph = graphbuild.elaborate(graphbuild.read({**text, "nodes": nodes}))
    what = picture(graph, Folding(collapse=(name,), depth=1, expand=("<a>b>",)))
    assert "tooltip=<" not in draw(what, "dot", Style()).text.replace(name, "")
    titles = [node.text or "" for node in ET.fromstring(draw(what, "svg", Style()).content).iter()]
    assert any(title.startswith(name) and title.endswith("x>") for title in titles)
    assert "<a>b>" in titles


def test_graphviz_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for graph in (hostile(), elaborated("googlenet")):
        drawing(graph)
        drawing(graph, "png")
    assert capfd.readouterr().err == ""


def test_escaping() -> None:
    assert (
        markup("a<b> & 'c' \"d\"\n\u202e") == "a&lt;b&gt; &amp; &#x27;c&#x27; &quot;d&quot; \\u202e"
    )
    assert attribute("\\N\\n") == "\\\\N\\\\n"
    assert seen("a\u00a0b\x1b") == "a b\\x1b"
    assert measure("MM", 10) == pytest.approx(16.66)  # as in Helvetica's own table


# -- looks --------------------------------------------------------------------------------------


def test_themes() -> None:
    graph = elaborated("lenet5")
    light, dark, auto = (drawing(graph, theme=t).text for t in ("light", "dark", "auto"))
    assert LIGHT.paper in light
    assert DARK.paper not in light
    assert DARK.paper in dark
    assert "<style>@media (prefers-color-scheme:dark)" in auto
    style = auto[auto.index("<style>") : auto.index("</style>\n") + len("</style>\n")]
    assert auto.replace(style, "") == light
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', light))
    known = {*HUES.values(), *map(on, HUES.values())}
    names = set(LIGHT.__slots__) - {"tints"}
    own = {getattr(LIGHT, name) for name in names} | set(LIGHT.tints)
    assert used <= known | own  # the stylesheet turns each colour that is not a hue
    assert not own & known


def test_text_on_hues_is_readable() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((light(one), light(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for hue in (*HUES.values(), *SCALE, heat(0.3), heat(0.7)):
        assert contrast(hue, on(hue)) >= 3.5, hue  # bold and large; 3 is asked for
    for theme in (LIGHT, DARK):
        for ground in (theme.paper, theme.card, *theme.tints):
            assert contrast(theme.text, ground) >= 7
            assert contrast(theme.muted, ground) >= 4.5


def test_colours_can_tell_costs() -> None:
    what = picture(elaborated("resnet50"), Folding(), "macs")
    heats = {box.path: box.heat for box in what.boxes if box.form == "card"}
    assert max(filter(None, heats.values())) == 1
    assert heats["avgpool"] == 0
    assert "MACs of one box" in draw(what, "dot", Style()).text
    memory = picture(elaborated("lenet5"), Folding(), "memory")
    # 5·28·28·... float32: c1 6×28×28, tanh the same, s2 6×14×14, c3 and tanh 16×10×10, s4 16×5×5,
    # c5 and tanh 120, f6 and tanh 84, output 10; flatten is a view
    elements = 2 * 6 * 28 * 28 + 6 * 14 * 14 + 2 * 16 * 10 * 10 + 16 * 25 + 2 * 120 + 2 * 84 + 10
    assert sum(box.cost.memory for box in memory.boxes) == 4 * elements


def test_links_lead_to_the_line() -> None:
    path = ROOT / "specs" / "lenet5.yaml"
    graph = graphbuild.elaborate(graphbuild.read(path))

    def hrefs(base: str | None) -> set[str]:
        found = svg(graph, link_base=base).iter(f"{SVG}a")
        return {node.attrib.get("{http://www.w3.org/1999/xlink}href", "") for node in found}

    lines = path.read_text(encoding="utf-8").splitlines()
    at = 1 + next(i for i, line in enumerate(lines) if line.lstrip().startswith("s2:"))
    assert f"https://x.test/tree{path.as_posix()}#L{at}" in hrefs("https://x.test/tree/")
    assert f"vscode://file{path.as_posix()}:{at}" in hrefs("vscode://file{file}:{line}")
    assert hrefs(None) == {""}


@pytest.mark.parametrize("base", ["javascript:alert(1)", " \x01java\nscript:x", "DATA:text/html,x"])
def test_links_run_nothing(base: str) -> None:
    graph = elaborated("lenet5")
    with pytest.raises(ValueError, match="a file or a page"):
        graphbuild.render(graph, link_base=base)
    with pytest.raises(ValueError, match="a file or a page"):
        graphbuild.render(graph, format="html", link_base=base)


def test_tooltips_tell_all_arguments() -> None:
    graph = graphbuild.elaborate(graphbuild.read("densenet121"))
    titles = [node.text or "" for node in svg(graph).iter(f"{SVG}title")]
    assert titles[0] == "densenet121"
    conv = next(title for title in titles if title.startswith("features.conv0: Conv2d"))
    assert "padding = 3" in conv
    assert "9,536 parameters" in conv


def test_text_stands_in_the_middle_of_its_box() -> None:
    for node in svg(elaborated("lenet5")).iter(f"{SVG}g"):
        if node.attrib.get("class") != "node":
            continue
        shapes = [p.attrib.get("d") or p.attrib.get("points", "") for p in node.iter()]
        across = [float(x) for x in re.findall(r"(-?[\d.]+),", " ".join(shapes))]
        for text in node.iter(f"{SVG}text"):
            assert text.attrib["text-anchor"] == "middle"
            middle = (min(across) + max(across)) / 2
            assert float(text.attrib["x"]) == pytest.approx(middle, abs=0.1)


def test_direction() -> None:
    size = re.compile(r'width="(\d+)pt" height="(\d+)pt"')
    tall = size.search(drawing(elaborated("lenet5")).text)
    wide = size.search(drawing(elaborated("lenet5"), direction="LR").text)
    assert tall is not None
    assert wide is not None
    assert int(tall[2]) > 2 * int(tall[1])
    assert int(wide[1]) > 2 * int(wide[2])


# -- how it is called ---------------------------------------------------------------------------


def test_a_notebook_shows_a_graph() -> None:
    bundle = elaborated("lenet5")._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml")
    assert bundle["text/plain"] == "<graphbuild graph lenet5>"
    png = graphbuild.render(elaborated("lenet5"), format="png")._repr_mimebundle_()
    assert png["image/png"][:4] == b"\x89PNG"


def test_from_python(tmp_path: Path) -> None:
    graph = elaborated("densenet121")
    drawn = graphbuild.render(graph, tmp_path / "d.pdf", expand=["features.denseblock1"])
    assert (tmp_path / "d.pdf").read_bytes() == drawn.content
    assert (drawn.format, drawn.visible) == ("pdf", 36)
    with pytest.raises(ValueError, match="no format 'gif'"):
        graphbuild.render(graph, "d.gif")
    with pytest.raises(LookupError, match="did you mean"):
        graphbuild.render(graph, expand=["feature"])


def spec_of(nodes: dict[str, object]) -> Graph:
    data = {"graphbuild": 1, "name": "large", "inputs": {"x": ["N", 4]}, "nodes": nodes}
    return graphbuild.elaborate(graphbuild.read(data))


def test_what_cannot_be_laid_out_is_told(tmp_path: Path) -> None:
    nodes: dict[str, object] = {f"n{i}": "ReLU" for i in range(3_000)}
    with pytest.raises(ValueError, match=r"a picture of 3,002 boxes or more .* depth, expand"):
        graphbuild.render(spec_of(nodes), full=True)
    assert graphbuild.render(spec_of(nodes), format="dot", full=True).visible == 3_002
    assert graphbuild.render(spec_of(nodes)).visible <= 40
    lines = "".join(f"  n{i}: ReLU\n" for i in range(3_000))
    (tmp_path / "net.yaml").write_text(f"graphbuild: 1\ninputs: {{x: [N, 4]}}\nnodes:\n{lines}")
    done = run("render", "net.yaml", "--full", cwd=tmp_path)
    assert done.returncode == 2
    assert "a picture of 3,002 boxes or more takes too long" in " ".join(done.stderr.split())
    assert not (tmp_path / "net.svg").exists()


def test_edges_that_cross_many_rows_do_not_take_long() -> None:
    nodes: dict[str, object] = {"n0": {"op": "Linear", "out_features": 4}}
    for i in range(1, 20):
        merge = {"concat": ["x", *nodes], "dim": 1}
        nodes[f"n{i}"] = {"op": "Linear", "out_features": 4, "from": merge}
    drawn = graphbuild.render(spec_of(nodes), full=True)
    assert drawn.note.startswith("straight lines, since curves for 230 edges")
    for i in range(20, 60):
        merge = {"concat": ["x", *nodes], "dim": 1}
        nodes[f"n{i}"] = {"op": "Linear", "out_features": 4, "from": merge}
    with pytest.raises(
        ValueError, match=r"a picture of 1,\d+ edges among 1\d\d boxes takes too long"
    ):
        graphbuild.render(spec_of(nodes), full=True)


def test_edges_side_by_side_are_one_with_their_number() -> None:
    text = graphbuild.render(spec_of({"a": {"op": "concat", "from": ["x"] * 9}}), format="dot").text
    assert len(re.findall("n0 -> n1", text)) == 1
    assert "×9" in text
    text = graphbuild.render(spec_of({"a": {"op": "concat", "from": ["x"] * 3}}), format="dot").text
    assert len(re.findall("n0 -> n1", text)) == 3


def test_inputs_and_outputs_beyond_twenty_share_a_pill() -> None:
    inputs = {f"x{k}": ["N", 4] for k in range(30)}
    nodes = {f"n{k}": {"op": "ReLU", "from": f"x{k}"} for k in range(30)}
    data = {"graphbuild": 1, "name": "wide", "inputs": inputs, "nodes": nodes, "outputs": [*nodes]}
    graph = graphbuild.elaborate(graphbuild.read(data))
    text = graphbuild.render(graph, format="dot").text
    assert "11 inputs" in text
    assert "11 outputs" in text
    assert graphbuild.render(graph, format="dot", full=True).visible == 90


def test_large_graphs_say_what_was_done() -> None:
    nodes = {f"fc{i}": {"op": "Linear", "out_features": 1 + i % 3} for i in range(1100)}
    data = {"graphbuild": 1, "name": "long", "inputs": {"x": ["N", 4]}, "nodes": nodes}
    drawn = graphbuild.render(graphbuild.elaborate(graphbuild.read(data)), full=True)
    assert "straight lines" in drawn.note
    assert drawn.visible == 1102
    ET.fromstring(drawn.content)


def test_the_verb(tmp_path: Path) -> None:
    done = run("render", "lenet5", "-o", "x.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote x.svg: 10 boxes, 61.7k parameters")
    assert done.stderr == ""
    ET.fromstring((tmp_path / "x.svg").read_bytes())
    assert run("render", "lenet5", cwd=tmp_path).returncode == 0
    assert (tmp_path / "lenet5.svg").exists()


def test_shapes_can_be_those_of_a_size(tmp_path: Path) -> None:
    for format in ("dot", "html"):
        args = ("--size", "H=320", "-o", f"x.{format}")
        done = run("render", "densenet121", *args, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "1×64×160×112" in (tmp_path / "x.dot").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("-o", "x.gif"), "does not tell the format"),
        (("-o", "-"), "standard output does not tell the format"),
        (("--expand", "nowhere"), "there are none"),
        (("--link-base", "javascript:alert(1)//"), "a file or a page"),
    ],
)
def test_wrong_usage(args: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = run("render", "lenet5", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())


def test_standard_output_holds_the_drawing_alone(tmp_path: Path) -> None:
    script = [sys.executable, "-m", "graphbuild", "render", "lenet5", "-o", "-", "--format", "png"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout[:4] == b"\x89PNG"


def test_needs_no_torch(tmp_path: Path) -> None:
    done = run("render", "lenet5", cwd=tmp_path, without=barred(tmp_path / "no", "torch", "numpy"))
    assert done.returncode == 0, done.stderr


def test_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    script = """
import sys, graphbuild
from graphbuild.render import Folding, Style, draw, picture
for name in ("densenet121", "googlenet", "conditional_depth_switch"):
    graph = graphbuild.elaborate(graphbuild.read(name))
    for format in ("dot", "svg", "mmd"):
        sys.stdout.write(draw(picture(graph, Folding()), format, Style()).text)
"""
    one = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="1")
    other = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="2")
    assert one.returncode == 0, one.stderr
    assert one.stdout == other.stdout


def test_frames_tell_modes_from_weights() -> None:
    shared, modes = (
        graphbuild.render(graphbuild.elaborate(graphbuild.read(name)), format="dot").text
        for name in ("siamese", "googlenet")
    )
    assert 'style="rounded,filled,dotted"' in shared
    assert "dashed" not in shared
    assert 'style="rounded,filled,dashed"' in modes
    assert "dotted" not in modes
