"""One insertion, from words and a picture (or a prompt for one) to pictures and masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.blend_states import keep_blend, recall_blend
from workers.addit.blending import Blend
from workers.addit.codec import decode_picture, encode_picture, show_source
from workers.addit.denoise import denoise, replay
from workers.addit.edits import Edit, PictureSource, PromptSource, grid_of, source_key
from workers.addit.errors import UnsupportedOption
from workers.addit.extension import extension_plan
from workers.addit.finding import foreseer, locator
from workers.addit.forward import Branches, Recorder
from workers.addit.guesses import Guesses
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.models import Models
from workers.addit.placing import Prior, make_prior
from workers.addit.previews import OnX0
from workers.addit.progress import OnStep, Ticks, source_forwards, target_forwards
from workers.addit.results import Insertion, gather
from workers.addit.source_memory import SourceMemories, SourceMemory
from workers.addit.sources import INVERSIONS, SourcePath, SourceRun, generated, inverted, noised
from workers.addit.stage_clock import StageClock
from workers.addit.subject_bias import SubjectBias
from workers.addit.subject_maps import SubjectRecorder
from workers.addit.targets import Targets, Unwanted, all_wanted
from workers.addit.transfers import move


@torch.inference_mode()
def insert(
    models: Models,
    edit: Edit,
    on_step: OnStep = lambda stage, done, total: None,
    memories: SourceMemories | None = None,
    resume: Blend | None = None,
    watchers: tuple[Recorder, ...] = (),
    on_x0: OnX0 | None = None,
    keep_as: str = "",
    resume_of: str = "",
    unwanted: Unwanted = all_wanted,
) -> Insertion:
    """Add the subjects. Same seeds, settings and weights give the same pictures.

    memories: sources of earlier edits; what this one learns of its source is added
    resume: a blend of an earlier edit with the same source, prompt and subjects, and with the seeds that went
        on after it, to be done again with the localizer or mask of this one; only the steps after it are paid
    watchers: look on at the target's attention; on_x0: is shown its clean guess after every step
    keep_as: names the edit, whose first blend is then remembered with its source
    unwanted: asked before every step which seeds of the edit nobody wants any more: they leave the batch
    resume_of: an edit kept so: its blend is resumed where it is still remembered, else all is done again
    Raises `AdditError` for what the caller can mend; whatever `on_step` raises passes through, the models
    unharmed.
    """
    if resume is not None and len(resume.located) != len(edit.seeds):
        raise UnsupportedOption(f"{len(edit.seeds)} seeds, but a blend of {len(resume.located)}")
    memories = memories or models.new_memories()
    key = source_key(models, edit)
    aim = _aim(models, edit, grid_of(models, edit))
    encode = partial(memories.texts.encode, models.backbone, key)
    with memories.used(key, edit.source_name) as memory:
        resume = resume or recall_blend(memory, resume_of, edit.config, len(edit.seeds))
        return _insert(models, edit, aim, memory, encode, on_step, resume, watchers, on_x0, keep_as, unwanted)


Encode = Callable[[tuple[str, str], tuple[float, float]], Sequence[Conditioning]]
"""Of prompts and guidances: source's and target's."""


def _insert(
    models: Models,
    edit: Edit,
    aim: _Aim,
    memory: SourceMemory,
    encode: Encode,
    on_step: OnStep,
    resume: Blend | None,
    watchers: tuple[Recorder, ...],
    on_x0: OnX0 | None,
    keep_as: str,
    unwanted: Unwanted,
) -> Insertion:
    clock, config, grid = StageClock(), edit.config, grid_of(models, edit)
    backbone, branches = models.backbone, Branches(models.backbone, grid, pays=models.pays)
    known = bool(memory.path)
    ticks = Ticks(on_step, source_forwards(edit, memory), target_forwards(config, resume))
    with backbone.exchange_processors():
        with clock("encode"):
            guidance = (config.source_guidance_scale, config.guidance_scale)
            prompts = (edit.source.prompt, edit.prompt)
            source_cond, target_cond = encode(prompts, guidance)
        with clock("source"):
            sigmas = backbone.sigmas(config.num_inference_steps, grid.tokens)
            run = SourceRun(
                branches, sigmas, source_cond, memory, extension_plan(backbone, config), ticks.source
            )
            if not known:
                backbone.foresee(source_cond, sigmas)
            path = _source_path(models, edit, run)
            target_cond = backbone.shown(target_cond, path.x0)
            backbone.foresee(target_cond, sigmas)
        with clock("denoise"):
            targets = _targets(models, edit, aim, run, path, target_cond, clock)
            targets = replace(
                targets,
                tick=ticks.denoise,
                watchers=watchers,
                on_x0=on_x0,
                unwanted=partial(_rows_of, edit.seeds, unwanted),
            )
            noise = _noise(models, edit.seeds, grid, element=1)
            done = denoise(targets, noise) if resume is None else replay(targets, resume)
            if edit.mask is None or resume is not None:  # nobody looked at attention for a mask that is given
                keep_blend(memory, keep_as, done.blends)
    with clock("decode"):
        pictures = tuple(decode_picture(models, row[None], grid) for row in done.latents)
        source = show_source(models, memory, path.x0, grid)
    made = gather(edit, done, pictures, source, branches, clock, known, memory.nbytes)
    return replace(made, resumed=resume is not None)


def _rows_of(seeds: tuple[int, ...], unwanted: Unwanted, step: int) -> set[int]:
    """The rows of unwanted seeds."""
    gone = unwanted(step)
    return {row for row, seed in enumerate(seeds) if seed in gone}


@dataclass(frozen=True)
class _Aim:
    """The subjects: of each the indices of its tokens in the prompt; and where they shall be."""

    tokens: tuple[tuple[int, ...], ...]
    prior: Prior | None


def _aim(models: Models, edit: Edit, grid: LatentGrid) -> _Aim:
    tokens = models.backbone.subject_tokens(edit.source.prompt, edit.prompt, edit.subjects)
    return _Aim(tuple(tokens), _prior(models, edit, grid))


def _targets(
    models: Models,
    edit: Edit,
    aim: _Aim,
    run: SourceRun,
    path: SourcePath,
    cond: Conditioning,
    clock: StageClock,
) -> Targets:
    config, shift, guesses = edit.config, edit.config.source_shift, Guesses(models, run.branches.grid)
    recorder = SubjectRecorder(models.recorded_layers, aim.tokens, cond.text_len)
    return Targets(
        run.branches,
        _start(models, edit, path),
        cond,
        run.sigmas,
        config,
        run.layers_at,
        recorder if edit.mask is None else None,
        locator(models, edit, path, guesses, clock, aim.prior),
        foresee=foreseer(models, edit, guesses, clock),
        shift=models.backbone.rotary_shift(*shift) if any(shift) else None,
        bias=_subject_bias(models, aim, config.placing_strength, cond.text_len),
    )


def _prior(models: Models, edit: Edit, grid: LatentGrid) -> Prior | None:
    if edit.placing is None:
        return None
    side = models.size_multiple
    return make_prior(edit.placing, grid.height * side, grid.width * side, grid)


def _subject_bias(models: Models, aim: _Aim, strength: float, text_len: int) -> SubjectBias | None:
    if aim.prior is None or not strength:
        return None
    every = tuple(token for subject in aim.tokens for token in subject)
    return SubjectBias((strength * aim.prior.lift.flatten()).to(models.device), every, text_len)


def _noise(models: Models, seeds: tuple[int, ...], grid: LatentGrid, element: int) -> Tensor:
    return move(draw_noise(seeds, models.backbone.latent_channels, grid, element), models.device)


def _source_path(models: Models, edit: Edit, run: SourceRun) -> SourcePath:
    noise = _noise(models, (edit.source.seed,), run.branches.grid, element=0)
    if isinstance(edit.source, PromptSource):
        return generated(run, noise)
    if run.clean not in run.memory.path:
        run.note(run.clean, _clean_latents(models, edit.source))
    x0 = run.known(run.clean)
    if edit.config.inversion == "noising":
        return noised(run, x0, noise)
    return inverted(run, x0, INVERSIONS[edit.config.inversion], edit.config.structure_transfer_step)


def _clean_latents(models: Models, source: PictureSource) -> Tensor:
    return encode_picture(models, source.picture) if source.latents is None else source.latents


def _start(models: Models, edit: Edit, path: SourcePath) -> SourcePath:
    """The source's path, from whose `x0` the target starts: the draft's where there is one."""
    draft = edit.source.draft if isinstance(edit.source, PictureSource) else None
    return path if draft is None else replace(path, x0=encode_picture(models, draft))
