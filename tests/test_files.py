"""Files are whole or as they were, keep their mode, and links to them stay links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from graphbuild import files


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    files.write(tmp_path / "new.py", "é\n")
    assert (tmp_path / "new.py").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "new.py").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_text("old")
    old.chmod(0o640)
    files.write(old, "new")
    assert old.read_text() == "new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.py"
    link.symlink_to(tmp_path / "folder" / "real.py")
    files.write(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "folder" / "real.py").read_text() == "new"


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        files.write(old, "half \ud800")
    assert old.read_text() == "old"
    assert os.listdir(tmp_path) == ["old.py"]


def test_a_failure_to_rename_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        assert self.read_text() == "new"  # all of it is there before anything is renamed
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no") as raised:
        files.write(tmp_path / "file.py", "new")
    assert raised.value.filename == str(tmp_path / "file.py")  # not the file aside
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder") as raised:
        files.write(tmp_path / "none" / "file.py", "text")
    assert raised.value.filename == str(tmp_path / "none")


def test_a_device_is_written_to(tmp_path: Path) -> None:
    files.write(os.devnull, "text")
    assert not Path(os.devnull).is_file()
