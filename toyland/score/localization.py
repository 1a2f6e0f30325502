"""Which localizer and which attention maps find the subject best, where the truth is known.

The world draws pictures with one thing and without it, and knows the thing's pixels. The drawn picture stands
in for a perfect target: it is noised to the first recorded step and denoised to the blend step beside the
empty one, as in an edit, and every localizer looks at the same maps and the same x0.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toyland.captions import insertion_prompts
from toyland.score import statistics
from toyland.score.instruments import Instruments, profile_of
from toyland.score.ledger import Record, key_of
from toyland.score.measures import iou
from toyland.score.measuring import Laboratory
from toyland.score.versions import Versions
from toyland.world import VALIDATION_SEED, Sample, World, label_of
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.config import AdditConfig
from workers.addit.denoise import denoise
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Located, Picture, locate, supported
from workers.addit.masks import resize
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemories, SourceMemory
from workers.addit.sources import SourcePath, SourceRun, noised
from workers.addit.subject_maps import SubjectRecorder, recorded_steps
from workers.addit.targets import Targets

Accumulate = Literal["columns", "reference"]
PRESET = "paper-real"
FIRST_SCENE = 1_000_000
"""Sample numbers from here on: no other set uses them."""
TRIES = 20
"""Samples looked at for one that shows its subject alone."""


@dataclass(frozen=True)
class Drawn:
    """A drawn picture with one thing, its words, and the seed of the noises."""

    sample: Sample
    source_prompt: str
    prompt: str
    subject: str
    seed: int

    @cached_property
    def truth(self) -> NDArray[np.bool_]:
        """(H, W): the thing's visible pixels."""
        return np.asarray(self.sample.masks[0])


@dataclass(frozen=True)
class Seen:
    """What the localizers are given at the blend step: (1, h, w) by way of accumulating, and the x0."""

    maps: dict[Accumulate, Tensor]
    picture: Picture


class BlendReached(Exception):
    """All that is wanted of a run; the steps after it are not computed."""


@dataclass(frozen=True)
class LocalizationJob:
    """Scene `number`: run once, located in every way."""

    number: int
    config: AdditConfig
    versions: Versions

    @property
    def key(self) -> str:
        """Of the maps and of all who look at them."""
        versions = self.versions
        models = versions.method, versions.pipeline, versions.segmenter, versions.detector, versions.pictures
        return key_of("localization", self.number, self.config, *models)

    def run(self, instruments: Instruments) -> Record:
        """Every mask's agreement with the truth."""
        drawn = draw_scene(instruments.world, self.number)
        seen = watch(instruments.models, self.config, drawn)
        return {"iou": dict(judge(instruments.models, drawn, seen))}


def draw_scene(world: World, number: int) -> Drawn:
    """Objects in turn; the first sample that shows its subject and nothing else. What is worn or held never
    stands alone: the next object's turn comes then."""
    for turn in range(number, number + len(world.objects)):
        name = world.objects[turn % len(world.objects)].name
        for index in range(FIRST_SCENE + number * TRIES, FIRST_SCENE + (number + 1) * TRIES):
            sample = world.draw(VALIDATION_SEED, index, count=1, subject=name, pairs="trained")
            if sample.objects == (name,) and sample.masks[0].any():
                prompts = insertion_prompts(label_of(sample.backdrop, ()), name, sample.placed[0].zone)
                return Drawn(sample, *prompts, name, index)
    raise ValueError(f"no sample from {FIRST_SCENE + number * TRIES} shows one thing alone")


@torch.inference_mode()
def watch(models: Models, config: AdditConfig, drawn: Drawn) -> Seen:
    """Run the recorded steps up to the blend."""
    picture, empty = (np.array(each) for each in (drawn.sample.picture, drawn.sample.empty))
    height, width = picture.shape[:2]
    grid = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)
    branches = Branches(models.backbone, grid)
    sigmas = models.backbone.sigmas(config.num_inference_steps, grid.tokens)
    channels = models.backbone.latent_channels
    source_noise, noise = (draw_noise((drawn.seed,), channels, grid, element) for element in (0, 1))
    tokens = models.backbone.subject_tokens(drawn.source_prompt, drawn.prompt, (drawn.subject,))
    seen: list[Seen] = []
    with models.backbone.exchange_processors():
        guidance = config.source_guidance_scale, config.guidance_scale
        source, target = models.backbone.encode_prompts((drawn.source_prompt, drawn.prompt), guidance)
        recorder = SubjectRecorder(models.recorded_layers, tokens, target.text_len)

        def stop(maps: Tensor, x0: Tensor) -> Sequence[tuple[Located, ...]]:
            steps = recorded_steps(config.blend_steps[0], config.structure_transfer_step)
            by_way = {way: recorder.maps(steps, grid, way) for way in get_args(Accumulate)}
            seen.append(Seen(by_way, decode_picture(models, x0, grid)))
            raise BlendReached

        plan, memory = (
            extension_plan(models.backbone, config),
            SourceMemory(SourceMemories([], models.device)),
        )
        run = SourceRun(branches, sigmas, source, memory, plan, lambda: None)
        path = noised(run, encode_picture(models, empty), source_noise)
        perfect: SourcePath = replace(path, x0=encode_picture(models, picture))
        with suppress(BlendReached):
            denoise(
                Targets(branches, perfect, target, sigmas, config, plan, recorder, stop, lambda: None), noise
            )
    return seen[0]


def judge(models: Models, drawn: Drawn, seen: Seen) -> Iterator[tuple[str, float]]:
    """Every localizer with every map it could read, and its mask's agreement with the truth."""
    search = models.search(drawn.subject)
    for localizer in supported(search):
        for way, maps in seen.maps.items():
            if localizer.startswith("attention") or way == "columns":
                ((located,),) = locate(localizer, maps, lambda row: seen.picture, [search])
                mask = resize(located.mask, *drawn.truth.shape).numpy() > 0.5
                name = f"{localizer} {way}" if localizer.startswith("attention") else localizer
                yield name, iou(mask, drawn.truth)


def measure_localization(laboratory: Laboratory, scenes: int) -> dict[str, dict[str, object]]:
    """By localizer and maps: IoU as [value, low, high] and scenes missed; for the attention's localizers with
    columns also how much better they are than with the reference's maps, scene by scene."""
    preset = profile_of(laboratory.weights).presets[PRESET]
    blend = preset.blend_steps[0]
    config = replace(preset, structure_transfer_step=recorded_steps(blend, 0)[0], blend_steps=(blend,))
    jobs = [LocalizationJob(number, config, laboratory.versions) for number in range(scenes)]
    ledger = laboratory.measure(jobs, "localization")
    return summary([ledger[job.key]["iou"] for job in jobs])


def summary(agreements: Sequence[dict[str, float]]) -> dict[str, dict[str, object]]:
    """Over all scenes."""
    values: dict[str, dict[str, object]] = {}
    for name in agreements[0]:
        found = [each[name] for each in agreements]
        values[name] = {"iou": _interval(found), "missed": found.count(0.0)}
        other = name.replace("columns", "reference")
        if other != name:
            gains = [each[name] - each[other] for each in agreements]
            values[name]["gain"] = _interval(gains)
            values[name]["wins"] = [sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)]
    return values


def _interval(values: Sequence[float]) -> list[float]:
    estimate = statistics.mean(values)
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]
