"""Inversions of real sources: what they cost, how well they undo themselves, how natural their latents are,
and what an edit beside them is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from toyland.score import statistics
from toyland.score.drawings import denoise_from
from toyland.score.figures import insertion_figures
from toyland.score.insertions import InsertionJob, to_made
from toyland.score.instruments import Instruments, profile_of
from toyland.score.ledger import Record, key_of
from toyland.score.made import make_once
from toyland.score.measures import squared_error
from toyland.score.measuring import Laboratory
from toyland.score.naturalness import implied_noise, moments
from toyland.score.statistics import Estimate
from toyland.score.tasks import source_sample
from workers.addit.codec import decode_picture
from workers.addit.config import AdditConfig, Inversion
from workers.addit.edits import Edit, source_key
from workers.addit.latents import LatentGrid, add_noise, draw_noise
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemory

PRESET = "paper-real"
WAYS: Mapping[str, tuple[Inversion, bool]] = {
    "noising": ("noising", False),
    "euler": ("euler", False),
    "euler, offset": ("euler", True),
    "midpoint": ("midpoint", False),
    "midpoint, offset": ("midpoint", True),
    "fixed_point": ("fixed_point", False),
}
"""Every inversion that is compared, and whether the target is given the offset."""


@dataclass(frozen=True)
class InversionJob:
    """One insertion whose source's path is looked at as well."""

    insertion: InsertionJob

    @property
    def key(self) -> str:
        """Of the insertion, and of what is measured beside it."""
        return key_of("inversion", self.insertion.key)

    def run(self, instruments: Instruments) -> Record:
        """The insertion's record; forwards of an edit whose source is new; the path's figures."""
        job, models = self.insertion, instruments.models
        task = job.task
        sample = source_sample(instruments.world, task.scene, task.index, task.count)
        edit = job.edit(instruments, sample)
        memories = models.new_memories()
        done = insert(models, edit, memories=memories)
        make_once(instruments.made, job.made_key, lambda: to_made(done))
        memory = memories.open(source_key(models, edit))
        path = path_figures(models, edit, memory, done.source)
        return job.run(instruments) | {"forwards": done.forwards.total} | path


@torch.inference_mode()
def path_figures(models: Models, edit: Edit, memory: SourceMemory, source: Picture) -> Record:
    """Of the path at the structure transfer: the implied noise's moments, and the squared error of going
    back down from there with the model's own Euler steps. source: (H, W, 3), decoded."""
    config, (height, width) = edit.config, source.shape[:2]
    grid = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)
    step = config.structure_transfer_step
    sigma = models.backbone.sigmas(config.num_inference_steps, grid.tokens)[step]
    x0 = memory.path[config.num_inference_steps]
    latents = latents_at(models, edit, memory, grid, sigma)
    prompt, guidance = edit.source.prompt, config.source_guidance_scale
    back = denoise_from(models, latents, prompt, grid, config.num_inference_steps, step, guidance)
    error = squared_error(decode_picture(models, back, grid), source)
    return {"reconstruction_error": error, **asdict(moments(implied_noise(latents, x0, sigma), grid))}


def latents_at(models: Models, edit: Edit, memory: SourceMemory, grid: LatentGrid, sigma: float) -> Tensor:
    """(1, L, C) of the source at the structure transfer: as inverted, or in closed form."""
    config = edit.config
    if config.inversion != "noising":
        return memory.path[config.structure_transfer_step]
    noise = draw_noise((edit.source.seed,), models.backbone.latent_channels, grid, element=0)
    return add_noise(memory.path[config.num_inference_steps], noise, sigma)


def measure_inversions(laboratory: Laboratory, scenes: int) -> dict[str, dict[str, list[float]]]:
    """Every way's figures, each as [value, low, high], over the same scenes."""
    base: AdditConfig = profile_of(laboratory.weights).presets[PRESET]
    tasks, versions = laboratory.insertions("trained", scenes), laboratory.versions
    jobs = {
        way: [
            InversionJob(
                InsertionJob(task, PRESET, replace(base, inversion=how, use_offset=offset), versions)
            )
            for task in tasks
        ]
        for way, (how, offset) in WAYS.items()
    }
    ledger = laboratory.measure([job for each in jobs.values() for job in each], "inversions")
    return {way: summary([ledger[job.key] for job in each]) for way, each in jobs.items()}


def summary(records: Sequence[Record]) -> dict[str, list[float]]:
    """Means and shares of all records, of which there is at least one."""
    figures = {figure.name: figure.estimate for figure in insertion_figures(records)}
    estimates: dict[str, Estimate] = {
        "reconstruction_psnr": statistics.decibels([record["reconstruction_error"] for record in records]),
        "noise_mean": statistics.mean([abs(record["mean"]) for record in records]),
        "noise_std": statistics.mean([record["std"] for record in records]),
        "noise_kurtosis": statistics.mean([record["kurtosis"] for record in records]),
        "noise_neighbours": statistics.mean([record["neighbours"] for record in records]),
        **{name: figures[name] for name in ("inclusion", "affordance", "background_psnr") if name in figures},
        "forwards": statistics.mean([record["forwards"] for record in records]),
    }
    return {name: to_list(estimate) for name, estimate in estimates.items()}


def to_list(estimate: Estimate) -> list[float]:
    """[value, low, high], rounded: for JSON."""
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]
