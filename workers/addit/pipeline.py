"""One insertion, from words and a picture (or a prompt for one) to pictures and masks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from workers.addit.blend_states import keep_blend, recall_blend
from workers.addit.blending import Blend
from workers.addit.codec import decode_picture, encode_picture, show_source
from workers.addit.config import AdditConfig
from workers.addit.denoise import Denoised, denoise, replay
from workers.addit.dropping import Foresee
from workers.addit.errors import AdditError, UnsupportedOption
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches, ForwardCount, Recorder
from workers.addit.guesses import Guesses
from workers.addit.instances import may_show
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import (
    BOXED,
    Located,
    Picture,
    Search,
    check_supported,
    find_instances,
    given_to_each,
    locate,
)
from workers.addit.masks import resize
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.placing import Placing, Prior, make_prior
from workers.addit.previews import OnX0
from workers.addit.source_memory import SourceKey, SourceMemories, SourceMemory
from workers.addit.sources import EVALUATIONS, INVERSIONS, SourcePath, SourceRun, generated, inverted, noised
from workers.addit.stage_clock import StageClock
from workers.addit.subject_bias import SubjectBias
from workers.addit.subject_maps import SubjectRecorder
from workers.addit.targets import Targets
from workers.addit.verdicts import Verdict, foresee, judge_whole, seen_there
from workers.addit.weights import Weight

OnStep = Callable[[str, int, int], None]
"""Called with (stage, forwards done, forwards in all) after every step of source or target; may raise to
cancel."""


@dataclass(frozen=True)
class PictureSource:
    """A real source: (H, W, 3) pixels at a size the model works on, what it shows, and the seed of its
    noise.

    latents: (1, L, C), its clean tokens where an earlier edit made them: not encoded again
    draft: the same picture with the subject roughly in it, whose structure the target starts from instead
    """

    picture: Picture
    prompt: str
    seed: int = 0
    latents: Tensor | None = None
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
    """What is wanted: `subjects`, in the words of `prompt`, added to `source` together, once per seed.

    subjects: one or more, each an occurrence of its own; of a thing that the source's prompt names already
        the one that `prompt` names beside it
    owner: whose source it is; another owner's edits never find it remembered
    source_name: what its memory is forgotten by
    mask: (H, W) or of the latent grid, boolean: where the subjects are to be kept, in place of any localizer
    placing: where the subjects shall be found, in pixels of the source
    """

    source: PictureSource | PromptSource
    prompt: str
    subjects: tuple[str, ...]
    seeds: tuple[int, ...]
    config: AdditConfig
    owner: str = ""
    source_name: str = ""
    mask: Tensor | None = None
    placing: Placing | None = None


@dataclass(frozen=True)
class Insertion:
    """What came out.

    seeds: those that were finished, in their order; all that is said per seed is said of these
    dropped: the other seeds, with why they were not
    pictures: (H, W, 3) per seed; latents: (B, L, C), their clean tokens
    source: the source through the autoencoder, what the unchanged parts look like
    located: where the subjects are, per seed one of each; None without a blend
    cells: (B, h, w), 1 where the target's latents were kept
    source_error: how badly the model predicts this source (see `Denoised`); None for all but noised pictures
    gammas: the weight on the target's keys per seed where it is a number, else None
    blends: what `insert` needs to blend again with another mask
    source_known: whether the source was remembered from an earlier edit
    source_bytes: of its keys and values, remembered now
    resumed: whether it went on from a blend in place of starting anew
    """

    seeds: tuple[int, ...]
    dropped: Mapping[int, Verdict]
    pictures: tuple[Picture, ...]
    latents: Tensor
    source: Picture
    located: tuple[tuple[Located, ...], ...] | None
    cells: Tensor | None
    forwards: ForwardCount
    seconds: dict[str, float]
    source_error: float | None
    gammas: tuple[float, ...] | None
    blends: tuple[Blend, ...]
    source_known: bool
    source_bytes: int
    resumed: bool = False


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
) -> Insertion:
    """Add the subjects. Same seeds, settings and weights give the same pictures.

    memories: sources of earlier edits; what this one learns of its source is added
    resume: a blend of an earlier edit with the same source, prompt and subjects, and with the seeds that went
        on after it, to be done again with the localizer or mask of this one; only the steps after it are paid
    watchers: look on at the target's attention; on_x0: is shown its clean guess after every step
    keep_as: names the edit, whose first blend is then remembered with its source
    resume_of: an edit kept so: its blend is resumed where it is still remembered, else all is done again
    Raises `AdditError` for what the caller can mend; whatever `on_step` raises passes through, the models
    unharmed.
    """
    if resume is not None and len(resume.located) != len(edit.seeds):
        raise UnsupportedOption(f"{len(edit.seeds)} seeds, but a blend of {len(resume.located)}")
    clock, config, grid = StageClock(), edit.config, _grid(models, edit)
    backbone = models.backbone
    tokens = backbone.subject_tokens(edit.source.prompt, edit.prompt, edit.subjects)
    prior = _prior(models, edit, grid)
    shift = backbone.rotary_shift(*config.source_shift) if any(config.source_shift) else None
    memories = memories or SourceMemories([DeviceTier(models.source_memory_bytes)], models.device)
    key = source_key(models, edit)
    memory = memories.open(key, edit.source_name)
    known = bool(memory.path)
    resume = resume or recall_blend(memory, resume_of, config, len(edit.seeds))
    branches = Branches(backbone, grid)
    ticks = _Ticks(on_step, _source_forwards(edit, memory), _target_forwards(config, resume))
    with backbone.exchange_processors():
        with clock("encode"):
            guidance = (config.source_guidance_scale, config.guidance_scale)
            prompts = (edit.source.prompt, edit.prompt)
            source_cond, target_cond = memories.texts.encode(backbone, key, prompts, guidance)
        with clock("source"):
            sigmas = backbone.sigmas(config.num_inference_steps, grid.tokens)
            layers_at = extension_plan(backbone, config)
            run = SourceRun(branches, sigmas, source_cond, memory, layers_at, ticks.source)
            path = _source_path(models, edit, run)
            target_cond = backbone.shown(target_cond, path.x0)
        with clock("denoise"):
            recorder = None
            if edit.mask is None:
                recorder = SubjectRecorder(models.recorded_layers, tokens, target_cond.text_len)
            guesses = Guesses(models, grid)
            find = _locator(models, edit, path, guesses, clock, prior)
            targets = Targets(
                branches,
                _start(models, edit, path),
                target_cond,
                sigmas,
                config,
                layers_at,
                recorder,
                find,
                ticks.denoise,
                watchers,
                _foreseer(models, edit, guesses, clock),
                on_x0,
                shift,
                _subject_bias(models, prior, config.placing_strength, tokens, target_cond.text_len),
            )
            noise = _noise(models, edit.seeds, grid, element=1)
            done = denoise(targets, noise) if resume is None else replay(targets, resume)
            if edit.mask is None or resume is not None:  # nobody looked at attention for a mask that is given
                keep_blend(memory, keep_as, done.blends)
    with clock("decode"):
        pictures = tuple(decode_picture(models, row[None], grid) for row in done.latents)
        source = show_source(models, memory, path.x0, grid)
    made = _insertion(edit, done, pictures, source, branches, clock, known, memory.nbytes)
    return replace(made, resumed=resume is not None)


def source_key(models: Models, edit: Edit) -> SourceKey:
    """What the passes of an edit's source depend on."""
    source, config, grid = edit.source, edit.config, _grid(models, edit)
    real = isinstance(source, PictureSource)
    return SourceKey(
        owner=edit.owner,
        model=models.identity,
        picture=_digest(source) if isinstance(source, PictureSource) else "",
        prompt=source.prompt,
        seed=source.seed,
        path=config.inversion if real else "generated",
        guidance=config.source_guidance_scale,
        steps=config.num_inference_steps,
        size=(grid.height, grid.width),
    )


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


def _prior(models: Models, edit: Edit, grid: LatentGrid) -> Prior | None:
    if edit.placing is None:
        return None
    side = models.size_multiple
    return make_prior(edit.placing, grid.height * side, grid.width * side, grid)


def _subject_bias(
    models: Models, prior: Prior | None, strength: float, tokens: Sequence[tuple[int, ...]], text_len: int
) -> SubjectBias | None:
    if prior is None or not strength:
        return None
    every = tuple(token for subject in tokens for token in subject)
    return SubjectBias((strength * prior.lift.flatten()).to(models.device), every, text_len)


def _noise(models: Models, seeds: tuple[int, ...], grid: LatentGrid, element: int) -> Tensor:
    return draw_noise(seeds, models.backbone.latent_channels, grid, element).to(models.device)


def _digest(source: PictureSource) -> str:
    """Of what the source's clean latents come from."""
    pixels = hashlib.sha256(source.picture.tobytes())
    if source.latents is not None:
        pixels.update(source.latents.cpu().numpy().tobytes())
    return pixels.hexdigest()


def _source_forwards(edit: Edit, memory: SourceMemory) -> int:
    """How many passes the source's path still needs."""
    steps = edit.config.num_inference_steps
    if isinstance(edit.source, PromptSource):
        return steps + 1 - max(1, len(memory.path))
    evaluations = EVALUATIONS[edit.config.inversion]
    lowest = min(memory.path, default=steps)
    first_midpoint = edit.config.inversion == "midpoint" and memory.carried is None
    return evaluations * max(0, lowest - edit.config.structure_transfer_step) + first_midpoint


def _target_forwards(config: AdditConfig, resume: Blend | None) -> int:
    return config.num_inference_steps - (
        config.structure_transfer_step if resume is None else resume.step + 1
    )


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


def _locator(
    models: Models, edit: Edit, path: SourcePath, guesses: Guesses, clock: StageClock, prior: Prior | None
) -> Callable[[Tensor, Tensor], list[tuple[Located, ...]]]:
    localizer = edit.config.localizer
    if edit.config.blend_steps and edit.mask is None:
        check_supported(localizer, models.search(edit.subjects[0]))

    @cache
    def searched(subject: str) -> Search:
        """With the things of the subject's kind in the source, looked for once."""
        search = replace(models.search(subject), prior=prior)
        if localizer not in BOXED and not may_show(edit.source.prompt, subject):
            return search
        shown = show_source(models, path.memory, path.x0, guesses.grid)
        return replace(search, already=find_instances(shown, search))

    def find(maps: Tensor, x0: Tensor) -> list[tuple[Located, ...]]:
        with clock("localize"):
            if edit.mask is not None:
                return given_to_each(edit.mask, maps, len(edit.subjects))
            searches = [searched(subject) for subject in edit.subjects]
            return locate(localizer, maps, partial(guesses, x0), searches)

    return find


def _foreseer(models: Models, edit: Edit, guesses: Guesses, clock: StageClock) -> Foresee:
    """With a look at the clean guesses where there is a detector; one that does not open has no say."""

    def seen(x0: Tensor, row: int, subject: str, located: Located) -> float | None:
        if models.detector is None or located.missing is not None:
            return None
        with suppress(AdditError):
            picture = guesses(x0, row)
            inside = resize(located.mask, *picture.shape[:2]) > 0.5
            return seen_there(models.detector(picture, subject), inside)
        return None

    def foresee_row(x0: Tensor, row: int, found: tuple[Located, ...]) -> Verdict:
        named = list(zip(edit.subjects, found, strict=True))
        each = [foresee(one, seen(x0, row, subject, one)) for subject, one in named]
        return judge_whole(edit.subjects, each)

    def foresee_rows(x0: Tensor, located: Sequence[tuple[Located, ...]]) -> list[Verdict]:
        with clock("localize"):
            return [foresee_row(x0, row, found) for row, found in enumerate(located)]

    return foresee_rows


def _insertion(
    edit: Edit,
    done: Denoised,
    pictures: tuple[Picture, ...],
    source: Picture,
    branches: Branches,
    clock: StageClock,
    known: bool,
    source_bytes: int,
) -> Insertion:
    last, grid = done.blends[-1] if done.blends else None, branches.grid
    return Insertion(
        seeds=tuple(seed for row, seed in enumerate(edit.seeds) if row not in done.dropped),
        dropped={edit.seeds[row]: verdict for row, verdict in done.dropped.items()},
        pictures=pictures,
        latents=done.latents,
        source=source,
        located=last.located if last else None,
        cells=last.keep.reshape(-1, grid.height, grid.width) if last else None,
        forwards=branches.count,
        seconds=clock.seconds,
        source_error=done.source_error,
        gammas=_gammas(done.scale, len(pictures)),
        blends=done.blends,
        source_known=known,
        source_bytes=source_bytes,
    )


def _gammas(scale: Weight | Tensor, rows: int) -> tuple[float, ...] | None:
    if isinstance(scale, Tensor):
        return tuple(scale.flatten().tolist())
    return None if isinstance(scale, tuple) else (scale,) * rows
