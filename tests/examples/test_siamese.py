from __future__ import annotations


def test_pairs_are_verified_also_of_digits_never_seen(example) -> None:
    done = example("siamese", "--epochs", "2")
    known, unseen = (line for line in done.text.splitlines() if "pairs verified" in line)
    shares = [float(line.split(": ")[1].split("%")[0]) for line in (known, unseen)]
    areas = [float(line.split("the ROC ")[1].split(" ")[0]) for line in (known, unseen)]
    assert shares[0] > 85
    assert areas[0] > 0.95
    assert shares[1] > 55  # half of the pairs are right by chance
    assert areas[1] > 0.7
    assert done.pictures() == ["siamese.png"]
