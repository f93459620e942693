"""Pictures of a graph: folded to what a reader can take in, as SVG, PNG, PDF, DOT or Mermaid.

Stage by stage, each a plain value: `fold` (graph -> tree of what is visible), `picture` (-> boxes,
clusters and links with their text), `dot` (-> DOT text), `layout` (-> a drawing).
"""

from __future__ import annotations
