"""Pictures that a model made for a task, kept so that a better judge need not have them made again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.addit.localizers import Picture


@dataclass(frozen=True)
class Made:
    """What came out of one task.

    picture: (H, W, 3); source: what it was made from, through the autoencoder, None for a drawing
    cells: (h, w) bool on the latent grid, where the subject was kept; mask: (H, W) bool, where it was found;
        both None without a blend
    forwards: of the transformer, its source not known before; None where nobody counted
    """

    picture: Picture
    source: Picture | None = None
    cells: NDArray[np.bool_] | None = None
    mask: NDArray[np.bool_] | None = None
    forwards: float | None = None


def make_once(folder: Path, key: str, make: Callable[[], Made]) -> Made:
    """What was made under this key before, or what `make` gives now."""
    file = folder / f"{key}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _save(make(), file)
    return load_made(file)


def load_made(file: Path) -> Made:
    """What `make_once` kept."""
    with np.load(file) as arrays:
        return Made(**arrays)


def _save(made: Made, file: Path) -> None:
    arrays = {name: array for name, array in vars(made).items() if array is not None}
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    part.replace(file)  # a file of that name is always whole
