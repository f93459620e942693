from __future__ import annotations

import re


def test_both_questions_need_both_inputs(example) -> None:
    done = example("multimodal", "--epochs", "4")
    row = r"^(.*): scene ([\d.]+)%, lighting ([\d.]+)%$"
    found = {words: (float(s), float(t)) for words, s, t in re.findall(row, done.text, re.M)}
    assert min(found["both inputs"]) > 85
    # what one input alone can tell is 50 % of the scenes, and 1/3 or 5/9 of the lightings
    assert max(found["another sample's image"]) < 65
    assert max(found["another sample's metadata"]) < 65
    assert done.pictures() == ["multimodal.png"]
