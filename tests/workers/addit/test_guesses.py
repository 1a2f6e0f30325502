"""Whoever looks at a clean guess, it is decoded once."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from tests.workers.addit.backbones.families import CPU, FAMILIES, GRID, noise
from workers.addit.codec import decode_picture
from workers.addit.guesses import Guesses
from workers.addit.models import Models


@torch.inference_mode()
def test_a_row_is_decoded_once_until_the_next_guess() -> None:
    backbone, decoded = cast(Any, FAMILIES["schnell"]()), list[int]()
    backbone.pipe.vae.decoder.register_forward_hook(lambda *call: decoded.append(len(call[2])))
    models = Models(backbone.pipe, backbone, None, (), backbone.text_len, CPU)
    guesses, first, second = Guesses(models, GRID), noise(backbone, 1, 2), noise(backbone, 1, 2)
    shown = [guesses(first, row) for row in (1, 0, 1)]
    assert decoded == [1, 1]
    assert np.array_equal(shown[0], decode_picture(models, first[1:], GRID))
    assert shown[0] is shown[2]
    guesses(second, 1)
    assert len(decoded) == 4
