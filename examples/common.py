"""What the examples share: command line, data that comes with scikit-learn, training, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import matplotlib
import numpy as np
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.optim import Optimizer

# -- the command line -------------------------------------------------------------------------

Epochs = Annotated[int, typer.Option(min=1, help="How many times the training data is seen.")]
Seed = Annotated[int, typer.Option(help="Seeds everything that is drawn at random.")]
Output = Annotated[Path, typer.Option(file_okay=False, help="The folder for what is written.")]


def run(main: Callable[..., None]) -> None:
    """Run an example as a command. Its help is the docstring of its file."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(help=main.__globals__["__doc__"])(main)
    app()


def progress(count: int, words: str = "training") -> Iterable[int]:
    """Like `range(count)`, with a progress bar on stderr."""
    return track(range(count), words, console=Console(stderr=True))


# -- data -------------------------------------------------------------------------------------

Data = tuple[Tensor, Tensor]  # inputs and labels


def digits(size: int = 8) -> Data:
    """Scikit-learn's 1,797 handwritten digits as images [N, 1, size, size], ink 1 on paper 0."""
    images, labels = load_digits(return_X_y=True)
    scaled = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    if size != 8:
        scaled = nn.functional.interpolate(scaled, (size, size), mode="bilinear")
    return scaled, torch.tensor(labels)


def split(inputs: Tensor, labels: Tensor, share: float = 0.25) -> tuple[Data, Data]:
    """Training and test data, the same whatever the seed, with the same mixture of labels."""
    train, test = train_test_split(
        np.arange(len(labels)), test_size=share, random_state=0, stratify=labels
    )
    return (inputs[train], labels[train]), (inputs[test], labels[test])


# -- training ---------------------------------------------------------------------------------


def epoch(
    loss: Callable[..., Tensor], optimizer: Optimizer, *data: Tensor, batch_size: int = 64
) -> float:
    """One pass over the data in random order; the mean of `loss(*batch)`."""
    total = 0.0
    for rows in torch.randperm(len(data[0])).split(batch_size):
        optimizer.zero_grad()
        value = loss(*(part[rows] for part in data))
        value.backward()
        optimizer.step()
        total += value.item() * len(rows)
    return total / len(data[0])


@torch.inference_mode()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """The share of the inputs whose largest output is at their label."""
    model.eval()
    return (model(inputs).argmax(1) == labels).float().mean().item()


# -- pictures ---------------------------------------------------------------------------------

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"  # Okabe and Ito's
STYLE = {
    "axes.prop_cycle": matplotlib.cycler(color=[BLUE, ORANGE, GREEN, RED]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@contextmanager
def picture(
    path: Path, rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (6.4, 4.0)
) -> Iterator[list[Axes]]:
    """Axes to draw on, row by row; the picture is saved at the end."""
    with matplotlib.rc_context(STYLE):
        # without pyplot: no window, no state
        figure = Figure(figsize=size, dpi=120, layout="constrained")
        yield list(figure.subplots(rows, columns, squeeze=False).flat)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    print(f"wrote {path}")
