"""A runner without a model, and without torch: the words of the prompt are what it does."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from dataclasses import dataclass, field, replace
from typing import cast

from PIL import Image

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.jobs import Cost, DroppedSeed, Timings
from api_schemas.models import ModelCard
from runtime.settings import Settings
from workers.runner import OnStep, OutputImage, RunError, RunOutput

STEP_SECONDS = 0.05
CARD = ModelCard(
    name="scripted",
    description="Does what it is told.",
    licence="none",
    native_width=64,
    native_height=64,
    size_multiple=16,
    max_pixels=128 * 128,
    max_aspect=2,
    presets={"plain": Options(num_inference_steps=4)},
    default_presets={"image": "plain", "generated": "plain"},
    localizers=["attention"],
    max_prompt_tokens=77,
)


FREE = Cost(forwards=2, gpu_seconds=0.1, source_memory="none")


class Deadly:
    """A picture that nobody survives encoding."""

    def save(self, *_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


def load(settings: Settings) -> ScriptedRunner:
    return ScriptedRunner()


def load_broken(settings: Settings) -> ScriptedRunner:
    raise OSError("the weights are truncated")


@dataclass
class ScriptedRunner:
    card: ModelCard = CARD
    sick: bool = field(default=False)

    def run(
        self, request: InsertionRequest, source: Image.Image | None, on_step: OnStep, owner: str = ""
    ) -> RunOutput:
        """Prompt: any text, or a command and its argument."""
        command, _, argument = request.prompt.partition(" ")
        steps = int(argument) if command == "slow" else 2
        for step in range(1, steps + 1):
            time.sleep(STEP_SECONDS if command == "slow" else 0)
            on_step("denoise", step, steps, 90.0 * step / steps)
            self._misbehave(command)
        size = source.size if source else (64, 48)
        if command == "perish":
            return RunOutput(
                (replace(image_of(1, size, empty=False), mask=cast(Image.Image, Deadly())),), Timings(), FREE
            )
        seeds = request.seeds or [1]
        kept, dropped = seeds[: request.options.keep_best], seeds[request.options.keep_best or len(seeds) :]
        return RunOutput(
            images=tuple(image_of(seed, size, empty=command == "empty") for seed in kept),
            timings=Timings(denoise=0.1),
            cost=FREE,
            dropped=tuple(DroppedSeed(seed=seed, score=0.25, reason="out of luck") for seed in dropped),
            source=source if "source" in request.output.include else None,
        )

    def canary(self) -> None:
        if self.sick:
            raise RuntimeError("the canary is dead")

    def _misbehave(self, command: str) -> None:
        match command:
            case "hang":
                time.sleep(600)
            case "freeze":
                ctypes.PyDLL(None).sleep(600)  # keeps the GIL: no other thread of the process runs
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "oom":
                raise OutOfMemoryError("tried to allocate 80 GiB")
            case "cuda":
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            case "nan":
                raise RunError("invalid_output", "not finite")
            case "fatal":
                raise RunError("internal", "broken for good", fatal=True)
            case "sick":
                self.sick = True
                raise RunError("internal", "unwell")
            case "bug":
                raise KeyError("a bug")


def image_of(seed: int, size: tuple[int, int], empty: bool) -> OutputImage:
    """A gradient, or nothing but black."""
    picture = Image.new("L", size) if empty else Image.linear_gradient("L").resize(size)
    fields = {"seed": seed, "subject_found": True, "score": 0.9, "box": [1, 2, 3, 4], "extended_scale": 1.05}
    return OutputImage(picture.convert("RGB"), fields, mask=Image.new("L", size, 255))
