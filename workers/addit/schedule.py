"""The noise levels of a run, as the checkpoint's own scheduler defines them.

A scheduler is a template here: it is copied, never changed, so runs of different lengths can share it.
"""

from __future__ import annotations

import math

import numpy as np
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu


def make_sigmas(
    scheduler: FlowMatchEulerDiscreteScheduler, num_inference_steps: int, image_len: int
) -> list[float]:
    """`num_inference_steps` + 1 noise levels from 1 down to 0, shifted for `image_len` tokens (FLUX.1)."""
    config = scheduler.config
    mu = calculate_shift(
        image_len, config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift
    )
    return _even_sigmas(scheduler, num_inference_steps, mu)


def empirical_sigmas(
    scheduler: FlowMatchEulerDiscreteScheduler, num_inference_steps: int, image_len: int
) -> list[float]:
    """The same, with FLUX.2's shift, which depends on the number of steps as well."""
    return _even_sigmas(scheduler, num_inference_steps, compute_empirical_mu(image_len, num_inference_steps))


def default_sigmas(scheduler: FlowMatchEulerDiscreteScheduler, num_inference_steps: int) -> list[float]:
    """The same, from the scheduler's own first to its last level (Stable Diffusion 3)."""
    own = FlowMatchEulerDiscreteScheduler.from_config(scheduler.config)
    own.set_timesteps(num_inference_steps)
    return _ended(own)


def _even_sigmas(
    scheduler: FlowMatchEulerDiscreteScheduler, num_inference_steps: int, mu: float
) -> list[float]:
    own = FlowMatchEulerDiscreteScheduler.from_config(scheduler.config)
    levels = np.linspace(1.0, 1 / num_inference_steps, num_inference_steps)
    own.set_timesteps(sigmas=levels.tolist(), mu=mu if own.config.use_dynamic_shifting else None)
    return _ended(own)


def _ended(own: FlowMatchEulerDiscreteScheduler) -> list[float]:
    sigmas = [float(sigma) for sigma in own.sigmas]
    if not math.isclose(sigmas[-1], 0.0):
        raise ValueError("the scheduler does not end at noise level 0")
    return sigmas
