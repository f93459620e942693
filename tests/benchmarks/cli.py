"""The command: choose benchmarks, run them, print the table."""

from __future__ import annotations

import os
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import models, processes, scaling
from benchmarks.contest import Benchmark, Result, Setting, Spread, measure, processor

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def every() -> list[Benchmark]:
    return [*models.benchmarks(), *processes.benchmarks(), *scaling.benchmarks()]


@app.command()
def main(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which to run: names, or their beginnings, or *."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds of each, instead of its own number.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch; more need --wall.")] = 1,
    wall: Annotated[
        bool, typer.Option("--wall", help="Time by the clock instead of the processor.")
    ] = False,
    progress: Annotated[bool, typer.Option(help="Show on stderr how far it is.")] = True,
    list_: Annotated[bool, typer.Option("--list", help="List the names and stop.")] = False,
) -> None:
    """Compare graphbuild with handwritten models, as ratios of our cost to theirs.

    Both sides, and theirs once more for the noise (A/A), are measured in every round. A ratio is
    the median of all rounds, with the least and the greatest. Exits with 1 if a target is missed.
    Memory is counted in bytes of live tensors, beside parameters, and needs one round.

    \b
    Examples:
      python -m benchmarks
      python -m benchmarks forward/densenet121 memory --rounds 30
      python -m benchmarks 'construct/*/undrawn' --no-progress
    """
    chosen = [b for b in every() if not patterns or any(_fits(b.name, p) for p in patterns)]
    if not chosen:
        raise typer.BadParameter("no benchmark has such a name; --list shows them")
    if list_:
        print("\n".join(benchmark.name for benchmark in chosen))
        return
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of processes that are started
    clock = perf_counter if wall else processor
    results = run(chosen, rounds, clock=clock, progress=progress)
    _print(results)
    raise typer.Exit(int(not all(result.holds for result in results)))


def run(
    chosen: list[Benchmark], rounds: int | None, *, clock: Callable[[], float], progress: bool
) -> list[Result]:
    """One after the other, with a progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, TimeElapsedColumn(), console=console, disable=not progress)
    counts = [b.rounds if rounds is None or b.unit == "B" else rounds for b in chosen]
    results = []
    with bar:
        task = bar.add_task("", total=sum(counts))
        for benchmark, count in zip(chosen, counts, strict=True):
            bar.update(task, description=benchmark.name)
            with TemporaryDirectory() as folder:
                setting = Setting(Path(folder), clock)
                results.append(measure(benchmark, setting, count, lambda: bar.advance(task)))
    return results


def _fits(name: str, pattern: str) -> bool:
    return fnmatch(name, pattern) or name == pattern or name.startswith(f"{pattern.rstrip('/')}/")


def _print(results: list[Result]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("benchmark", no_wrap=True)
    headings = ("ratio", "min", "max", "A/A", "min", "max", "target", "holds", "ours", "theirs")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        target = f"{result.benchmark.target:.2f}" + "±" * result.benchmark.noisy
        holds = "[green]yes[/]" if result.holds else "[bold red]no[/]"
        costs = [_cost(cost, result.benchmark.unit) for cost in (result.ours, result.theirs)]
        spreads = (*_cells(result.ratio), *_cells(result.noise))
        table.add_row(result.benchmark.name, *spreads, target, holds, *costs)
    console.print(table)
    console.print(
        "ratio: our cost / theirs; A/A: theirs / theirs; ±: within the noise", style="dim"
    )


def _cells(spread: Spread) -> list[str]:
    return [f"{value:.3f}" for value in (spread.median, spread.low, spread.high)]


def _cost(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 2**20:.2f} MiB"
    for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e9:.3g} ns"
