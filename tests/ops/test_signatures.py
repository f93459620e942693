"""The table of signatures against the installed torch, and the rows against the table."""

from __future__ import annotations

import inspect

import pytest
from generate_signatures import FUNCTIONS, LAYERS, VISION, signatures
from torch import nn

from graphbuild import ops
from graphbuild.ops.signatures import SIGNATURES
from graphbuild.ops.types import expected
from graphbuild.vision import torchvision


def test_generated_from_the_installed_torch() -> None:
    """To write it anew: python tests/generate_signatures.py"""
    assert signatures() == SIGNATURES
    assert list(SIGNATURES) == [*LAYERS, *VISION, *FUNCTIONS]


def test_every_signature_has_a_row() -> None:
    assert not set(SIGNATURES) - set(ops.names())


@pytest.mark.parametrize("name", ops.names())
def test_row(name: str) -> None:
    op = ops.get(name)
    assert op is not None
    assert op.name == name
    assert op.doc.endswith(".")
    assert "\n" not in op.doc
    names = [a.name for a in op.arguments]
    assert len(set(names)) == len(names)
    for argument in op.arguments:
        assert expected(argument.type)
        if not argument.required:
            _, problems = ops.check_args(op, {argument.name: argument.default})
            assert not [p for p in problems if p.name == argument.name]
    assert set(op.infer) <= set(names)
    assert op.positional <= len(names)
    assert op.name == name
    for rule in (op.overwrites, op.saves_output):
        assert isinstance(rule, bool) or rule in names
    if op.module is not None:
        layer = ops.get(op.module)
        assert layer is not None
        assert set(names) <= {a.name for a in layer.arguments}
    if op.layer:
        # A layer's operands are called as its forward calls them, where torch names them well.
        home = torchvision.ops if name in VISION else nn
        forward = inspect.signature(getattr(home, name).forward).parameters
        paired = 1 if op.name.startswith("LSTM") else 0  # its state is a tuple
        assert len(forward) - 1 >= len(op.operands) - paired


def test_import_does_not_import_pydantic() -> None:
    import subprocess
    import sys

    code = (
        "import sys, graphbuild.ops; sys.exit('pydantic' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
