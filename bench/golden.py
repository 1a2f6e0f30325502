"""How far the golden cases are from this machine's numbers."""

from __future__ import annotations

import torch

from bench.figures import Figures
from tests.workers.addit import golden


def measure(device: torch.device = golden.CPU) -> Figures:
    """Largest absolute difference of the final latents, and cells where the rough masks disagree."""
    rows, values = [], {}
    for case in golden.CASES["cases"]:
        expected = golden.expected(case)
        done, branches = golden.run(case, golden.config(case), device=device)
        difference = float((done.latents[0].cpu() - expected["latents_target"]).abs().max())
        wrong = sum(
            int((blend.located[0][0].rough.cpu() != expected[f"blend{i}_rough_mask"].bool()).sum())
            for i, blend in enumerate(done.blends)
        )
        cells = sum(blend.located[0][0].rough.numel() for blend in done.blends)
        agreed = f"{cells - wrong} of {cells}" if cells else "no blend"
        rows.append([case, f"{difference:.1e}", agreed, f"{branches.count.total:.0f}"])
        values[case] = {
            "latents": difference,
            "mask_cells": cells,
            "mask_cells_wrong": wrong,
            "forwards": branches.count.total,
        }
    return Figures(
        "Golden cases", ["case", "latents differ by", "mask cells agree", "forwards"], rows, values
    )
