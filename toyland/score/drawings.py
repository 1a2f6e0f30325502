"""Text to image: whether what a sentence names is there, and where it may be."""

from dataclasses import dataclass

import torch
from torch import Tensor

from toyland.score.instruments import Instruments
from toyland.score.ledger import Record, key_of
from toyland.score.made import Made, make_once
from toyland.score.places import boxes_of
from toyland.score.tasks import DrawingTask
from toyland.score.versions import Versions
from workers.addit.codec import decode_picture
from workers.addit.config import PUBLISHED_STEPS
from workers.addit.forward import Branches
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemories, SourceMemory
from workers.addit.sources import SourceRun, generated

GUIDANCE = 3.5
STEPS = PUBLISHED_STEPS


@dataclass(frozen=True)
class DrawingJob:
    """One sentence drawn once and judged."""

    task: DrawingTask
    versions: Versions

    @property
    def made_key(self) -> str:
        """Of the picture alone."""
        return key_of(self.task, GUIDANCE, STEPS, self.versions.method, self.versions.pipeline)

    @property
    def key(self) -> str:
        """Of the picture and its judges."""
        return key_of(self.made_key, self.versions.detector, self.versions.pictures, self.versions.places)

    def run(self, instruments: Instruments) -> Record:
        """Which named things are there; how sure that is of the subject, and whether its place is right."""
        task = self.task
        picture = make_once(instruments.made, self.made_key, lambda: self._make(instruments)).picture
        found = instruments.detector.detect(picture)
        scores = [thing.score for thing in found if thing.name == task.subject]
        boxes = boxes_of(found, task.subject, picture)
        verdict = instruments.library.judge(picture, task.scene, found, task.subject, boxes)
        return {
            "present": {name: any(thing.name == name for thing in found) for name in task.names},
            "score": max(scores, default=0.0),
            "holds": verdict.holds,
            "supports": verdict.supports,
        }

    def _make(self, instruments: Instruments) -> Made:
        return Made(draw(instruments.models, self.task.caption, self.task.seed, instruments.side))


def draw(models: Models, prompt: str, seed: int, side: int, steps: int = STEPS) -> Picture:
    """A picture (side, side, 3) of the prompt: the way a generated source of an edit is made."""
    grid = LatentGrid.of_image(side, side, models.pipe.vae_scale_factor)
    noise = draw_noise((seed,), models.backbone.latent_channels, grid, element=0)
    return decode_picture(models, denoise_from(models, noise, prompt, grid, steps, first=0), grid)


@torch.inference_mode()
def denoise_from(
    models: Models,
    latents: Tensor,
    prompt: str,
    grid: LatentGrid,
    steps: int,
    first: int,
    guidance: float = GUIDANCE,
) -> Tensor:
    """(1, L, C) clean tokens from those at the noise level of step `first`, towards the prompt."""
    sigmas = models.backbone.sigmas(steps, grid.tokens)[first:]
    conditioning = models.backbone.encode_prompts([prompt], [guidance])[0]
    branches = Branches(models.backbone, grid)
    memory = SourceMemory(SourceMemories([], models.device))
    run = SourceRun(branches, sigmas, conditioning, memory, lambda step: frozenset(), lambda: None)
    with models.backbone.exchange_processors():
        return generated(run, latents).x0
