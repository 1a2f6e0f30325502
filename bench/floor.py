"""`python -m bench.floor [--docs]`: every stage's time beside the least that its arithmetic could take.

Floor: the FLOPs of a stage, counted by torch, over the rate at which this machine multiplies square matrices
of the same dtype with the same threads. Convolutions are held against the same rate. What a stage does beside
multiplying (norms, copies, Python) has no floor, so no share reaches 1. The autoencoder of a CPU, which is
all that "source" is of a noised picture, and the segmenter work in float32, whatever the transformer's dtype.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from bench.cost import CPU_ATTENTION, cpu_attention_flops
from bench.examples import picture, request
from bench.figures import Figures
from bench.report import Docs, JsonFile, measured_engine, report
from runtime.settings import Settings
from workers.addit import pipeline
from workers.addit.memory_tiers import DeviceTier
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories
from workers.addit.stage_clock import StageClock
from workers.insertion import AdditRunner, load_runner

SIDE = 1024
"""Of the square matrices."""
FLOAT_STAGES = ("source", "localize", "decode")


@dataclass(frozen=True)
class Stage:
    """One stage of a first edit."""

    seconds: float
    flops: float


def matrix_rate(dtype: torch.dtype, device: torch.device, repeats: int = 10) -> float:
    """FLOP/s of the fastest of some products of square matrices."""
    left, right = (torch.randn(SIDE, SIDE, device=device).to(dtype) for _ in range(2))
    least = min(_seconds_of_product(left, right) for _ in range(repeats))
    return float(2 * SIDE**3 / least)


def _seconds_of_product(left: torch.Tensor, right: torch.Tensor) -> float:
    _settle(left.device)
    began = time.perf_counter()
    left @ right
    _settle(left.device)
    return time.perf_counter() - began


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_stages(runner: AdditRunner, repeats: int) -> dict[str, Stage]:
    """Median seconds of each stage, after a run that counts its FLOPs."""
    flops = counted_stages(runner)
    runs = [first_edit(runner) for _ in range(repeats)]
    return {stage: Stage(median(run[stage] for run in runs), flops[stage]) for stage in flops}


def counted_stages(runner: AdditRunner) -> dict[str, float]:
    """FLOPs by stage of a first edit."""
    counter = FlopCounterMode(display=False, custom_mapping={CPU_ATTENTION: cpu_attention_flops})
    with counter, _clocks_that_read(counter):
        return first_edit(runner)


@contextmanager
def _clocks_that_read(counter: FlopCounterMode) -> Iterator[None]:
    """Stage clocks that show FLOPs in place of seconds, for a while."""
    vars(pipeline)["StageClock"] = partial(StageClock, lambda: float(counter.get_total_flops()))
    try:
        yield
    finally:
        vars(pipeline)["StageClock"] = StageClock


def first_edit(runner: AdditRunner) -> dict[str, float]:
    """By stage, what its clock showed."""
    edit = runner.to_edit(request([1]), picture())
    memories = SourceMemories([DeviceTier(2**40)], runner.models.device)
    return insert(runner.models, replace(edit, owner="floor"), memories=memories).seconds


def measure(repeats: int, threads: int, dtype: str) -> Figures:
    """The table."""
    runner = load_runner(Settings(_env_file=None, threads=threads, dtype=dtype))
    models = runner.models
    own = models.pipe.transformer.dtype
    slow = own if models.device.type == "cuda" else torch.float32
    rates = {each: matrix_rate(each, models.device) for each in {own, slow}}
    stages = measure_stages(runner, repeats)
    floors = {
        name: stage.flops / rates[slow if name in FLOAT_STAGES else own] for name, stage in stages.items()
    }
    rows = [
        [
            name,
            f"{stage.seconds:.3f}",
            f"{stage.flops / 1e9:,.1f}",
            f"{floors[name]:.3f}",
            f"{floors[name] / stage.seconds:.0%}",
        ]
        for name, stage in stages.items()
        if stage.seconds >= 0.0005
    ]
    told = ", ".join(
        f"{str(each).removeprefix('torch.')} {rate / 1e9:,.0f} GFLOP/s" for each, rate in rates.items()
    )
    return Figures(
        f"First edit, noising, embedded model in {str(own).removeprefix('torch.')}, "
        f"{torch.get_num_threads()} threads; {SIDE} x {SIDE} matrices: {told}",
        ["stage", "seconds", "GFLOP", "floor, s", "share of the floor"],
        rows,
        {
            "rates": {str(each): rate for each, rate in rates.items()},
            "stages": {
                name: {"seconds": stage.seconds, "flops": stage.flops, "floor": floors[name]}
                for name, stage in stages.items()
            },
        },
    )


def main(
    repeats: Annotated[int, typer.Option(min=1)] = 5,
    threads: Annotated[int, typer.Option(help="0 lets torch decide.")] = 0,
    dtype: Annotated[str, typer.Option()] = "float32",
    file: JsonFile = Path("bench-results/floor.json"),
    docs: Docs = False,
) -> None:
    """Measure, show, and put the table between its marks in docs/method.md."""
    report("floor", measure(repeats, threads, dtype), file, docs, measured_engine)


if __name__ == "__main__":
    typer.run(main)
