"""How natural a source's noisy latents are: what noise they imply, and how far that is from standard normal.

Pure tensors: knows no model and no inversion.
"""

from dataclasses import dataclass

from torch import Tensor

from workers.addit.latents import LatentGrid


@dataclass(frozen=True)
class Moments:
    """Of standard normal noise: 0, 1, 0, 0 up to chance.

    mean, std: over all numbers; kurtosis: excess; neighbours: correlation of a token with the one beside it
    and the one below it, over all channels
    """

    mean: float
    std: float
    kurtosis: float
    neighbours: float


def implied_noise(latents: Tensor, x0: Tensor, sigma: float) -> Tensor:
    """The noise that leads from `x0` to the `latents` at noise level `sigma` in (0, 1], all (1, L, C)."""
    return (latents - (1 - sigma) * x0) / sigma


def moments(noise: Tensor, grid: LatentGrid) -> Moments:
    """Of noise (1, L, C) on a grid of at least 2 x 2 tokens."""
    centred = noise.double() - noise.double().mean()
    variance = centred.square().mean()
    cells = centred.reshape(grid.height, grid.width, -1)
    beside, below = (cells[:, 1:] * cells[:, :-1]).mean(), (cells[1:] * cells[:-1]).mean()
    return Moments(
        mean=float(noise.double().mean()),
        std=float(variance.sqrt()),
        kurtosis=float(centred.pow(4).mean() / variance.square()) - 3,
        neighbours=float((beside + below) / 2 / variance),
    )
