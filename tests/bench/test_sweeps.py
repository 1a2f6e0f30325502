"""Sweeps as tables: what is served stands out, what was not measured stays empty."""

from __future__ import annotations

from bench.sweeps import plotted, tabulate


def test_a_row_for_each_point() -> None:
    points = [
        {
            "preset": "paper-real",
            "point": point,
            "served": served,
            "scenes": 32,
            "inclusion": [0.5, 0.3, 0.7],
            "background_psnr": [28.04, 27.0, 29.0],
            "forwards": [43.0, 43.0, 43.0],
        }
        for point, served in (("1.05", False), ("1.2", True))
    ]
    figures = tabulate("gamma", points)
    assert figures.title.startswith("Sweep of gamma, 32 scenes")
    assert figures.rows == [
        ["paper-real", "1.05", "50 (30..70)", "", "28.0 (27.0..29.0)", "43.0"],
        ["paper-real", "**1.2**", "50 (30..70)", "", "28.0 (27.0..29.0)", "43.0"],
    ]
    assert plotted("gamma", figures).startswith(
        "![sweep of gamma](assets/toyland/sweep_gamma.png)\n\n<details>"
    )
