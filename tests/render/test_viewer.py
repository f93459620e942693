"""The viewer in a real browser: the same picture, opened and closed, found and explained, in safety."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from browser import Viewer, chromium, same
from command import BUNDLED, PACKAGE, barred, run
from hypothesis import HealthCheck, given, settings
from playwright.sync_api import Browser
from specgen import specs
from test_drawing import DOC, HOSTILE, hostile

import graphbuild
from graphbuild.ir import Graph
from graphbuild.read import read_text
from graphbuild.render import ColorBy, Direction, Folding, Style, draw, draw_page, picture
from graphbuild.render.viewer.page import NOTICE, SCRIPTS

Open = Callable[..., Viewer]
FOLDED, AUTO = Folding(), Style(theme="auto")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def view(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a graph, by the name of a spec or itself; at the end no page may have done wrong."""
    opened: list[Viewer] = []

    def view(
        what: str | Graph,
        folding: Folding = FOLDED,
        color_by: ColorBy = "kind",
        style: Style = AUTO,
        hash: str = "",
        **options: Any,
    ) -> Viewer:
        graph = elaborated(what) if isinstance(what, str) else what
        drawn = draw_page(graph, picture(graph, folding, color_by), folding, style)
        file = tmp_path / f"{len(opened)}.html"
        file.write_bytes(drawn.content)
        opened.append(Viewer(browser, file, hash, **options))
        return opened[-1]

    yield view
    for viewer in opened:
        viewer.close()


def elaborated(name: str) -> Graph:
    return graphbuild.elaborate(graphbuild.read(name))


def expected(graph: Graph, folding: Folding, color_by: ColorBy = "kind", **style: Any) -> str:
    what = picture(graph, folding, color_by)
    return same(draw(what, "dot", Style(**style)).text)


# -- the same picture ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLED)
def test_the_picture_is_the_one_that_is_drawn_otherwise(name: str, view: Open) -> None:
    graph = elaborated(name)
    assert view(graph).dot() == expected(graph, Folding())


@pytest.mark.parametrize("name", ["densenet121", "swin_t", "siamese", "mixture_of_experts"])
@pytest.mark.parametrize(
    "folding",
    [Folding(depth=1), Folding(depth=3), Folding(full=True), Folding(limit=12)],
    ids=["depth 1", "depth 3", "full", "few"],
)
def test_it_begins_as_it_is_asked_to(name: str, folding: Folding, view: Open) -> None:
    graph = elaborated(name)
    viewer = view(graph, folding, style=Style(direction="LR"))
    assert viewer.dot() == expected(graph, folding, direction="LR")


@pytest.mark.parametrize("color_by", ["params", "macs", "memory"])
def test_colours_tell_costs(color_by: ColorBy, view: Open) -> None:
    graph = elaborated("googlenet")
    assert view(graph, color_by=color_by).dot() == expected(graph, Folding(), color_by)


@pytest.mark.parametrize(
    ("name", "depth", "path"),
    [
        ("densenet121", 2, "features.denseblock1"),  # one repetition, so that its turns are shown
        ("googlenet", 1, "inception3a"),
        ("resnet50", 1, "layer2"),
        ("conditional_depth_switch", 1, "path"),
        ("siamese", 1, "anchor_point"),
    ],
)
def test_opened_and_closed_it_is_still(name: str, depth: int, path: str, view: Open) -> None:
    graph = elaborated(name)
    viewer = view(graph, Folding(depth=depth))
    closed = viewer.dot()
    assert closed == expected(graph, Folding(depth=depth))
    viewer.sign(path)
    assert viewer.dot() == expected(graph, Folding(depth=depth, expand=(path,)))
    viewer.sign(path)
    assert viewer.dot() == closed


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=specs())
def test_random_specs_are_the_same(text: str, view: Open) -> None:
    try:
        graph = graphbuild.elaborate(read_text(f"graphbuild: 1\nname: random\n{text}"))
    except graphbuild.SpecError:
        return
    viewer = view(graph, Folding(depth=1))
    assert viewer.dot() == expected(graph, Folding(depth=1))
    viewer.press("e", "e", "c", "r")
    assert viewer.dot() == expected(graph, Folding(depth=1))


def test_what_is_laid_out_is_what_the_text_says(view: Open) -> None:
    viewer = view("densenet121")
    first = viewer.shown()
    assert {"features", "features.denseblock1.denselayer1 repeat", " input image"} <= first
    viewer.sign("features.denseblock1.denselayer1 repeat")
    assert viewer.shown() - first == {
        "features.denseblock1",
        *(f"features.denseblock1.denselayer{i}" for i in range(1, 7)),
        *(f"features.denseblock1.denselayer{i}.concat" for i in range(1, 7)),
    }
    viewer.press("r")
    assert viewer.shown() == first


# -- looking around -----------------------------------------------------------------------------


def test_search_opens_what_it_finds(view: Open) -> None:
    viewer = view("densenet121")
    viewer.press("/")
    viewer.page.keyboard.type("denseblock3 CONV2")
    options = viewer.page.locator("#results [role=option]")
    assert options.count() == 48  # half of them by their op, Conv2d
    assert "features.denseblock3.denselayer1.conv2" in (options.first.text_content() or "")
    viewer.press("ArrowDown", "Enter")
    chosen = "features.denseblock3.denselayer2.norm2"
    assert viewer.page.evaluate("document.activeElement.dataset.key") == chosen
    assert viewer.thing(chosen).get_attribute("class") == "node thing chosen"
    viewer.press("/")
    viewer.page.keyboard.type("nothing of that name")
    assert viewer.page.locator("#results").inner_text() == "nothing found"


def test_the_panel_tells_all_of_a_node(view: Open) -> None:
    viewer = view("densenet121", style=Style(link_base="https://x.test/tree"))
    viewer.thing("features.conv0").click()
    told = viewer.page.locator("#panel").inner_text()
    for text in (
        "3 layers that read as one",
        "N×64×⌈H/2⌉×⌈W/2⌉",
        "float32",
        "9,536",
        "118,013,952",
        "Convolves over 2 spatial dimensions.",
        "conv0: {op: Conv2d, out_channels: $stem, kernel_size: 7, stride: 2, padding: 3}",
        "densenet121.yaml:46",
    ):
        assert text in told, text
    rows = viewer.page.locator("#panel tr").all_inner_texts()
    assert "in_channels\t3" in rows
    assert "kernel_size\t7" in rows
    link = viewer.page.locator("#panel h3 a").get_attribute("href") or ""
    assert link.startswith("https://x.test/tree")
    assert link.endswith("densenet121.yaml#L46")
    viewer.page.locator("#panel .flow button").first.click()
    assert viewer.page.locator("#panel h2").inner_text() == "image"
    viewer.press("Escape")
    assert viewer.page.locator("#panel").is_hidden()


def test_the_panel_tells_of_blocks_and_their_lines(view: Open) -> None:
    viewer = view("resnet50")
    viewer.press("c")
    viewer.thing("layer1").click()
    told = viewer.page.locator("#panel").inner_text()
    assert "215,808" in told
    assert "layer1:" in told
    viewer.page.get_by_role("button", name="Open", exact=True).click()
    viewer.settle()
    assert viewer.thing("layer1.0").count() == 1


def test_the_panel_tells_values_and_not_weights(view: Open) -> None:
    viewer = view("siamese", Folding(expand=("anchor_point",)))
    viewer.thing("positive_point").click()
    flows = viewer.page.locator("#panel .flow").all_inner_texts()
    assert [text.split()[0] for text in flows] == ["input", "positive_embedding"]
    viewer.page.locator("#outline li[data-key=anchor_point] > .row").click()
    assert viewer.page.locator("#panel .flow").first.inner_text().startswith("input anchor")


def test_the_outline_says_nothing_twice(view: Open) -> None:
    rows = view("densenet121").page.locator("#outline .row").all_inner_texts()
    words = [row.split() for row in rows]
    assert ["features"] in words
    assert ["pool0", "MaxPool2d"] in words


def test_keys_go_through_the_outline(view: Open) -> None:
    viewer = view("googlenet", Folding(depth=1))
    rows = viewer.page.locator("#outline li")
    count = rows.count()
    viewer.page.locator("#outline li[data-key=inception3a]").focus()
    viewer.press("ArrowRight")
    opened = viewer.page.locator("#outline li[data-key=inception3a]")
    assert opened.get_attribute("aria-expanded") == "true"
    assert rows.count() > count
    viewer.press("ArrowRight", "ArrowDown", "ArrowUp", "Enter")
    chosen = viewer.page.locator("#outline [aria-selected=true]").get_attribute("data-key")
    assert chosen == viewer.page.evaluate("document.activeElement.dataset.key")
    assert str(chosen).startswith("inception3a.")
    assert viewer.thing(str(chosen)).get_attribute("class") == "node thing chosen"
    viewer.press("ArrowLeft", "ArrowLeft")
    assert viewer.page.evaluate("document.activeElement.dataset.key") == "inception3a"
    viewer.press("ArrowLeft")
    assert rows.count() == count


def test_keys_go_through_the_picture(view: Open) -> None:
    viewer = view("googlenet", Folding(depth=1))
    viewer.thing("inception3a").focus()
    viewer.press("ArrowDown")
    assert viewer.page.evaluate("document.activeElement.dataset.key") == "inception3b"
    viewer.press("ArrowUp", "Enter")
    assert viewer.thing("inception3a").get_attribute("aria-expanded") == "true"
    assert viewer.page.evaluate("document.activeElement.dataset.key") == "inception3a"
    viewer.press("Enter")
    assert viewer.thing("inception3a").get_attribute("aria-expanded") == "false"
    viewer.press("?")
    assert viewer.page.locator("dialog").get_by_text("wasm-graphviz").is_visible()


def test_every_thing_has_words_for_those_who_do_not_see_it(view: Open) -> None:
    viewer = view("densenet121")
    for thing in viewer.page.locator("#canvas .thing").all():
        assert thing.get_attribute("role") == "button"
        assert thing.get_attribute("tabindex") in ("0", "-1")
        assert thing.get_attribute("aria-label")
    label = viewer.thing("classifier").get_attribute("aria-label")
    assert label == "Linear classifier, 1,025,000 parameters, output N×1000"
    assert viewer.page.locator("#canvas .thing[tabindex='0']").count() == 1
    for button in viewer.page.locator("button:visible").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()


def test_zoom_and_pan(view: Open) -> None:
    viewer = view("densenet121")
    page = viewer.page

    def matrix() -> list[float]:
        found: list[float] = page.evaluate(
            "(({a, e, f}) => [a, e, f])(document.querySelector('.stage > g').getCTM())"
        )
        return found

    scale = matrix()[0]
    page.mouse.move(700, 400)
    page.mouse.wheel(0, -200)
    before = matrix()
    assert before[0] > scale * 1.2
    page.mouse.down()
    page.mouse.move(760, 450, steps=4)
    page.mouse.up()
    assert [round(b - a) for a, b in zip(before, matrix(), strict=True)] == [0, 60, 50]
    assert page.locator("#panel").is_hidden()  # a drag chooses nothing
    assert page.locator("#minimap").is_visible()
    page.keyboard.press("0")
    page.wait_for_selector("#minimap", state="hidden")
    assert matrix()[0] < scale


def test_two_fingers_zoom(view: Open) -> None:
    viewer = view("densenet121", has_touch=True)
    scale = "document.querySelector('.stage > g').getCTM().a"
    before = viewer.page.evaluate(scale)
    session = viewer.context.new_cdp_session(viewer.page)
    for kind, apart in [("Start", 50), *(("Move", 50 + 10 * step) for step in range(1, 6))]:
        points = [{"x": 700 + apart * side, "y": 400, "id": side + 1} for side in (-1, 1)]
        told = {"type": f"touch{kind}", "touchPoints": points}
        session.send("Input.dispatchTouchEvent", told)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert viewer.page.evaluate(scale) == pytest.approx(2 * before, rel=0.05)


def test_the_opened_thing_stays_where_it_was(view: Open) -> None:
    viewer = view("densenet121", reduced_motion="reduce")
    key = "features.denseblock1.denselayer1 repeat"
    before = viewer.thing(key).bounding_box()
    viewer.sign(key)
    assert viewer.page.evaluate("document.getAnimations().length") == 0
    after = viewer.thing("features.denseblock1").bounding_box()
    assert abs(before["y"] - after["y"]) < 12
    assert abs(before["x"] + before["width"] / 2 - after["x"] - after["width"] / 2) < 120


def test_the_address_keeps_what_is_open(view: Open) -> None:
    viewer = view("densenet121")
    viewer.sign("features.denseblock2.denselayer1 repeat")
    viewer.sign("features.transition1")
    viewer.thing("features.denseblock2.denselayer3").dispatch_event("click")
    dot, hash = viewer.dot(), viewer.page.evaluate("location.hash")
    other = view("densenet121", hash=hash)
    assert other.dot() == dot
    chosen = other.page.locator(".chosen").get_attribute("data-key")
    assert chosen == "features.denseblock2.denselayer3"
    assert other.page.locator("#panel").is_visible()
    wrong = view("densenet121", hash="#open=no.such%20repeat&node=%3Cimg%3E&close=features")
    assert wrong.page.locator("#canvas .thing").count() == 7


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_no_sign_stands_on_a_name(direction: Direction, view: Open) -> None:
    viewer = view("conditional_depth_switch", style=Style(direction=direction))
    overlaps = viewer.page.evaluate("""() => {
        const found = [];
        for (const sign of document.querySelectorAll("#canvas .cluster .sign")) {
            const own = sign.getBoundingClientRect();
            for (const text of document.querySelectorAll("#canvas .cluster text")) {
                const other = text.getBoundingClientRect();
                const apart = own.right <= other.left || other.right <= own.left
                    || own.bottom <= other.top || other.bottom <= own.top;
                if (!apart) found.push(text.textContent);
            }
        }
        return found;
    }""")
    assert viewer.page.locator("#canvas .cluster .sign").count() >= 3
    assert overlaps == []


def test_themes(view: Open) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    paper = "getComputedStyle(document.querySelector('#canvas polygon')).fill"
    light, dark = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
    page = view("lenet5", color_scheme="dark").page
    assert [page.evaluate(ground), page.evaluate(paper)] == [dark, dark]
    page.keyboard.press("t")
    assert [page.evaluate(ground), page.evaluate(paper)] == [light, light]
    page = view("lenet5", style=Style(theme="dark")).page
    assert [page.evaluate(ground), page.evaluate(paper)] == [dark, dark]


def test_text_has_contrast() -> None:
    style = (PACKAGE / "render/viewer/style.css").read_text(encoding="utf-8")
    for block in style.split("}")[:2]:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for name in ("text", "muted", "accent"):
            for ground in ("paper", "soft"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_picture_can_be_taken_away(view: Open, tmp_path: Path) -> None:
    viewer = view("lenet5")
    with viewer.page.expect_download() as waiting:
        viewer.page.keyboard.press("s")
    assert waiting.value.suggested_filename == "lenet5.svg"
    waiting.value.save_as(tmp_path / "x.svg")
    root = ET.fromstring((tmp_path / "x.svg").read_text(encoding="utf-8"))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "lenet5" in texts
    assert not root.findall(".//*[@class='ring']")


def test_without_scripts_the_picture_is_there(view: Open, browser: Browser, tmp_path: Path) -> None:
    view("lenet5")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"file://{tmp_path}/0.html")
    assert page.locator("#canvas svg text", has_text="Conv2d").first.is_visible()
    page.context.close()


def test_a_large_graph_is_folded_at_first(view: Open) -> None:
    nodes = {f"fc{i}": {"op": "Linear", "out_features": 1 + i % 3} for i in range(3000)}
    data = {"graphbuild": 1, "name": "long", "inputs": {"x": ["N", 4]}, "nodes": nodes}
    viewer = view(graphbuild.elaborate(graphbuild.read(data)))
    assert viewer.file.stat().st_size < 2_000_000
    assert viewer.page.locator("#canvas .thing").count() <= 42
    viewer.press("/")
    viewer.page.keyboard.type("fc2990")
    viewer.press("Enter")
    assert "fc2990" in viewer.shown()
    assert len(viewer.shown()) < 200


# -- nothing from outside, nothing of a spec is run ----------------------------------------------


def test_it_asks_for_nothing(view: Open) -> None:
    viewer = view("lenet5")
    text = viewer.file.read_text(encoding="utf-8")
    own = re.sub(r'<script type="text/plain" id="graphviz">.*?</script>', "", text, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href|action|srcset)="(?!#)[^"]*"', own)
    assert "@import" not in own
    assert "url(" not in own
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy[1]


def test_hostile_names_are_text(view: Open) -> None:
    graph = hostile()
    viewer = view(graph, Folding(depth=2), style=Style(link_base="https://x.test/?a=1&b=<2>"))
    assert viewer.dot() == expected(graph, Folding(depth=2))
    page = viewer.page
    tags = set(page.evaluate("[...document.querySelectorAll('*')].map(e => e.localName)"))
    assert not tags & {"img", "iframe", "object", "embed"}
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    for name in HOSTILE[:-1]:
        rows = page.locator("#outline li").all()
        row = next(row for row in rows if row.get_attribute("data-key") == name)
        row.locator(".row").first.click()
        viewer.settle()
        told = page.locator("#panel").inner_text()
        assert name in told
        assert DOC.split()[2] in told  # of the lines of the spec
    viewer.press("/")
    page.keyboard.type("<script>")
    viewer.press("Enter", "e", "c", "r")
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    handlers = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
    names = page.evaluate(f"{handlers}.map(a => a.name).filter(n => n.startsWith('on'))")
    assert not names


def test_names_of_properties_are_names(view: Open) -> None:
    """What every object of a script has: a table that is asked for a node is not to find these."""
    names = ("constructor", "toString", "hasOwnProperty", "then")
    nodes = {name: {"nodes": dict.fromkeys(names, "ReLU")} for name in names}
    data: Any = {"graphbuild": 1, "name": "x", "inputs": {"input": ["N", 4]}, "nodes": nodes}
    graph = graphbuild.elaborate(graphbuild.read(data))
    viewer = view(graph, Folding(depth=2))
    assert viewer.dot() == expected(graph, Folding(depth=2))


def test_the_policy_holds(view: Open) -> None:
    viewer = view("lenet5")
    page = viewer.page
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        const image = document.createElement("img");
        image.src = "https://x.test/pixel.png";
        image.setAttribute("onerror", "window.ran = true");
        document.body.append(image);
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    refused = [fault for fault in viewer.faults if "Content Security Policy" in fault]
    assert len(refused) >= 2
    viewer.faults.clear()


# -- how it is made -----------------------------------------------------------------------------


def packed(what: str | Graph) -> dict[str, Any]:
    graph = elaborated(what) if isinstance(what, str) else what
    page = draw_page(graph, picture(graph, Folding()), Folding(), Style()).text
    found = re.search(r'id="data">([^<]*)<', page)
    assert found is not None
    data: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return data


def test_equal_blocks_are_told_once() -> None:
    data = packed("gpt2_small")
    assert len(data["scopes"]) < 12
    assert data["files"][0]["name"] == "gpt2_small.yaml"  # and not where it lies here


def test_what_turns_the_direction_of_writing_is_written_out() -> None:
    text = json.dumps(packed(hostile()), ensure_ascii=False)
    assert not {"\u202e", "\u2066"} & set(text)
    assert "\\\\u202eevil" in text


def test_lines_are_those_that_places_count() -> None:
    """What YAML ends a line by is more than scripts do."""
    head = 'graphbuild: 1\r\nname: net\r\ndoc: "a\u2028 b"\r\ninputs: {x: [N, 4]}\r\n'
    data = packed(graphbuild.elaborate(read_text(f"{head}nodes: {{a: ReLU}}\r\n")))
    (file,) = data["files"]
    number, line = data["graphs"][0]["nodes"]["a"]["about"]["at"]
    assert number == 0
    assert file["text"].split("\n")[line - 1] == "nodes: {a: ReLU}"


def test_files_do_not_tell_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those of a spec nor a bundled one that it includes, however the spec is named."""
    head = "graphbuild: 1\nname: net\ninputs: {x: [N, 3, H=64, W=64]}\n"
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/end.yaml").write_text(f"{head}nodes: [ReLU]\n")
    nodes = "nodes: {body: {spec: resnet18}, end: {spec: parts/end.yaml, from: x}}"
    (tmp_path / "net.yaml").write_text(f"{head}{nodes}\noutputs: [body, end]\n")
    monkeypatch.chdir(tmp_path)
    for name in ("net.yaml", f"{tmp_path}/net.yaml"):
        data = packed(name)
        told = [file["name"] for file in data["files"]]
        assert sorted(told) == ["net.yaml", "parts/end.yaml", "resnet18.yaml"]
        assert str(tmp_path) not in json.dumps(data)


def test_the_verb(tmp_path: Path) -> None:
    without = barred(tmp_path / "no", "torch", "numpy")
    done = run("render", "lenet5", "-o", "x.html", cwd=tmp_path, without=without)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote x.html: 10 boxes, 61.7k parameters")
    first = (tmp_path / "x.html").read_bytes()
    assert len(first) < 1_000_000
    done = run("render", "lenet5", "-o", "y.html", cwd=tmp_path, PYTHONHASHSEED="7")
    assert (tmp_path / "y.html").read_bytes() == first
    graph = elaborated("lenet5")
    drawn = graphbuild.render(graph, tmp_path / "z.html", depth=1)
    assert (drawn.format, drawn.content) == ("html", (tmp_path / "z.html").read_bytes())


def test_what_others_wrote_is_named() -> None:
    folder = PACKAGE / "render/viewer/vendor"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    versions = re.findall(r"(?:wasm-graphviz|Graphviz) (\d+\.\d+\.\d+)", NOTICE)
    assert len(versions) == 2
    assert all(version in readme for version in versions)
    assert "Apache License" in (folder / "LICENSE.wasm-graphviz").read_text(encoding="utf-8")
    assert "Eclipse Public License" in (folder / "LICENSE.graphviz").read_text(encoding="utf-8")
    code = (folder / "wasm-graphviz.js").read_text(encoding="utf-8").lower()
    assert "</script" not in code  # so that it can stand between the tags of one
    assert "<!--" not in code


FILES = sorted((PACKAGE / "render/viewer").glob("*.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_scripts_are_short_and_do_not_write_markup(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert file.stem in SCRIPTS
    assert text.count("\n") <= 300
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", text
    )
    assert "</script" not in text
