"""A runner without a model, and without torch: the words of the prompt are what it does."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from threading import Event
from typing import cast

from PIL import Image

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.jobs import Cost, DroppedSeed, Timings
from api_schemas.models import ModelCard
from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse, TierUse
from runtime.settings import Settings
from workers.addit.stage_clock import StageClock
from workers.addit.turns import Ask, take_turns
from workers.runner import (
    ALONE,
    NO_MASKS,
    DroppedSeeds,
    Masks,
    NothingLeft,
    OnPreview,
    OnStep,
    OutputImage,
    Place,
    PreviewImage,
    RunError,
    RunOutput,
    Work,
    no_preview,
    none_dropped,
)

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
    presets={"plain": Options(num_inference_steps=4, blend_steps=[2])},
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


def load_sharing(settings: Settings) -> ScriptedRunner:
    return ScriptedRunner(shares=True)


def load_broken(settings: Settings) -> ScriptedRunner:
    raise OSError("the weights are truncated")


@dataclass
class ScriptedRunner:
    card: ModelCard = CARD
    sick: bool = field(default=False)
    remembered: list[str] = field(default_factory=list)
    hits: int = 0
    misses: int = 0
    shares: bool = False
    step: Callable[[float], object] = Event().wait  # time.sleep fails where libfaketime sets the clock

    @property
    def sharing(self) -> Turns | None:
        return Turns(self) if self.shares else None

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
        """Prompt: any text, or a command and its argument."""
        known, clock = source_id in self.remembered, StageClock()
        self.hits, self.misses = self.hits + known, self.misses + (not known)
        if not known:
            self.remembered.append(source_id)
        command, _, argument = request.prompt.partition(" ")
        steps = int(argument) if command == "slow" else 2
        for stage in ("encode", "source"):
            with clock(stage):
                pass
        with clock("denoise"):
            for step in range(1, steps + 1):
                self.step(STEP_SECONDS if command == "slow" else 0)
                on_step("denoise", step, steps, 90.0 * step / steps)
                self._misbehave(command)
            with clock("localize"):
                pass
        with clock("decode"):
            pass
        size = source.size if source else (64, 48)
        for number, index in product(range(request.output.previews), range(len(request.seeds))):
            shown = Image.linear_gradient("L").resize((32, 24)).convert("RGB")
            on_preview(PreviewImage(number, index, request.seeds[index], number, shown))
        if command == "perish":
            return RunOutput(
                (replace(image_of(1, size, empty=False), mask=cast(Image.Image, Deadly())),), Timings(), FREE
            )
        seeds = [seed for seed in request.seeds or [1] if seed not in dropped()]
        if not seeds:
            raise NothingLeft
        kept, worse = seeds[: request.options.keep_best], seeds[request.options.keep_best or len(seeds) :]
        return RunOutput(
            images=tuple(image_of(seed, size, empty=command == "empty") for seed in kept),
            timings=Timings(denoise=0.1),
            cost=FREE.model_copy(update={"source_memory": "hit" if known else "miss"}),
            dropped=(
                *(DroppedSeed(seed=seed, score=0.25, reason="out of luck") for seed in worse),
                *(DroppedSeed(seed=seed, score=None, reason="unwanted") for seed in dropped()),
            ),
            source=(source or Image.new("RGB", size)) if "source" in request.output.include else None,
        )

    def canary(self) -> None:
        if self.sick:
            raise RuntimeError("the canary is dead")

    def forget(self, source_ids: Collection[str] | None) -> None:
        self.remembered = [one for one in self.remembered if source_ids is not None and one not in source_ids]

    def memory(self) -> MemoryUse:
        sources = len(self.remembered)
        return MemoryUse(self.hits, self.misses, sources, (TierUse("device", 100 * sources, 1000, 0),))

    def device_memory(self) -> DeviceMemory | None:
        return DeviceMemory(used=100 * len(self.remembered), total=1000)

    def _misbehave(self, command: str) -> None:
        match command:
            case "hang":
                time.sleep(600)
            case "freeze":
                ctypes.PyDLL(None).sleep(600)  # keeps the GIL: no other thread of the process runs
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "oom":
                taken = bytes(200 * 2**20)
                raise OutOfMemoryError(f"tried to allocate 80 GiB beside {len(taken)} bytes")
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


@dataclass(frozen=True)
class Step:
    seconds: float
    rows: int = 1


@dataclass(frozen=True)
class Turns:
    """Steps of several requests take as long as the longest of them."""

    runner: ScriptedRunner

    def rows_beside(self, request: InsertionRequest, source: Image.Image | None) -> int:
        return 2

    def run(self, first: Work, joining: Callable[[], Sequence[Work]]) -> None:
        def job(work: Work) -> Callable[[Ask[Step]], None]:
            return lambda ask: work(replace(self.runner, step=lambda seconds: ask(Step(seconds))))

        def sleep(asked: Sequence[Step]) -> Sequence[None]:
            self.runner.step(max(step.seconds for step in asked))
            return [None for _ in asked]

        done = take_turns([job(first)], sleep, lambda: [job(work) for work in joining()])
        assert set(done) == {None}, done


def image_of(seed: int, size: tuple[int, int], empty: bool) -> OutputImage:
    """A gradient, or nothing but black."""
    picture = Image.new("L", size) if empty else Image.linear_gradient("L").resize(size)
    fields = {"seed": seed, "subject_found": True, "score": 0.9, "box": [1, 2, 3, 4], "extended_scale": 1.05}
    return OutputImage(picture.convert("RGB"), fields, mask=Image.new("L", size, 255))
