"""Make the pictures of the gallery anew: `python examples/gallery/make.py`."""

from __future__ import annotations

import argparse
import shutil
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

import graphbuild

HERE = Path(__file__).parent
PICTURES: dict[str, tuple[str | tuple[str, str], dict[str, Any]]] = {
    "densenet121": ("densenet121", {}),
    "densenet121_block": ("densenet121", {"expand": ["features.denseblock1"]}),
    "googlenet": ("googlenet", {}),
    "googlenet_inception": ("googlenet_mini", {}),
    "resnet50": ("resnet50", {}),
    "resnet50_macs": ("resnet50", {"color_by": "macs", "theme": "dark"}),
    "multimodal": ("multimodal", {}),
    "siamese": ("siamese", {}),
    "unet": ("unet", {}),
    "lenet5": ("lenet5", {"direction": "LR"}),
    "vit_b_16": ("vit_b_16", {}),
    "mixture_of_experts": ("mixture_of_experts", {}),
    "conditional": ("conditional_depth_switch", {}),
    "diff": (("siamese", "siamese_contrastive"), {}),
}


LAYER = "features.denseblock1.denselayer3"
OPENED = f"#open=features.denseblock1.denselayer1+repeat&open={LAYER}&node={LAYER}.norm2"


def viewer(output: Path) -> None:
    """What a browser shows of the page of a graph; needs playwright and Chromium."""
    from playwright.sync_api import sync_playwright

    name = "densenet121"
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / f"{name}.html"
        graphbuild.render(graphbuild.elaborate(graphbuild.read(name)), file)
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 760}, reduced_motion="reduce")
        page.goto(f"{file.as_uri()}{OPENED}")
        page.wait_for_selector("html[data-ready=true]", state="attached")
        shot = page.screenshot()
        browser.close()
    with Image.open(BytesIO(shot)) as image:
        few = image.convert("RGB").quantize(
            128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    few.save(output / "viewer.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which of them; all if none is named")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder to write to")
    args = parser.parse_args()
    for name in args.names or (*PICTURES, "viewer"):
        if name == "viewer":
            viewer(args.output)
            continue
        spec, options = PICTURES[name]
        names = (spec,) if isinstance(spec, str) else spec
        graphs = [graphbuild.elaborate(graphbuild.read(one)) for one in names]
        graph = graphs[0] if len(graphs) == 1 else graphbuild.diff(*graphs)
        drawn = graphbuild.render(graph, args.output / f"{name}.svg", **options)
        png = graphbuild.render(graph, format="png", **options).content
        with Image.open(BytesIO(png)) as image:  # few colours, so that it is small
            image.convert("RGB").quantize(48).save(args.output / f"{name}.png", optimize=True)
        print(f"{name}: {drawn.visible} boxes, {len(drawn.content):,} bytes of SVG")


if __name__ == "__main__":
    main()
