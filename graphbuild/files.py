"""Files are written aside and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path


def endless(path: Path) -> str | None:
    """What a path is where reading it may never end; None for a file, or nothing.

    A pipe without a name, such as a shell makes of `<(...)`, ends with the command that fills it.
    """
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode) and os.path.lexists(os.path.realpath(path)):
        return "it is a pipe, not a file"
    return "it is a device, not a file" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write bytes, or text as UTF-8; an existing file keeps its mode, a link to it stays a link.

    Raises OSError, and leaves the old file as it was, where it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        target = Path(path).resolve()
    except RuntimeError:  # links in a circle, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    if target.exists() and not target.is_file():  # a device or a pipe: nothing to rename over
        target.write_bytes(data)
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(Path(path).parent))
    aside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            aside.chmod(stat.S_IMODE(target.stat().st_mode))
        aside.replace(target)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, OSError):  # the file that was asked for, not the one aside
            error.filename, error.filename2 = str(path), None
        raise
