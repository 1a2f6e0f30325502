"""`python -m bench.localization [--scenes N]`: which localizer and attention maps find the subject best.

The world draws pictures with one thing and without it, and knows the thing's pixels. The drawn picture stands
in for a perfect target: it is noised to the first recorded step and denoised to the blend step beside the
empty one, as in an edit, and every localizer looks at the same maps and the same x0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Literal, get_args

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from bench.figures import Figures, publish
from toyland.__main__ import CACHE
from toyland.captions import insertion_prompts
from toyland.score.measures import iou
from toyland.workshop import Workshop
from toyland.world import VALIDATION_SEED, Sample, World, label_of
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.config import AdditConfig
from workers.addit.denoise import Targets, denoise
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Located, Picture, locate, supported
from workers.addit.masks import resize
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemories, SourceMemory
from workers.addit.sources import SourcePath, SourceRun, noised
from workers.addit.subject_maps import SubjectRecorder, recorded_steps
from workers.models.loading import load
from workers.models.profiles import embedded_profile

Accumulate = Literal["columns", "reference"]
FIRST_SCENE = 1_000_000
"""Sample numbers from here on: no other set uses them."""


@dataclass(frozen=True)
class Scene:
    """A drawn picture with one thing, its words, and the truth: mask (H, W) of the thing's visible pixels."""

    sample: Sample
    source_prompt: str
    prompt: str
    subject: str
    seed: int

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(H, W)."""
        return np.asarray(self.sample.masks[0])


@dataclass(frozen=True)
class Seen:
    """What the localizers are given at the blend step: (1, h, w) by way of accumulating, and the x0."""

    maps: dict[Accumulate, Tensor]
    picture: Picture


class BlendReached(Exception):
    """All that is wanted of a run; the steps after it are not computed."""


def draw_scenes(world: World, count: int) -> Iterator[Scene]:
    """`count` scenes, objects in turn."""
    found, index = 0, FIRST_SCENE
    while found < count:
        name = world.objects[index % len(world.objects)].name
        sample = world.draw(VALIDATION_SEED, index, count=1, subject=name, pairs="trained")
        if sample.objects == (name,) and sample.masks[0].any():
            prompts = insertion_prompts(label_of(sample.backdrop, ()), name, sample.placed[0].zone)
            yield Scene(sample, *prompts, name, index)
            found += 1
        index += 1


@torch.inference_mode()
def watch(models: Models, config: AdditConfig, scene: Scene) -> Seen:
    """Run the recorded steps up to the blend."""
    picture, empty = (np.array(each) for each in (scene.sample.picture, scene.sample.empty))
    height, width = picture.shape[:2]
    grid = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)
    branches = Branches(models.backbone, grid)
    sigmas = models.backbone.sigmas(config.num_inference_steps, grid.tokens)
    channels = models.backbone.latent_channels
    source_noise, noise = (draw_noise((scene.seed,), channels, grid, element) for element in (0, 1))
    tokens = models.backbone.subject_tokens(scene.source_prompt, scene.prompt, (scene.subject,))
    seen: list[Seen] = []
    with models.backbone.exchange_processors():
        guidance = config.source_guidance_scale, config.guidance_scale
        source, target = models.backbone.encode_prompts((scene.source_prompt, scene.prompt), guidance)
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


def judge(models: Models, scene: Scene, seen: Seen) -> Iterator[tuple[str, float]]:
    """Every localizer with every map it could read, and its mask's agreement with the truth."""
    search = models.search(scene.subject)
    for localizer in supported(search):
        for way, maps in seen.maps.items():
            if localizer.startswith("attention") or way == "columns":
                ((located,),) = locate(localizer, maps, lambda row: seen.picture, [search])
                mask = resize(located.mask, *scene.truth.shape).numpy() > 0.5
                name = f"{localizer} {way}" if localizer.startswith("attention") else localizer
                yield name, iou(mask, scene.truth)


def measure(scenes: int) -> Figures:
    """Mean agreement over so many scenes."""
    profile = embedded_profile()
    models, preset = load(profile), profile.presets["paper-real"]
    blend = preset.blend_steps[0]
    config = replace(preset, structure_transfer_step=recorded_steps(blend, 0)[0], blend_steps=(blend,))
    agreements = defaultdict[str, list[float]](list)
    for scene in draw_scenes(Workshop(CACHE, count=0).world, scenes):
        for name, agreement in judge(models, scene, watch(models, config, scene)):
            agreements[name].append(agreement)
    values = {
        name: {"iou": mean(each), "standard_error": _standard_error(each), "missed": each.count(0.0)}
        for name, each in agreements.items()
    }
    rows = [
        [name, f"{each['iou']:.3f} ± {each['standard_error']:.3f}", f"{each['missed']}"]
        for name, each in sorted(values.items(), key=lambda item: -item[1]["iou"])
    ]
    title = f"Mask against the drawn thing, {scenes} scenes"
    return Figures(title, ["localizer, maps", "mean IoU ± s.e.", "missed"], rows, values)


def _standard_error(values: Sequence[float]) -> float:
    return float(stdev(values) / len(values) ** 0.5) if len(values) > 1 else 0.0


def main(
    scenes: Annotated[int, typer.Option(help="How many are drawn.")] = 200,
    file: Annotated[Path, typer.Option("--json", help="Where the values go.")] = Path(
        "bench-results/localization.json"
    ),
) -> None:
    """Measure, print the table, write the values."""
    publish("localization", measure(scenes), file)


if __name__ == "__main__":
    typer.run(main)
