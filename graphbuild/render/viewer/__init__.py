"""The viewer: a page that holds a graph whole, and draws what its reader has opened.

`tree` says what each item shows, closed and open, in the very DOT text that `dot` would write. The
scripts beside it choose what is visible, find the edges between, and hand the text to Graphviz, which
is in the page too. `page` puts all of that into one file.
"""

from __future__ import annotations

from graphbuild.render.viewer.page import page
from graphbuild.render.viewer.statements import statements
from graphbuild.render.viewer.tree import tree

__all__ = ["page", "statements", "tree"]
