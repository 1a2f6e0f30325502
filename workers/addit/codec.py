"""Between what people see and what the transformer works on: pictures to tokens and back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from workers.addit.errors import InvalidOutput
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemory
from workers.addit.transfers import move


def encode_picture(models: Models, picture: Picture) -> Tensor:
    """(1, L, C) float32 tokens of an (H, W, 3) picture: the posterior's mode, normalised."""
    pixels = move(torch.from_numpy(np.array(picture)), models.device).permute(2, 0, 1)[None]
    return models.backbone.encode_pixels(pixels.float() / 127.5 - 1)


def show_source(models: Models, memory: SourceMemory, x0: Tensor, grid: LatentGrid) -> Picture:
    """The (H, W, 3) picture of a source's clean tokens (1, L, C), decoded once while it is remembered."""
    if memory.shown is None:
        memory.shown = decode_picture(models, x0, grid)
    return memory.shown


def decode_picture(models: Models, tokens: Tensor, grid: LatentGrid) -> Picture:
    """The (H, W, 3) picture of (1, L, C) tokens. Raises `InvalidOutput` where it is not finite."""
    pixels = models.backbone.decode_tokens(tokens, grid)[0]
    if not bool(torch.isfinite(pixels).all()):
        raise InvalidOutput("the decoded picture is not finite")
    levels = (pixels.clamp(-1, 1) * 127.5 + 127.5).round().byte().permute(1, 2, 0)
    shown: Picture = move(levels, torch.device("cpu")).numpy()
    return shown
