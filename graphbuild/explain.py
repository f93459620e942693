"""The page of each finding: what it means, a spec that has it, and the same spec without it.

The pages stand in `explain.md`, one section for each code.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from graphbuild.errors import CODES, did_you_mean


@cache
def pages() -> dict[str, str]:
    """The pages by code, as Markdown."""
    text = (Path(__file__).parent / "explain.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"(?m)^(?=## [EW]\d{3} )", text)
    return {section[3:7]: section.strip() for section in sections}


def page(code: str) -> str:
    """The page of one code; LookupError where there is no such code."""
    known = pages()
    found = known.get(code.upper())
    if found is None:
        hint = did_you_mean(code.upper(), CODES) or f"there are {', '.join(known)}"
        raise LookupError(f"no finding has the code {code!r}; {hint}")
    return found
