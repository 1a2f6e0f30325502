from __future__ import annotations

import pytest
from diffusers import FlowMatchEulerDiscreteScheduler

from workers.addit.schedule import default_sigmas, empirical_sigmas, make_sigmas


def test_flux_dev_at_1024_has_the_papers_levels() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, max_image_seq_len=4096
    )
    sigmas = make_sigmas(scheduler, 30, image_len=4096)
    assert len(sigmas) == 31
    assert [round(sigmas[step], 3) for step in (2, 4, 10, 15, 20)] == [0.978, 0.954, 0.863, 0.760, 0.612]


def test_schnell_is_not_shifted() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=False)
    assert make_sigmas(scheduler, 4, image_len=4096) == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])


def test_the_template_is_left_alone() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler()
    before = scheduler.sigmas.clone()
    make_sigmas(scheduler, 7, image_len=64)
    assert scheduler.sigmas.equal(before)


def test_stable_diffusion_3_ends_at_its_own_last_level() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    sigmas = default_sigmas(scheduler, 28)
    scheduler.set_timesteps(28)
    assert sigmas == pytest.approx(scheduler.sigmas.tolist())


def test_flux_2_shifts_more_for_larger_pictures() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    small, large = (empirical_sigmas(scheduler, 28, tokens)[14] for tokens in (256, 4096))
    assert small < large
