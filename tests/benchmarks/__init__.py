"""Measures graphbuild against handwritten models, as a table of ratios; `python -m benchmarks`.

Run it where this folder lies (in `tests`), or as `python tests/benchmarks` from anywhere.
"""
