"""How well the rest of the picture was kept: only pixels outside the subject count.

No installed library measures these outside a mask, so they are the textbook formulas; LPIPS needs learned
weights and comes from its authors' package where that is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from toyland.score.measures import squared_error
from workers.addit.boxes import Box
from workers.addit.localizers import Picture

MARGIN = 0.08
"""Of a box's sides that is left out around it: shadows, and what a detector's box misses."""
WINDOW, DEVIATION = 11, 1.5
"""Of SSIM's Gaussian, pixels (Wang et al., 2004)."""
STEADY = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def outside(boxes: list[Box], height: int, width: int) -> NDArray[np.bool_]:
    """(H, W), false in the boxes and a margin around them."""
    kept = np.ones((height, width), bool)
    for left, top, right, bottom in boxes:
        x, y = MARGIN * (right - left), MARGIN * (bottom - top)
        rows = slice(max(0, int(top - y)), max(0, int(np.ceil(bottom + y))))
        kept[rows, max(0, int(left - x)) : max(0, int(np.ceil(right + x)))] = False
    return kept


def background_error(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float | None:
    """Mean squared difference in grey levels, of which PSNR is made; None where nothing is outside."""
    return squared_error(one[where], other[where]) if where.any() else None


def identical_share(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float | None:
    """Share of the pixels that are the same in every bit."""
    return float((one == other).all(-1)[where].mean()) if where.any() else None


def background_ssim(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float | None:
    """Structural similarity of luminance, mean over the pixels outside."""
    return float(ssim_map(luminance(one), luminance(other))[where].mean()) if where.any() else None


def luminance(picture: Picture) -> NDArray[np.float64]:
    """(H, W), 0..255 (ITU-R BT.601)."""
    grey: NDArray[np.float64] = picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return grey


def ssim_map(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W) of two (H, W) pictures, borders reflected."""
    a, b = (torch.from_numpy(picture)[None, None] for picture in (one, other))
    mean_a, mean_b = _blur(a), _blur(b)
    var_a, var_b = _blur(a * a) - mean_a**2, _blur(b * b) - mean_b**2
    both = _blur(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + STEADY[0]) / (mean_a**2 + mean_b**2 + STEADY[0])
    found: NDArray[np.float64] = (light * (2 * both + STEADY[1]) / (var_a + var_b + STEADY[1]))[0, 0].numpy()
    return found


def _blur(picture: Tensor) -> Tensor:
    """(1, 1, H, W)."""
    reach = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    weights = torch.exp(-(reach**2) / (2 * DEVIATION**2))
    weights = weights / weights.sum()
    padded = F.pad(picture, (WINDOW // 2,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, weights[None, None, None]), weights[None, None, :, None])


def background_lpips(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float | None:
    """Learned perceptual distance (arXiv 1801.03924), AlexNet's, mean outside; None without the package."""
    if not where.any() or importlib.util.find_spec("lpips") is None:
        return None
    pictures = (
        torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
        for picture in (one, other)
    )
    with torch.inference_mode():
        distance = _lpips()(*pictures)[0, 0].numpy()
    return float(distance[where].mean())


@cache
def _lpips() -> Any:
    lpips = importlib.import_module("lpips")
    return lpips.LPIPS(net="alex", spatial=True, verbose=False).eval()
