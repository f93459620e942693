"""The page: style, scripts, Graphviz and a graph in one file, which asks nothing of any network.

Nothing of a spec stands in it but in two forms: escaped by `text.markup`, and packed as base64. The
page's policy lets nothing run but its own script, known by its hash, and Graphviz in a worker.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from graphbuild import __version__
from graphbuild.render.text import markup
from graphbuild.render.theme import ThemeName, rules

HERE = Path(__file__).parent
SCRIPTS = (
    *("data", "tree", "wires", "marks", "dot", "layout", "scene"),
    *("canvas", "panel", "outline", "address", "main"),
)
NOTICE = """\
This file contains @hpcc-js/wasm-graphviz 1.29.2 (https://github.com/hpcc-systems/hpcc-js-wasm), under the
Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0), and in it Graphviz 16.1.0
(https://graphviz.org), under the Eclipse Public License 2.0 (https://www.eclipse.org/legal/epl-2.0/),
without any warranty or liability of their authors; the source of Graphviz is to be had at
https://gitlab.com/graphviz/graphviz. The page itself is graphbuild's, under the Apache License 2.0."""


def page(name: str, svg: str, data: dict[str, Any], theme: ThemeName) -> str:
    """The page of a graph, with the picture that it begins with."""
    script, style, graphviz = _own()
    policy = (
        f"default-src 'none'; script-src {_hash(script)} 'wasm-unsafe-eval'; "
        f"style-src {_hash(style)}; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    return Template(_read("page.html")).substitute(
        data=_packed({**data, "name": name, "dark": rules()}),
        graphviz=graphviz,
        name=markup(name),
        notice=NOTICE,
        policy=policy,
        scheme="dark" if theme == "dark" else "light",
        script=script,
        style=style,
        svg=svg[svg.index("<svg") :],
        theme=theme,
        version=__version__,
    )


@cache
def _own() -> tuple[str, str, str]:
    """The script, the style and Graphviz, as they stand between their tags."""
    parts = [_read(f"{name}.js") for name in SCRIPTS]
    dark = f':where(:root[data-scheme="dark"] #canvas svg){{{rules()}}}'
    style = _read("style.css").replace("$dark", dark)
    graphviz = re.sub(r"//# sourceMappingURL=.*\s*$", "", _read("vendor/wasm-graphviz.js"))
    return "\n".join(parts), style, graphviz


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _packed(data: dict[str, Any]) -> str:
    """Data as base64, which no text can break out of."""
    text = json.dumps(data, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()
