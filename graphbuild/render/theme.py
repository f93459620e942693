"""Colours. Hues are those of Okabe and Ito, which people tell apart however they see colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["light", "dark", "auto"]

HUES = {
    "conv": "#0072b2",
    "norm": "#f0e442",
    "activation": "#e69f00",
    "dropout": "#d9d9d9",
    "pool": "#d55e00",
    "linear": "#009e73",
    "attention": "#cc79a7",
    "recurrent": "#8a5fa8",
    "merge": "#5b6570",
    "shape": "#b8c0c8",
    "loss": "#8c2d04",
    "routing": "#a6761d",
    "weight": "#c7b8e0",
    "block": "#56b4e9",
    "function": "#a3adb8",
}
CHANGED = "#e6a700"  # of a difference, on light and dark paper
# From little to much, in even steps of lightness (a part of cividis).
SCALE = ("#e8e4c9", "#d9c55b", "#a59c74", "#6c6e72", "#31446b", "#00204d")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours that differ between light and dark paper. Each stands once, so that the
    stylesheet of a picture for both can tell them apart."""

    paper: str
    text: str
    muted: str
    card: str
    line: str  # of edges
    frame: str  # of clusters
    strong: str  # of edges that stand out: control, bus
    tints: tuple[str, ...]  # of clusters, by depth
    shared: str
    added: str  # of a difference
    removed: str


LIGHT = Theme(
    paper="#ffffff",
    text="#1b1f24",
    muted="#59636e",
    card="#fefefe",
    line="#8c959f",
    frame="#c9d1d9",
    strong="#424a53",
    tints=("#f6f8fa", "#eef1f5", "#e5eaf0", "#dce3ea"),
    shared="#bc4c00",
    added="#00795a",
    removed="#c4320a",
)
DARK = Theme(
    paper="#0d1117",
    text="#e6edf3",
    muted="#9da7b3",
    card="#161b22",
    line="#7d8590",
    frame="#3d444d",
    strong="#c3ccd5",
    tints=("#151b23", "#1c232c", "#232b35", "#2a333e"),
    shared="#ffa657",
    added="#2fc79b",
    removed="#ff8a5c",
)


def themed(name: ThemeName) -> Theme:
    """What a picture is drawn with; `auto` is light, with a stylesheet for dark."""
    return DARK if name == "dark" else LIGHT


def stylesheet() -> str:
    """CSS that turns a light SVG dark where the reader's scheme is dark."""
    return "@media (prefers-color-scheme:dark){" + rules() + "}"


def rules() -> str:
    """CSS that turns a light SVG dark."""
    found = []
    for name in Theme.__slots__:
        before, after = getattr(LIGHT, name), getattr(DARK, name)
        pairs = [(before, after)] if isinstance(before, str) else zip(before, after, strict=True)
        for light, dark in pairs:
            found.append(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}')
    return "".join(found)


def on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour."""
    return "#000000" if _luminance(colour) > 0.24 else "#fffffe"


def heat(share: float) -> str:
    """The colour of a share of the most, on the scale; the root spreads what is small."""
    at = min(max(share, 0.0), 1.0) ** 0.5 * (len(SCALE) - 1)
    low = min(int(at), len(SCALE) - 2)
    one, other = SCALE[low], SCALE[low + 1]
    parts = (
        round(_byte(one, k) + (_byte(other, k) - _byte(one, k)) * (at - low)) for k in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


def _byte(colour: str, at: int) -> int:
    return int(colour[at : at + 2], 16)


def _luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(_byte(colour, k) / 255) for k in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
