"""Which file a name means: of a bundled spec, or inside a spec, where it stays in the spec's folder."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from graphbuild.errors import Finding, SpecError, did_you_mean
from graphbuild.files import endless
from graphbuild.source import MAX_SIZE, Text

ENDINGS = (".yaml", ".yml")
_LOOKED_AT = 1000  # files of a folder, for a suggestion
_ENOUGH = 4 * (MAX_SIZE + 1)  # bytes: a character has at most four


class Unreadable(Exception):
    """A file cannot be read; `hint` says what would mend it."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


def bundled() -> dict[str, Path]:
    """The specs that come with graphbuild, by name.

    They lie inside an installed package, and beside the package in a source checkout.
    """
    package = Path(__file__).parent
    for folder in (package / "specs", package.parent / "specs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def text_of(path: Path) -> str:
    """The text of a file; raises `Unreadable`."""
    hint = None
    try:
        odd = endless(path)
        if odd is not None:
            raise Unreadable(odd)
        with path.open("rb") as file:
            content = file.read(_ENOUGH + 1)
        # of a file that is too large in any case, the last character may be cut
        text = content.decode("utf-8", "ignore" if len(content) > _ENOUGH else "strict")
        return text.lstrip("\ufeff")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        reason = f"it is not UTF-8 text (byte {error.start + 1}, line {line})"
    except FileNotFoundError:
        reason, hint = "no such file", did_you_mean(path.stem, bundled())
        if path.stem in bundled():
            hint = f"a bundled spec is called by its name alone: {path.stem}"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    except ValueError as error:  # a NUL in the path
        reason = str(error)
    raise Unreadable(reason, hint)


def locate(name: Text, folder: Path | None) -> Path:
    """The file that a spec in `folder` names; one without a folder names bundled specs only.

    Raises SpecError (E005) where the name leads out of the folder, or nowhere.
    """
    wrong = _unusable(name)
    if wrong is not None:
        expected = "the name of a bundled spec, or a path in the folder of this one"
        message = f"{str(name)!r} {wrong}"
        raise SpecError([Finding("E005", message, name.span, expected=expected)])
    tried = [name] if name.endswith(ENDINGS) else [name + ending for ending in ENDINGS]
    for path in [folder / one for one in tried] if folder is not None else []:
        if not _is_file(path):  # nor a device or a pipe, which might never end
            continue
        if not path.resolve().is_relative_to(folder.resolve()):  # type: ignore[union-attr]
            message = f"{str(name)!r} is a link that leads out of the folder of this spec"
            raise SpecError([Finding("E005", message, name.span)])
        return path
    stem = name.removesuffix(".yaml")
    known = bundled()
    if stem in known:
        return known[stem]
    where = "" if folder is not None else ", and a spec that is no file has no folder to look in"
    message = f"there is no spec {str(name)!r}{where}"
    hint = did_you_mean(stem, [*_beside(folder), *known])
    raise SpecError([Finding("E005", message, name.span, suggestion=hint)])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, links in a circle
        return False


def _unusable(name: Text) -> str | None:
    """Why no spec can be called so."""
    if "$" in name:
        return "is an expression, but which files a spec is made of is known before its params are"
    if "://" in name:
        return "is an address, and nothing is fetched"
    if name.startswith(("/", "~")) or re.match("[A-Za-z]:", name):
        return "is not in the folder of this spec"
    if ".." in name.split("/"):
        return "leads out of the folder of this spec"
    if "\\" in name or "\0" in name:
        return "has a character that paths do not have here; folders are parted by /"
    return None


def _beside(folder: Path | None) -> list[str]:
    """Specs in a folder, for a suggestion."""
    if folder is None or not folder.is_dir():
        return []
    return sorted(
        path.stem for path in islice(folder.iterdir(), _LOOKED_AT) if path.suffix in ENDINGS
    )
