"""Where sources will be remembered, how many fit, and whether the memory and disk for it are there."""

from __future__ import annotations

from pathlib import Path
from shutil import disk_usage

import torch

from workers.addit.extension import extension_plan
from workers.addit.forward import Branches
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.choices import load_options
from workers.models.profiles import DEFAULT_PRESETS, ModelProfile
from workers.verify.environment import GIB, host_free
from workers.verify.steps import Found, StepFailed, Trial


def check_tiers(trial: Trial) -> Found:
    """Raises `NotRun`, `StepFailed` for a tier that is larger than what is free for it."""
    models, settings = trial.loaded(), trial.settings
    each = source_bytes(models, trial.profile)
    keeps = load_options(settings).memory.keeps_sources
    sizes = {
        "SOURCE_MEMORY_GIB": (settings.source_memory_gib if keeps else 0.0, _device_free(models)),
        "SOURCE_MEMORY_HOST_GIB": (settings.source_memory_host_gib, host_free()),
        "SOURCE_MEMORY_DISK_GIB": (
            settings.source_memory_disk_gib,
            _disk_free(settings.source_memory_folder),
        ),
    }
    table = [["setting", "GiB", "sources at least", "free there, GiB"]]
    table += [
        [f"ADDIT_{name}", f"{gib:g}", f"{int(gib * GIB / each)}", f"{free / GIB:.1f}"]
        for name, (gib, free) in sizes.items()
    ]
    values = {name.lower(): {"gib": gib, "free_bytes": free} for name, (gib, free) in sizes.items()}
    found = Found(
        f"a source takes at most {each / GIB:.2f} GiB", values | {"source_bytes": {"bytes": each}}, table
    )
    large = {name: free for name, (gib, free) in sizes.items() if gib * GIB > free}
    if large:
        fitting = ", ".join(f"ADDIT_{name}={max(free / GIB * 0.8, 0):.1f}" for name, free in large.items())
        raise StepFailed("more is to be remembered than there is room for", f"Set {fitting}.", found)
    return found


def source_bytes(models: Models, profile: ModelProfile) -> int:
    """Most that one source at the model's own size leaves behind, by the preset of pictures."""
    side, config = profile.native_side, profile.presets[DEFAULT_PRESETS["image"]]
    branches = Branches(models.backbone, LatentGrid.of_image(side, side, models.pipe.vae_scale_factor))
    channels = 4 * models.backbone.latent_channels
    latents = torch.empty(1, branches.grid.tokens, channels, device="meta")
    layers_at = extension_plan(models.backbone, config)
    lent = [layers for layers in map(layers_at, range(config.num_inference_steps)) if layers]
    return sum(branches.lent_bytes(latents, layers) for layers in lent)


def _device_free(models: Models) -> int:
    """Bytes beside the weights and the fullest moment so far (the canary and the largest batch that ran)."""
    if models.device.type != "cuda":
        return host_free()
    whole = torch.cuda.mem_get_info(models.device)[1]
    return whole - torch.cuda.max_memory_reserved(models.device)


def _disk_free(folder: str) -> int:
    path = Path(folder).absolute()
    return disk_usage(next(part for part in (path, *path.parents) if part.exists())).free
