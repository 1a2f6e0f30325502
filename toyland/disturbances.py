"""What may happen to a picture without changing what is in it, and what looks like a thing but is none."""

import torch
from torch import Tensor
from torch.nn import functional as F

SOFTENED_SHARE = 0.5
SOFTEST = 4.0  # pixels of the source that become one
COLOUR_CHANGE = 0.06  # standard deviation of the gain of a channel
LIGHT_CHANGE = 0.08  # standard deviation of the gain and of the offset of all channels, of the range 0..1
MOST_NOISE = 0.06
NOISE_CELL = 8  # pixels; noise is fine for one half and coarse, as an autoencoder's, for the other
BLOB_SHARE = 0.3
MELTED_SHARE = 0.1
MELTED_CELL = 32  # pixels that become one: nobody could say what it was


def disturb(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, H, W) in 0..1 -> the same, some softened, all in another light, with some noise."""
    batch = len(pictures)
    softened = torch.cat([soften(picture[None], generator) for picture in pictures])
    light = 1 + LIGHT_CHANGE * torch.randn(batch, 1, 1, 1, generator=generator)
    colour = 1 + COLOUR_CHANGE * torch.randn(batch, 3, 1, 1, generator=generator)
    offset = 0.5 * LIGHT_CHANGE * torch.randn(batch, 1, 1, 1, generator=generator)
    return (softened * (light * colour) + offset + _noise(pictures, generator)).clamp(0, 1)


def soften(picture: Tensor, generator: torch.Generator) -> Tensor:
    """(1, 3, H, W) -> the same, perhaps through a smaller size."""
    if float(torch.rand((), generator=generator)) > SOFTENED_SHARE:
        return picture
    factor = 1 + (SOFTEST - 1) * float(torch.rand((), generator=generator)) ** 1.5
    size = (picture.shape[-2], picture.shape[-1])
    small = F.interpolate(
        picture, (round(size[0] / factor), round(size[1] / factor)), mode="bilinear", antialias=True
    )
    return F.interpolate(small, size, mode="bilinear")


def add_blobs(pictures: Tensor, bare: Tensor, generator: torch.Generator) -> Tensor:
    """Paint a shapeless patch of one colour behind the things of some pictures (B, 3, H, W).

    bare: (B, H, W) bool, where nothing stands
    """
    batch, _, height, width = pictures.shape
    middle = torch.rand(batch, 2, 1, 1, generator=generator)
    radius = 0.06 + 0.16 * torch.rand(batch, 2, 1, 1, generator=generator)
    rows, columns = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    distance = (
        ((columns - middle[:, 0]) / radius[:, 0]) ** 2 + ((rows - middle[:, 1]) / radius[:, 1]) ** 2
    ).sqrt()
    dents = _coarse_noise(batch, 1, 32, (height, width), generator)[:, 0]
    softness = 0.02 + 0.3 * torch.rand(batch, 1, 1, generator=generator)
    shape = ((1 - distance + 0.35 * dents) / softness + 0.5).clamp(0, 1) * bare
    painted = torch.rand(batch, 1, 1, generator=generator) < BLOB_SHARE
    colour = torch.rand(batch, 3, 1, 1, generator=generator)
    shade = 0.1 * _coarse_noise(batch, 1, 64, (height, width), generator)
    return torch.lerp(pictures, (colour + shade).clamp(0, 1), (shape * painted)[:, None])


def melt(pictures: Tensor, masks: Tensor) -> Tensor:
    """Make what the masks (B, H, W) bool cover unrecognisable: its colours stay, its shape does not."""
    alpha = F.avg_pool2d(masks[:, None].float(), 17, stride=4, padding=8) * 2.5
    cover = F.interpolate(alpha.clamp(0, 1), pictures.shape[-2:], mode="bilinear")
    pooled = F.avg_pool2d(pictures, MELTED_CELL, stride=MELTED_CELL // 2, padding=MELTED_CELL // 4)
    melted = F.interpolate(pooled, pictures.shape[-2:], mode="bilinear")
    return torch.lerp(pictures, melted, cover)


def _noise(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, H, W) normal noise, of another strength for each picture; coarse for every other picture."""
    batch, channels, height, width = pictures.shape
    fine = torch.randn(pictures.shape, generator=generator)
    fine[1::2] = _coarse_noise(len(fine[1::2]), channels, NOISE_CELL, (height, width), generator)
    return fine * (MOST_NOISE * torch.rand(batch, 1, 1, 1, generator=generator).square())


def _coarse_noise(
    batch: int, channels: int, cell: int, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    grid = torch.randn(batch, channels, size[0] // cell + 1, size[1] // cell + 1, generator=generator)
    return F.interpolate(grid, size, mode="bilinear")
