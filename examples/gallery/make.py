"""Make the pictures of the gallery anew: `python examples/gallery/make.py`."""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

import graphbuild

HERE = Path(__file__).parent
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
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
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which of them; all if none is named")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder to write to")
    args = parser.parse_args()
    for name in args.names or PICTURES:
        spec, options = PICTURES[name]
        graph = graphbuild.elaborate(graphbuild.read(spec))
        drawn = graphbuild.render(graph, args.output / f"{name}.svg", **options)
        png = graphbuild.render(graph, format="png", **options).content
        with Image.open(BytesIO(png)) as image:  # few colours, so that it is small
            image.convert("RGB").quantize(48).save(args.output / f"{name}.png", optimize=True)
        print(f"{name}: {drawn.visible} boxes, {len(drawn.content):,} bytes of SVG")


if __name__ == "__main__":
    main()
