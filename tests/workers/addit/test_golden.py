"""All golden cases, in float32 on the CPU: the numbers that a right implementation of the method gives."""

from __future__ import annotations

import pytest
import torch

from tests.workers.addit import golden
from workers.addit.forward import Branches
from workers.addit.masks import blur

TOLERANCE = 1e-5


@pytest.mark.parametrize("case", golden.CASES["cases"])
def test_latents_maps_and_masks_agree(case: str) -> None:
    expected = golden.expected(case)
    done, _ = golden.run(case, golden.config(case))
    torch.testing.assert_close(done.latents[0], expected["latents_target"], atol=TOLERANCE, rtol=0)
    assert len(done.blends) == len(golden.CASES["cases"][case]["blends"])
    for index, blend in enumerate(done.blends):
        torch.testing.assert_close(
            blend.latents[0], expected[f"blend{index}_before_target"], atol=TOLERANCE, rtol=0
        )
        torch.testing.assert_close(
            blur(blend.maps[:, 0])[0], expected[f"blend{index}_map"], atol=TOLERANCE, rtol=0
        )
        assert torch.equal(blend.located[0][0].rough, expected[f"blend{index}_rough_mask"].bool())


def test_sigmas_agree() -> None:
    torch.testing.assert_close(
        torch.tensor(golden.sigmas()), torch.tensor(golden.CASES["sigmas"]), atol=1e-7, rtol=0
    )


@torch.inference_mode()
def test_generated_source_agrees() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    with branches.backbone.exchange_processors():
        path = golden.source_path("generated", branches, golden.config("generated"), golden.memory())
    torch.testing.assert_close(path.x0[0], golden.expected("generated")["source_x0"], atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_every_step_of_the_inversion_agrees() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    with branches.backbone.exchange_processors():
        path = golden.source_path(
            "real_inversion", branches, golden.config("real_inversion"), golden.memory(), whole=True
        )
    latents = torch.cat([path.latents(step) for step in range(len(golden.CASES["sigmas"]))])
    torch.testing.assert_close(
        latents, golden.expected("real_inversion")["inversion"], atol=TOLERANCE, rtol=0
    )
