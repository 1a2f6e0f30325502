"""Sweeps become plots, whether their points have an order or names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toyland.score.plots import NAMED, TITLES, plot_sweep


@pytest.mark.parametrize("sweep", TITLES)
def test_every_sweep_can_be_drawn(sweep: str, tmp_path: Path) -> None:
    values = [
        {
            "sweep": sweep,
            "preset": preset,
            "point": point,
            "served": point == "double blocks",
            "inclusion": [0.5, 0.3, 0.7],
            "affordance": [0.4, 0.2, 0.6],
            "background_psnr": [28.0, 27.0, 29.0],
        }
        for preset in ("paper-generated", "paper-real")
        for point in ("constant", "double blocks", "single blocks")
    ]
    del values[0]["background_psnr"]  # nothing was outside
    file = tmp_path / f"{sweep}.png"
    plot_sweep(values, file)
    with Image.open(file) as drawn:
        assert drawn.width > drawn.height
        assert np.asarray(drawn.convert("L")).std() > 5


def test_named_points_are_those_without_an_order() -> None:
    assert set(NAMED) < set(TITLES)
