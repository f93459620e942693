from __future__ import annotations

import re


def test_difficult_images_take_the_deep_path_and_need_it(example) -> None:
    done = example("conditional_depth", "--epochs", "25")
    row = r"^(\w+) images: ([\d.]+)% take the deep path, ([\d.]+)% are read correctly$"
    found = {name: (float(a), float(b)) for name, a, b in re.findall(row, done.text, re.M)}
    assert found["clean"][0] < 5
    assert found["noisy"][0] > 95
    assert min(right for _, right in found.values()) > 75
    assert done.number("noisy images by the simple path") < found["noisy"][1] - 15
    assert 40 < done.number("computing saved in the paths") < 50
    assert done.pictures() == ["conditional_depth.png"]
