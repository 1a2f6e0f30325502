"""The plain schedule is the same method: it gives the golden tensors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.plain.attending import plain_processors
from bench.plain.schedule import PlainModel, edit, generated, inverted, noised
from tests.workers.addit import golden
from tests.workers.addit.test_golden import TOLERANCE
from workers.addit.latents import draw_noise
from workers.addit.localizers import Search, locate
from workers.addit.masks import blur


def model(case: str) -> PlainModel:
    config = golden.config(case)
    return PlainModel(
        golden.transformer(),
        golden.GRID,
        golden.sigmas(),
        golden.conditioning("source", config.source_guidance_scale),
        golden.conditioning("target", config.guidance_scale),
        frozenset(golden.CASES["recorded_layers"]),
        (golden.CASES["subject_token_index"],),
    )


def path_of(case: str, told: PlainModel) -> list[Tensor]:
    knobs, x0 = golden.CASES["cases"][case], golden.expected(case)["source_x0"][None]
    noise = draw_noise([knobs["seed_source"]], golden.CHANNELS, golden.GRID, element=0)
    if knobs["mode"] == "generated":
        return generated(told, noise)
    return noised(told, x0, noise) if golden.config(case).inversion == "noising" else inverted(told, x0)


@pytest.mark.parametrize("case", golden.CASES["cases"])
@torch.inference_mode()
def test_latents_maps_and_masks_agree(case: str) -> None:
    told, expected, config = model(case), golden.expected(case), golden.config(case)
    roughs: list[Tensor] = []

    def keep(maps: Tensor, guess: Tensor) -> Tensor:
        ((located,),) = locate("attention", maps, lambda row: golden.no_picture(), [Search()])
        roughs.append(located.rough)
        return located.weights(golden.GRID, 0.0).reshape(1, -1, 1).float()

    noise = draw_noise([golden.CASES["cases"][case]["seed_target"]], golden.CHANNELS, golden.GRID, element=1)
    with plain_processors(golden.transformer()):
        path = path_of(case, told)
        done = edit(told, config, path, path[-1], noise, keep)
    assert len(roughs) == len(golden.CASES["cases"][case]["blends"])
    close(done.latents[0], expected["latents_target"])
    for index, rough in enumerate(roughs):
        close(done.before[index][0], expected[f"blend{index}_before_target"])
        close(blur(done.maps[index][:, 0])[0], expected[f"blend{index}_map"])
        assert torch.equal(rough, expected[f"blend{index}_rough_mask"].bool())


def close(given: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(given, wanted, atol=TOLERANCE, rtol=0)
