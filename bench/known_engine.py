"""An engine of known service times: it sleeps as long as its request's metadata say, or else for the passes
that its card counts. Loads no torch."""

from __future__ import annotations

import random
import time
from collections.abc import Collection

from PIL import Image

from api_schemas.forwards import forwards
from api_schemas.insertions import GeneratedSource, InsertionRequest, Options
from api_schemas.jobs import Cost, Timings
from api_schemas.models import Lending, ModelCard, Transformer
from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse
from runtime.settings import Settings
from workers.runner import (
    ALONE,
    NO_MASKS,
    DroppedSeeds,
    Masks,
    OnPreview,
    OnStep,
    OutputImage,
    Place,
    RunOutput,
    no_preview,
    none_dropped,
)

PASS_SECONDS = 0.02
"""Of the smallest picture; it grows with the pixels."""
SIDE = 64
SPREAD = 0.15
"""Of a job's pace about its mean, as a lognormal's sigma."""
TOLD = "seconds"
"""The field of a request's metadata that names its service time, in seconds."""
PRESET = "plain"
OPTIONS = Options(
    num_inference_steps=10,
    guidance_scale=3.5,
    extended_scale=1.05,
    structure_transfer_step=2,
    blend_steps=[5],
    localizer="attention",
    inversion="noising",
    keep_shadow=True,
    source_scale=1,
    use_offset=False,
    softness=0,
    source_shift=[0, 0],
)
CARD = ModelCard(
    name="known",
    description="Takes as long as it says.",
    licence="none",
    native_width=SIDE,
    native_height=SIDE,
    size_multiple=16,
    max_pixels=16 * SIDE * SIDE,
    max_aspect=2,
    presets={PRESET: OPTIONS},
    default_presets={"image": PRESET, "generated": PRESET},
    localizers=["attention"],
    max_prompt_tokens=77,
    transformer=Transformer(double_blocks=1, single_blocks=2, guides_twice=False),
    lending={PRESET: Lending(double_until=3, single_until=6, source_guidance_scale=1)},
)


def load(settings: Settings) -> KnownEngine:
    """As `ADDIT_RUNNER` names it."""
    return KnownEngine()


class KnownEngine:
    """Remembers sources as a model does; its paces are drawn anew for every job."""

    card, sharing = CARD, None

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._random = random.Random(0)

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
        """Sleep for every step; a grey picture and a mask for every seed."""
        known = source_id in self._known
        self._known.add(source_id)
        passes = forwards(request, CARD, known=known) or 1.0
        size, steps = _size(request, source), request.options.num_inference_steps or 1
        planned, began = self._seconds(request, passes, size), time.perf_counter()
        on_step("encode", 1, 1, 0.0)
        for step in range(1, steps + 1):
            time.sleep(max(0.0, began + planned * step / steps - time.perf_counter()))
            on_step("denoise", step, steps, 90.0 * step / steps)
        seconds = time.perf_counter() - began
        cost = Cost(forwards=passes, gpu_seconds=seconds, source_memory="hit" if known else "miss")
        images = tuple(_image(seed, size) for seed in request.seeds or [1] if seed not in dropped())
        return RunOutput(images, Timings(denoise=seconds), cost)

    def _seconds(self, request: InsertionRequest, passes: float, size: tuple[int, int]) -> float:
        told = request.metadata.get(TOLD)
        if told is not None:
            return float(told)
        return passes * PASS_SECONDS * size[0] * size[1] / SIDE**2 * self._random.lognormvariate(0, SPREAD)

    def canary(self) -> None:
        """Always well."""

    def forget(self, source_ids: Collection[str] | None) -> None:
        """These sources, or all."""
        self._known -= self._known if source_ids is None else set(source_ids)

    def device_memory(self) -> DeviceMemory | None:
        """It runs on none."""
        return None

    def memory(self) -> MemoryUse:
        """Nothing worth telling."""
        return MemoryUse(0, 0, len(self._known), ())


def _size(request: InsertionRequest, picture: Image.Image | None) -> tuple[int, int]:
    if picture is not None:
        return picture.size
    source = request.source
    assert isinstance(source, GeneratedSource)
    return source.width or SIDE, source.height or SIDE


def _image(seed: int, size: tuple[int, int]) -> OutputImage:
    fields = {"seed": seed, "subject_found": True, "score": 1.0, "box": [0, 0, *size], "extended_scale": 1.05}
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    return OutputImage(picture, fields, mask=Image.new("L", size, 255))
