"""The production `Runner`: an API request through `workers.addit.insert`, and its pictures back at the
caller's size."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from api_schemas.insertions import GeneratedSource, InsertionRequest, Mode, kind_of
from api_schemas.jobs import Cost, DroppedSeed, Timings
from api_schemas.models import ModelCard
from api_schemas.subjects import as_tuple
from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse
from runtime.settings import Settings
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.errors import AdditError, UnsupportedOption
from workers.addit.late_cache import CacheConfig, block_cache, first_cached_step, late_cache
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.previews import OnX0
from workers.addit.progress import OnStep as OnForward
from workers.addit.results import Insertion
from workers.addit.source_memory import SourceMemories
from workers.addit.verdicts import judge_whole
from workers.areas import to_placing
from workers.chaining import continuing, told_of_encoding, with_latents
from workers.choices import load_options
from workers.closeups import CloseUp, look_closer
from workers.completing import complete, texts_of, with_inferred
from workers.compositing import box_of, working_size
from workers.crops import Served, crop_around, is_large, is_worthwhile
from workers.dropping import left, told, until
from workers.found import ranked, subject_masks, united
from workers.judging import judge_each
from workers.memory import memory_tiers, use_of
from workers.model_card import make_card
from workers.models.batch_costs import BatchCosts, Bench
from workers.models.canary import check_fingerprint
from workers.models.device_memory import device_memory
from workers.models.loading import load
from workers.models.loras import Loras, load_loras
from workers.models.profiles import DEFAULT_PRESETS, ModelProfile, find_profile
from workers.options import apply
from workers.previewing import previewer
from workers.remasking import resumable, with_blend, with_mask
from workers.rendering import render, render_closer
from workers.result_warnings import out_of_domain, upscaled, with_missing
from workers.retrying import with_retries
from workers.runner import (
    ALONE,
    NO_MASKS,
    DroppedSeeds,
    Masks,
    OnPreview,
    OnStep,
    Place,
    RunError,
    RunOutput,
    Sharing,
    no_preview,
    none_dropped,
)
from workers.sharing import PassSharing
from workers.step_reports import on_step_at, ticker

LAST_PERCENT = 99.0
"""Of a job that is trying again."""


def load_runner(settings: Settings) -> AdditRunner:
    """Load the model that the settings name. Its canary warms it up and proves it.

    Raises `workers.models.errors.ModelError`.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    profile = find_profile(settings.model)
    options = load_options(settings)
    models = load(profile, options)
    costs = BatchCosts.kept(Bench.of(models), Path(settings.batch_folder))
    models = replace(models, pays=costs.pays)
    loras = load_loras(models.pipe, settings.loras)
    card = make_card(profile, models, loras.names)
    if not options.memory.keeps_sources:
        settings = settings.model_copy(update={"source_memory_gib": 0.0})
    memories = SourceMemories(memory_tiers(settings), models.device)
    twice = card.transformer is not None and card.transformer.guides_twice  # such passes share with nobody
    shares = settings.share_passes and bool(costs.seconds) and not twice
    return AdditRunner(profile, models, card, memories, loras, shares)


@dataclass(frozen=True)
class AdditRunner:
    """A resident model, one request at a time, or several that share passes.

    shares: whether passes of this model are ever better made as one on this device
    """

    profile: ModelProfile
    models: Models
    card: ModelCard
    memories: SourceMemories
    loras: Loras
    shares: bool = False

    @property
    def sharing(self) -> Sharing | None:
        """See `workers.runner.Runner`."""
        return PassSharing(self) if self.shares else None

    def run(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        on_step: OnStep,
        owner: str = "",
        source_id: str = "",
        *,
        on_preview: OnPreview = no_preview,
        place: Place = ALONE,
        masks: Masks = NO_MASKS,
        dropped: DroppedSeeds = none_dropped,
    ) -> RunOutput:
        """See `workers.runner.Runner.run`."""

        try:
            on_step("encode", 0, 1, 0.0)
            started = time.perf_counter()
            request, inferred = complete(request, source, self.models.captioner)
            looking = time.perf_counter() - started
            edit = replace(self.to_edit(request, source, masks), owner=owner, source_name=source_id)
            edit = continuing(with_mask(edit, place.mask), place, self.models)
            runner = replace(self, models=self._worn(request.lora_scales()))
            with self.loras.worn(request.lora_scales()):
                output = runner._insert(request, source, edit, on_step, on_preview, place, dropped)
            output = told_of_encoding(output, edit, place)
            return with_inferred(output, inferred, looking) if inferred else output
        except AdditError as error:
            raise RunError(error.code, str(error)) from error

    def _insert(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        edit: Edit,
        on_step: OnStep,
        on_preview: OnPreview,
        place: Place,
        dropped: DroppedSeeds,
    ) -> RunOutput:
        """What was asked for, with as many tries as that allows. Only the first is shown as it forms."""
        on_x0 = previewer(self.models, edit, request.output.previews, on_preview)
        output = self._attempt(request, source, edit, on_step, dropped, on_x0, place)
        if request.if_not_added == "retry":
            last, alone = partial(on_step_at, on_step, LAST_PERCENT), Place(in_scene=place.in_scene)

            def attempt(again: Edit, dropped: DroppedSeeds) -> RunOutput:
                return self._attempt(request, source, again, last, dropped, place=alone)

            output = with_retries(output, edit, attempt, dropped)
        output = left(output, dropped())
        return with_missing(replace(output, images=ranked(output.images)))

    def _attempt(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        edit: Edit,
        on_step: OnStep,
        dropped: DroppedSeeds,
        on_x0: OnX0 | None = None,
        place: Place = ALONE,
    ) -> RunOutput:
        """One insertion, of a large photograph with a closer look."""
        most = min(len(edit.seeds), edit.config.keep_best or len(edit.seeds))
        closer = self._is_large(source) and edit.config.blend_steps and edit.mask is None
        looks, cache = 1 + most if closer else 1, self._block_cache(request.mode, edit.config)
        cached_from = first_cached_step(edit.config)
        with late_cache(self.models.pipe.transformer, cache, cached_from):
            done = insert(
                self.models,
                edit,
                ticker(on_step, 0, looks),
                self.memories,
                on_x0=on_x0,
                keep_as=place.job_id,
                resume_of=resumable(place, edit),
                unwanted=until(cached_from if cache else None, dropped),
            )
            close_ups = [
                self._close_up(source, edit, done, row, ticker(on_step, 1 + row, looks), dropped)
                if closer and seed not in dropped()
                else None
                for row, seed in enumerate(done.seeds)
            ]
        output = self.to_output(request, source, edit, done, close_ups)
        if place.in_scene:
            output = with_latents(output, done)
        return with_blend(output, done.resumed) if place.replays else output

    def _worn(self, weights: Mapping[str, float]) -> Models:
        """The models by a name of their own: what adapters made of a source is not found without them."""
        return replace(self.models, identity=f"{self.models.identity}{sorted(weights.items())}")

    def _block_cache(self, mode: Mode, config: AdditConfig) -> CacheConfig | None:
        if mode not in self.card.modes:
            raise UnsupportedOption(f"{self.card.name} does not have the mode {mode!r}")
        return block_cache(mode, config, self.models.pipe.transformer.dtype, self.profile.mag_ratios)

    def canary(self) -> None:
        """Prove that the model still works; raises `WrongFingerprint` or what broke."""
        check_fingerprint(self.profile, self.models)

    def forget(self, source_ids: Collection[str] | None) -> None:
        """See `workers.runner.Runner.forget`."""
        self.memories.forget_named(source_ids)

    def memory(self) -> MemoryUse:
        """See `workers.runner.Runner.memory`."""
        return use_of(self.memories)

    def device_memory(self) -> DeviceMemory | None:
        """See `workers.runner.Runner.device_memory`."""
        told = device_memory(self.models.device)
        return None if told is None else DeviceMemory(*told)

    def to_edit(self, request: InsertionRequest, source: Image.Image | None, masks: Masks = NO_MASKS) -> Edit:
        """The request in the method's terms, at a size the model works on. Raises `AdditError`."""
        config, texts = self.to_config(request), texts_of(request)
        if isinstance(request.source, GeneratedSource):
            side = self.profile.native_side
            width, height = self._working_size(request.source.width or side, request.source.height or side)
            prompted = PromptSource(texts.source_prompt, request.source.seed, height, width)
            placing = to_placing(request, masks, (width, height), (width, height))
            return Edit(
                prompted, texts.prompt, as_tuple(texts.subject), tuple(request.seeds), config, placing=placing
            )
        assert source is not None, "an image source comes with its picture"
        fitted = source.resize(self._working_size(*source.size), Image.Resampling.LANCZOS)
        shown = PictureSource(np.asarray(fitted), texts.source_prompt)
        placing = to_placing(request, masks, source.size, fitted.size)
        return Edit(
            shown, texts.prompt, as_tuple(texts.subject), tuple(request.seeds), config, placing=placing
        )

    def grid_of(self, request: InsertionRequest, source: Image.Image | None) -> LatentGrid:
        """What the request is worked on at. Raises `AdditError`."""
        side = self.profile.native_side
        size = source.size if source is not None else (side, side)
        if isinstance(request.source, GeneratedSource):
            size = request.source.width or side, request.source.height or side
        width, height = self._working_size(*size)
        return LatentGrid.of_image(height, width, self.models.pipe.vae_scale_factor)

    def to_config(self, request: InsertionRequest) -> AdditConfig:
        """The preset with the request's own options over it."""
        preset = self.profile.presets[request.preset or DEFAULT_PRESETS[kind_of(request.source)]]
        return apply(request.options, preset)

    def _working_size(self, width: int, height: int) -> tuple[int, int]:
        profile = self.profile
        limits = profile.min_pixels, profile.max_pixels, profile.max_aspect
        return working_size(width, height, self.models.size_multiple, *limits)

    def _is_large(self, source: Image.Image | None) -> bool:
        return source is not None and is_large(source.size, self.profile.max_pixels)

    def _close_up(
        self,
        photo: Image.Image | None,
        edit: Edit,
        done: Insertion,
        row: int,
        on_step: OnForward,
        dropped: DroppedSeeds,
    ) -> CloseUp | None:
        """The insertion done again around the place where it put the subject into a large photograph; None
        where there is no such place, or no more to be seen of it."""
        if photo is None or not self._is_large(photo) or done.located is None:
            return None
        (height, width) = done.source.shape[:2]
        box = box_of(united(subject_masks(done.located[row], photo.size)))
        if box is None:
            return None
        verdicts = judge_each(self.models.detector, edit, done, row, None)
        if not judge_whole(edit.subjects, verdicts).added:
            return None
        profile = self.profile
        served = Served(
            profile.native_side**2, profile.max_pixels, self.models.size_multiple, profile.max_aspect
        )
        crop = crop_around((box[0], box[1], box[2], box[3]), photo.size, served)
        if not is_worthwhile(crop, photo.size, (width, height)):
            return None
        draft, alone = Image.fromarray(done.pictures[row]), replace(edit, seeds=(done.seeds[row],))
        return look_closer(self.models, photo, crop, draft, alone, on_step, until(None, dropped))

    def to_output(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        edit: Edit,
        done: Insertion,
        close_ups: Sequence[CloseUp | None],
    ) -> RunOutput:
        """Pictures and verdicts at the size of `source`, or of the generated one."""
        shown = source or Image.fromarray(done.source)
        wanted = request.output.include
        detector = self.models.detector
        closer = [
            render_closer(detector, shown, close_up, wanted) if close_up else None for close_up in close_ups
        ]
        images = tuple(
            image or render(detector, shown, edit, done, row, wanted) for row, image in enumerate(closer)
        )
        seconds, forwards = Counter(done.seconds), done.forwards.total
        for close_up in filter(None, close_ups):
            seconds.update(close_up.done.seconds)
            forwards += close_up.done.forwards.total
        times = shown.width / done.source.shape[1]
        coarse = upscaled(images, closer, times) if self._is_large(shown) else []
        return RunOutput(
            images=images,
            timings=Timings(**{name: round(seconds[name], 4) for name in seconds}),
            cost=Cost(
                forwards=round(forwards, 3),
                gpu_seconds=round(sum(seconds.values()), 4),
                source_memory="hit" if done.source_known else "miss",
                source_memory_bytes=done.source_bytes,
            ),
            source=shown,
            dropped=(
                *(
                    DroppedSeed(seed=seed, score=verdict.confidence, reason=verdict.reason or "")
                    for seed, verdict in done.dropped.items()
                ),
                *map(told, done.unwanted),
            ),
            warnings=(*out_of_domain(done, self.profile.max_source_error), *coarse),
        )
