from __future__ import annotations


def test_it_tells_irises_apart(example) -> None:
    done = example("logistic_regression")
    assert done.number("accuracy on other flowers:") >= 94
    assert done.pictures() == ["logistic_regression.png"]
