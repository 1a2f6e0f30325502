"""The noise levels of a run, as the checkpoint's own scheduler defines them."""

from __future__ import annotations

import math

import numpy as np
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift


def make_sigmas(
    scheduler: FlowMatchEulerDiscreteScheduler, num_inference_steps: int, image_len: int
) -> list[float]:
    """`num_inference_steps` + 1 noise levels from 1 down to 0, shifted for `image_len` tokens.

    The scheduler is a template: it is copied, never changed, so runs of different lengths can share it.
    """
    own = FlowMatchEulerDiscreteScheduler.from_config(scheduler.config)
    config = own.config
    mu = calculate_shift(
        image_len, config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift
    )
    levels = np.linspace(1.0, 1 / num_inference_steps, num_inference_steps)
    own.set_timesteps(sigmas=levels.tolist(), mu=mu if config.use_dynamic_shifting else None)
    sigmas = [float(sigma) for sigma in own.sigmas]
    if not math.isclose(sigmas[-1], 0.0):
        raise ValueError("the scheduler does not end at noise level 0")
    return sigmas
