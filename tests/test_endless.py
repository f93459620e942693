"""Paths of specs, weights and outputs that are no files: pipes, devices, links in a circle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import graphbuild
from graphbuild import files
from graphbuild.errors import SpecError


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    for name, words in (
        ("pipe.yaml", "it is a pipe, not a file"),
        ("zero.yaml", "it is a device, not a file"),
        ("loop.yaml", "too many levels of symbolic links"),
    ):
        with pytest.raises(SpecError, match=f"E001 the file cannot be read: {words}"):
            graphbuild.read(tmp_path / name)
        for line in (f"nodes: {{a: {{spec: {name}}}}}", f"extends: {name}"):
            head = "graphbuild: 1\nname: q\n" + "inputs: {x: [N]}\n" * line.startswith("nodes")
            (tmp_path / "net.yaml").write_text(f"{head}{line}\n")
            with pytest.raises(SpecError, match=f"E005 there is no spec '{name}'"):
                graphbuild.read(tmp_path / "net.yaml")
        with pytest.raises((ValueError, OSError), match=r"not a file|symbolic links"):
            graphbuild.compile("lenet5", weights=tmp_path / name)
    with pytest.raises(OSError, match="symbolic links"):
        files.write(tmp_path / "loop.yaml", "")
