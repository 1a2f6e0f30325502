"""What is measured outside the subject is measured there alone, by the textbook."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from evaluation.metrics.pixels import (
    DEVIATION,
    STEADY,
    WINDOW,
    background_error,
    background_lpips,
    background_ssim,
    identical_share,
    luminance,
    outside,
    ssim_map,
)
from tests.evaluation.samples import picture

EVERYWHERE = np.ones((64, 64), bool)


def test_boxes_and_a_margin_are_left_out() -> None:
    where = outside([(20, 20, 40, 40)], 64, 64)
    assert not where[20:40, 20:40].any()
    assert not where[19, 30]
    assert where[:18].all()
    assert outside([(-5, -5, 70, 70)], 64, 64).sum() == 0


def test_changes_inside_do_not_count() -> None:
    source = picture()
    edited = source.copy()
    edited[25:35, 25:35] = 0
    where = outside([(10, 10, 50, 50)], 64, 64)
    assert background_error(source, edited, where) == 0.0
    assert identical_share(source, edited, where) == 1.0
    assert identical_share(source, edited, EVERYWHERE) == pytest.approx(1 - 100 / 4096, abs=1e-3)


def test_nothing_outside_is_not_measured() -> None:
    nowhere = ~EVERYWHERE
    for measure in (background_error, background_ssim, identical_share, background_lpips):
        assert measure(picture(), picture(1), nowhere) is None


def test_ssim_is_the_formula() -> None:
    one, other = luminance(picture()), luminance(picture(1))
    reach = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(reach**2) / (2 * DEVIATION**2))
    window = np.outer(weights, weights) / weights.sum() ** 2
    row, column, half = 30, 21, WINDOW // 2
    a, b = (grey[row - half : row + half + 1, column - half : column + half + 1] for grey in (one, other))
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    both = (window * (a - mean_a) * (b - mean_b)).sum()
    expected = (2 * mean_a * mean_b + STEADY[0]) * (2 * both + STEADY[1])
    expected /= (mean_a**2 + mean_b**2 + STEADY[0]) * (var_a + var_b + STEADY[1])
    assert ssim_map(one, other)[row, column] == pytest.approx(expected, rel=1e-6)


def test_a_picture_is_like_itself() -> None:
    assert background_ssim(picture(), picture(), EVERYWHERE) == pytest.approx(1.0)
    other = background_ssim(picture(), picture(1), EVERYWHERE)
    assert other is not None
    assert other < 0.9


@pytest.mark.skipif(importlib.util.find_spec("lpips") is not None, reason="lpips is installed here")
def test_lpips_is_left_out_without_its_package() -> None:
    assert background_lpips(picture(), picture(1), EVERYWHERE) is None
