"""The production `Runner`: an API request through `workers.addit.insert`, and its pictures back at the
caller's size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from api_schemas.insertions import Extra, GeneratedSource, InsertionRequest
from api_schemas.jobs import Cost, Inferred, ResultWarning, Timings
from api_schemas.models import ModelCard
from runtime.settings import Settings
from workers.addit.config import AdditConfig
from workers.addit.errors import AdditError
from workers.addit.localizers import Located
from workers.addit.masks import resize
from workers.addit.models import Models
from workers.addit.pipeline import Edit, Insertion, PictureSource, PromptSource, insert, source_key
from workers.addit.source_memory import SourceMemories
from workers.completing import complete, texts_of
from workers.compositing import IDENTICAL, box_of, composite, cut_out, grey, psnr, working_size
from workers.memory import memory_tiers
from workers.model_card import make_card
from workers.models.canary import check_fingerprint
from workers.models.loading import LoadOptions, load
from workers.models.profiles import DEFAULT_PRESETS, ModelProfile, SegmenterPlace, find_profile
from workers.options import apply
from workers.own_pixels import own_pixels
from workers.runner import OnStep, OutputImage, RunError, RunOutput

VISIBLE_CHANGE = 8.0
"""Mean difference of grey levels inside the mask below which nothing was added."""


def load_runner(settings: Settings) -> AdditRunner:
    """Load the model that the settings name. Its canary warms it up and proves it.

    Raises `workers.models.errors.ModelError`.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    profile = find_profile(settings.model)
    segmenter = SegmenterPlace(settings.segmenter, settings.segmenter_config) if settings.segmenter else None
    options = LoadOptions(settings.device, settings.dtype, settings.offload, settings.quantization, segmenter)
    models = load(profile, options)
    memories = SourceMemories(memory_tiers(settings), models.device)
    return AdditRunner(profile, models, make_card(profile, models), memories)


@dataclass(frozen=True)
class AdditRunner:
    """A resident model, one request at a time."""

    profile: ModelProfile
    models: Models
    card: ModelCard
    memories: SourceMemories

    def run(
        self, request: InsertionRequest, source: Image.Image | None, on_step: OnStep, owner: str = ""
    ) -> RunOutput:
        """See `workers.runner.Runner.run`."""

        def tick(stage: str, done: int, total: int) -> None:
            on_step("source" if stage == "source" else "denoise", done, total, 100 * done / total)

        try:
            on_step("encode", 0, 1, 0.0)
            started = time.perf_counter()
            request, inferred = complete(request, source, self.models.captioner)
            looking = time.perf_counter() - started
            edit = replace(self.to_edit(request, source), owner=owner)
            done = insert(self.models, edit, tick, self.memories)
            output = self.to_output(request, source, edit, done)
            return with_inferred(output, inferred, looking) if inferred else output
        except AdditError as error:
            raise RunError(error.code, str(error)) from error

    def canary(self) -> None:
        """Prove that the model still works; raises `WrongFingerprint` or what broke."""
        check_fingerprint(self.profile, self.models)

    def to_edit(self, request: InsertionRequest, source: Image.Image | None) -> Edit:
        """The request in the method's terms, at a size the model works on. Raises `AdditError`."""
        config, texts = self.to_config(request), texts_of(request)
        if isinstance(request.source, GeneratedSource):
            side = self.profile.native_side
            width, height = self._working_size(request.source.width or side, request.source.height or side)
            prompted = PromptSource(texts.source_prompt, request.source.seed, height, width)
            return Edit(prompted, texts.prompt, texts.subject, tuple(request.seeds), config)
        assert source is not None, "an image source comes with its picture"
        fitted = source.resize(self._working_size(*source.size), Image.Resampling.LANCZOS)
        shown = PictureSource(np.asarray(fitted), texts.source_prompt)
        return Edit(shown, texts.prompt, texts.subject, tuple(request.seeds), config)

    def to_config(self, request: InsertionRequest) -> AdditConfig:
        """The preset with the request's own options over it."""
        preset = self.profile.presets[request.preset or DEFAULT_PRESETS[request.source.kind]]
        return apply(request.options, preset)

    def _working_size(self, width: int, height: int) -> tuple[int, int]:
        profile = self.profile
        limits = profile.min_pixels, profile.max_pixels, profile.max_aspect
        return working_size(width, height, self.models.size_multiple, *limits)

    def to_output(
        self, request: InsertionRequest, source: Image.Image | None, edit: Edit, done: Insertion
    ) -> RunOutput:
        """Pictures and verdicts at the size of `source`, or of the generated one."""
        shown = source or Image.fromarray(done.source)
        wanted = request.output.include
        images = tuple(self._output_image(shown, edit, done, row, wanted) for row in range(len(edit.seeds)))
        seconds = done.seconds
        return RunOutput(
            images=images,
            timings=Timings(**{name: round(seconds[name], 4) for name in seconds}),
            cost=Cost(
                forwards=round(done.forwards.total, 3),
                gpu_seconds=round(sum(seconds.values()), 4),
                source_memory="hit" if done.source_known else "miss",
                source_memory_bytes=self.memories.open(source_key(self.models, edit)).nbytes,
            ),
            source=shown,
            warnings=tuple(self._warnings(edit, done, images)),
        )

    def _output_image(
        self, source: Image.Image, edit: Edit, done: Insertion, row: int, wanted: Sequence[Extra]
    ) -> OutputImage:
        result = Image.fromarray(done.pictures[row]).resize(source.size, Image.Resampling.LANCZOS)
        if done.located is None or done.cells is None:
            return OutputImage(
                result,
                self._fields(edit, done, row, None, "blending is off, so the subject was not looked for"),
            )
        located = done.located[row]
        height, width = done.source.shape[:2]
        mask = grey(resize(located.mask, source.height, source.width).numpy() > 0.5)
        if edit.config.strict_background:
            result = composite(source, result, own_pixels(done, row, edit.config, source.size))
        reason = located.missing or no_visible_change(done, located, row, (height, width))
        background = psnr(np.asarray(result), np.asarray(source), np.asarray(mask) == 0)
        fields = self._fields(edit, done, row, located, reason) | {
            "box": box_of(mask),
            "background_psnr": None if background >= IDENTICAL else round(background, 2),
        }
        attention = cutout = None
        if "attention" in wanted:
            attention = grey(located.attention.numpy()).resize(source.size, Image.Resampling.BILINEAR)
        if "cutout" in wanted:
            cutout = cut_out(result, mask)
        return OutputImage(result, fields, mask, attention, cutout)

    def _fields(
        self, edit: Edit, done: Insertion, row: int, located: Located | None, reason: str | None
    ) -> dict[str, object]:
        return {
            "seed": edit.seeds[row],
            "subject_found": reason is None,
            "reason": reason,
            "score": None if located is None or located.score is None else round(located.score, 4),
            "extended_scale": None if done.gammas is None else round(done.gammas[row], 4),
        }

    def _warnings(self, edit: Edit, done: Insertion, images: tuple[OutputImage, ...]) -> list[ResultWarning]:
        warnings = []
        most, error = self.profile.max_source_error, done.source_error
        if most is not None and error is not None and error > most:
            text = f"unlike this model's world: velocity error {error:.2f}, expected at most {most:g}"
            warnings.append(ResultWarning(code="out_of_domain", message=text))
        missing = [str(image.fields["seed"]) for image in images if not image.fields["subject_found"]]
        if missing:
            seeds = f"seed{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
            text = f"no {edit.subject} was found for {seeds}; try others, or a higher extended_scale"
            warnings.append(ResultWarning(code="subject_not_found", message=text))
        return warnings


def with_inferred(output: RunOutput, inferred: Inferred, seconds: float) -> RunOutput:
    """The output with the texts that were found by looking at the picture for so long."""
    timings = output.timings.model_copy(update={"encode": round(output.timings.encode + seconds, 4)})
    cost = output.cost.model_copy(update={"gpu_seconds": round(output.cost.gpu_seconds + seconds, 4)})
    return replace(output, inferred=inferred, timings=timings, cost=cost)


def no_visible_change(done: Insertion, located: Located, row: int, size: tuple[int, int]) -> str | None:
    """Why the subject counts as not added although attention found a place, or None."""
    inside = resize(located.mask, *size).numpy() > 0.5
    before, after = done.source[inside].astype(np.float32), done.pictures[row][inside].astype(np.float32)
    change = float(np.abs(after - before).mean()) if inside.any() else 0.0
    return (
        None
        if change >= VISIBLE_CHANGE
        else f"nothing visible was added where the subject was looked for ({change:.1f} grey levels)"
    )
