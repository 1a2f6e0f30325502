"""What engines run under chaos: a model that takes a known time and shows a gradient. Loads no torch."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.jobs import Cost, Timings
from api_schemas.models import ModelCard
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

NAME = "scripted"
STEPS, STEP_SECONDS = 4, 0.1
SERVICE_SECONDS = STEPS * STEP_SECONDS
"""Of one job, whatever it asks for; nothing is computed meanwhile."""
SIZE = (64, 48)
"""(width, height) of a generated picture."""
CARD = ModelCard(
    name=NAME,
    description="Takes its time, and shows a gradient.",
    licence="none",
    native_width=64,
    native_height=64,
    size_multiple=16,
    max_pixels=128 * 128,
    max_aspect=2,
    presets={"plain": Options(num_inference_steps=STEPS, blend_steps=[2])},
    default_presets={"image": "plain", "generated": "plain"},
    localizers=["attention"],
    max_prompt_tokens=77,
)


def load(settings: Settings) -> Scripted:
    """For `ADDIT_RUNNER`."""
    return Scripted()


@dataclass(frozen=True)
class Scripted:
    """A `workers.runner.Runner`."""

    card: ModelCard = CARD

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
        """Sleep, step by step; a picture and a mask for each seed."""
        for step in range(1, STEPS + 1):
            time.sleep(STEP_SECONDS)
            on_step("denoise", step, STEPS, 90.0 * step / STEPS)
        size = source.size if source else SIZE
        cost = Cost(forwards=STEPS, gpu_seconds=SERVICE_SECONDS, source_memory="none")
        images = tuple(_picture(seed, size) for seed in request.seeds if seed not in dropped())
        return RunOutput(images, Timings(denoise=SERVICE_SECONDS), cost)

    def canary(self) -> None:
        """It always works."""

    def forget(self, source_ids: Collection[str] | None) -> None:
        """Nothing is kept."""

    def device_memory(self) -> DeviceMemory | None:
        """It runs on none."""
        return None

    def memory(self) -> MemoryUse:
        """None."""
        return MemoryUse()


def _picture(seed: int, size: tuple[int, int]) -> OutputImage:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    fields = {"seed": seed, "subject_found": True, "score": 0.9, "box": [1, 2, 3, 4], "extended_scale": 1.05}
    return OutputImage(picture, fields, mask=Image.new("L", size, 255))
