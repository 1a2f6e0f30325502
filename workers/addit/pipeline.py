"""One insertion, from words and a picture (or a prompt for one) to pictures and masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.addit.codec import decode_picture, encode_picture, encode_prompts
from workers.addit.config import AdditConfig
from workers.addit.denoise import Denoised, denoise
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches, Conditioning, ForwardCount
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Located, Picture, locate
from workers.addit.models import Models
from workers.addit.processor import exchange_processors
from workers.addit.schedule import make_sigmas
from workers.addit.source_memory import SourceMemory
from workers.addit.sources import LayersAt, SourcePath, Tick, generated, inverted, noised
from workers.addit.stage_clock import StageClock
from workers.addit.subject_maps import SubjectRecorder
from workers.addit.subject_tokens import find_subject

OnStep = Callable[[str, int, int], None]
"""Called with (stage, forwards done, forwards in all) after every step of source or target; may raise to
cancel."""


@dataclass(frozen=True)
class PictureSource:
    """A real source: (H, W, 3) pixels at a size the model works on, what it shows, and the seed of its
    noise.

    draft: the same picture with the subject roughly in it, whose structure the target starts from instead
    """

    picture: Picture
    prompt: str
    seed: int = 0
    draft: Picture | None = None


@dataclass(frozen=True)
class PromptSource:
    """A source the model makes first, `height` x `width` pixels."""

    prompt: str
    seed: int
    height: int
    width: int


@dataclass(frozen=True)
class Edit:
    """What is wanted: `subject`, in the words of `prompt`, added to `source`, once per seed."""

    source: PictureSource | PromptSource
    prompt: str
    subject: str
    seeds: tuple[int, ...]
    config: AdditConfig


@dataclass(frozen=True)
class Insertion:
    """What came out.

    pictures: (H, W, 3) per seed; source: the source through the autoencoder, what the unchanged parts look
    like
    located: where the subject is, per seed; None without a blend
    cells: (B, h, w), 1 where the target's latents were kept
    source_error: how badly the model predicts this source (see `Denoised`); None for all but noised pictures
    """

    pictures: tuple[Picture, ...]
    source: Picture
    located: tuple[Located, ...] | None
    cells: Tensor | None
    forwards: ForwardCount
    seconds: dict[str, float]
    source_error: float | None


@torch.inference_mode()
def insert(models: Models, edit: Edit, on_step: OnStep = lambda stage, done, total: None) -> Insertion:
    """Add the subject. Same seeds, settings and weights give the same pictures.

    Raises `AdditError` for what the caller can mend; whatever `on_step` raises passes through, the models
    unharmed.
    """
    clock, config, grid = StageClock(), edit.config, _grid(models, edit)
    tokens = find_subject(models.pipe.tokenizer_2, edit.prompt, edit.subject, models.text_len)
    sigmas = make_sigmas(models.pipe.scheduler, config.num_inference_steps, grid.tokens)
    layers_at = extension_plan(models.pipe.transformer, config)
    branches = Branches(models.pipe.transformer, grid)
    ticks = _Ticks(
        on_step, _source_forwards(edit), config.num_inference_steps - config.structure_transfer_step
    )
    with exchange_processors(models.pipe.transformer):
        with clock("encode"):
            guidance = (config.source_guidance_scale, config.guidance_scale)
            source_cond, target_cond = encode_prompts(models, (edit.source.prompt, edit.prompt), guidance)
        with clock("source"):
            path = _source_path(models, edit, branches, sigmas, source_cond, layers_at, ticks.source)
        with clock("denoise"):
            recorder = SubjectRecorder(models.recorded_layers, tokens, target_cond.text_len)
            noise = _noise(models, edit.seeds, grid, element=1)
            find = _locator(models, config, grid, clock)
            done = denoise(
                branches,
                _start(models, edit, path),
                target_cond,
                noise,
                sigmas,
                config,
                layers_at,
                recorder,
                find,
                ticks.denoise,
            )
    with clock("decode"):
        pictures = tuple(decode_picture(models, row[None], grid) for row in done.latents)
        source = decode_picture(models, path.x0, grid)
    return _insertion(done, pictures, source, grid, branches.count, clock)


@dataclass
class _Ticks:
    """Counts the steps of both branches as one progress."""

    on_step: OnStep
    source_steps: int
    target_steps: int
    done: int = 0

    def source(self) -> None:
        self._tick("source")

    def denoise(self) -> None:
        self._tick("denoise")

    def _tick(self, stage: str) -> None:
        self.done += 1
        self.on_step(stage, self.done, self.source_steps + self.target_steps)


def _grid(models: Models, edit: Edit) -> LatentGrid:
    source = edit.source
    if isinstance(source, PromptSource):
        return LatentGrid.of_image(source.height, source.width, models.pipe.vae_scale_factor)
    height, width = source.picture.shape[:2]
    return LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)


def _noise(models: Models, seeds: tuple[int, ...], grid: LatentGrid, element: int) -> Tensor:
    channels = models.pipe.vae.config.latent_channels
    return draw_noise(seeds, channels, grid, element).to(models.device)


def _source_forwards(edit: Edit) -> int:
    config = edit.config
    if isinstance(edit.source, PromptSource):
        return config.num_inference_steps
    return (
        0
        if config.inversion == "noising"
        else 2 * (config.num_inference_steps - config.structure_transfer_step)
    )


def _source_path(
    models: Models,
    edit: Edit,
    branches: Branches,
    sigmas: list[float],
    cond: Conditioning,
    layers_at: LayersAt,
    tick: Tick,
) -> SourcePath:
    memory = SourceMemory(models.source_memory_bytes)
    noise = _noise(models, (edit.source.seed,), branches.grid, element=0)
    if isinstance(edit.source, PromptSource):
        return generated(branches, noise, sigmas, cond, memory, layers_at, tick)
    x0 = encode_picture(models, edit.source.picture)
    if edit.config.inversion == "noising":
        return noised(x0, noise, sigmas, cond, memory)
    return inverted(branches, x0, sigmas, cond, memory, layers_at, tick, edit.config.structure_transfer_step)


def _start(models: Models, edit: Edit, path: SourcePath) -> SourcePath:
    """The source's path, from whose `x0` the target starts: the draft's where there is one."""
    draft = edit.source.draft if isinstance(edit.source, PictureSource) else None
    return path if draft is None else replace(path, x0=encode_picture(models, draft))


def _locator(
    models: Models, config: AdditConfig, grid: LatentGrid, clock: StageClock
) -> Callable[[Tensor, Tensor], list[Located]]:
    def find(maps: Tensor, x0: Tensor) -> list[Located]:
        def picture_of(row: int) -> Picture:
            return decode_picture(models, x0[row : row + 1], grid)

        with clock("localize"):
            return locate(config.localizer, maps, picture_of, models.segmenter)

    return find


def _insertion(
    done: Denoised,
    pictures: tuple[Picture, ...],
    source: Picture,
    grid: LatentGrid,
    count: ForwardCount,
    clock: StageClock,
) -> Insertion:
    last = done.blends[-1] if done.blends else None
    cells = last.keep.reshape(-1, grid.height, grid.width) if last else None
    return Insertion(
        pictures, source, last.located if last else None, cells, count, clock.seconds, done.source_error
    )
