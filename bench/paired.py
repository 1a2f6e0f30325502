"""`python -m bench.paired [part …] [--docs]`: the engine beside a plain implementation of the same schedule.

`bench.plain` runs both branches in a batch of two, every step, remembers nothing and makes dense attention
matrices where the target is looked at; weights, dtype, threads and fused attention are the same, and it gives
the golden tensors. Both run in turns, in one process. The denoising stages are those of the transformer. What
kernels, compilation and bfloat16 give is shown apart, the engine against itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from diffusers import FluxTransformer2DModel

from bench.cost import META, SIDE, flux_dev, stand_ins
from bench.cost import TEXT_LEN as FLUX_TEXT_LEN
from bench.examples import picture, request
from bench.figures import Figures
from bench.plain.pairing import DENOISING, Ratios, measure_pairs
from bench.plain.peaks import peaks
from bench.report import Docs, JsonFile, measured_engine, report
from runtime.settings import Settings
from workers.addit.config import PAPER_REAL, Inversion
from workers.addit.edits import Edit, PictureSource, grid_of
from workers.addit.latents import LatentGrid
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories
from workers.addit.targets import MOST_AHEAD
from workers.insertion import AdditRunner, load_runner
from workers.models.compiling import compile_blocks
from workers.models.packing import unpack_linears

WANTED = 0.93
"""Of the counted ratio."""
TINY_SIDE, TINY_TEXT = 256, 32


@dataclass(frozen=True)
class Asked:
    """How often, and in what."""

    repeats: int
    threads: int
    dtype: str


def embedded(asked: Asked, dtype: str | None = None) -> AdditRunner:
    """The embedded model."""
    return load_runner(Settings(_env_file=None, threads=asked.threads, dtype=dtype or asked.dtype))


def embedded_edit(runner: AdditRunner) -> Edit:
    """The first example, with the paper's single blend."""
    edit = runner.to_edit(request([1]), picture())
    return replace(edit, config=replace(edit.config, strict_background=False))


def tiny_flux(asked: Asked, side: int = TINY_SIDE) -> tuple[Models, Edit]:
    """Three random blocks in FLUX.1's proportions: two single-stream ones for a double-stream one."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=64,
        num_attention_heads=8,
        axes_dims_rope=(16, 24, 24),
        joint_attention_dim=256,
        pooled_projection_dim=128,
        guidance_embeds=True,
    )
    transformer = transformer.to(getattr(torch, asked.dtype)).eval().requires_grad_(False)
    models = replace(stand_ins(transformer, TINY_TEXT), recorded_layers=("single_transformer_blocks.0",))
    source = PictureSource(np.zeros((side, side, 3), np.uint8), "a bed")
    return models, Edit(
        source, "a bed with a dog", ("dog",), (1,), replace(PAPER_REAL, localizer="attention")
    )


def measure_ratios(name: str, models: Models, edit: Edit, asked: Asked) -> Figures:
    """Noised and inverted sources, each a first edit, the next, and four seeds."""
    paths: dict[str, Inversion] = {"noising": "noising", "inversion": "fixed_point"}
    found = {
        path: measure_pairs(
            models, replace(edit, config=replace(edit.config, inversion=inversion)), asked.repeats
        )
        for path, inversion in paths.items()
    }
    cases = {f"{path}, {case}": ratios for path, by_case in found.items() for case, ratios in by_case.items()}
    tuned = models.pays(grid_of(models, edit), [1] * MOST_AHEAD)
    shared = "source passes shared as `addit bench tune` found" if tuned else "no passes shared"
    how = f"{asked.dtype}, {torch.get_num_threads()} threads, {asked.repeats} repeats, {shared}"
    return Figures(
        f"{name}, {how}: plain over engine",
        ["case", "denoise, measured", "counted", "measured of counted", "whole insertion", "engine, s"],
        [[case, *_cells(ratios)] for case, ratios in cases.items()],
        {case: _values(ratios) for case, ratios in cases.items()},
    )


def _cells(ratios: Ratios) -> list[str]:
    reached = f"{ratios.reached:.2f}{'' if ratios.reached >= WANTED else f' (wanted: {WANTED})'}"
    return [
        f"{ratios.denoise:.2f}",
        f"{ratios.counted:.2f}",
        reached,
        f"{ratios.whole:.2f}",
        f"{ratios.seconds:.2f}",
    ]


def _values(ratios: Ratios) -> dict[str, float]:
    return {
        "measured": ratios.denoise,
        "counted": ratios.counted,
        "reached": ratios.reached,
        "whole": ratios.whole,
        "engine_seconds": ratios.seconds,
    }


def measure_embedded(asked: Asked) -> Figures:
    """The embedded model, whole insertions."""
    runner = embedded(asked)
    return measure_ratios(f"Embedded model, {TINY_SIDE} pixels", runner.models, embedded_edit(runner), asked)


def measure_tiny_flux(asked: Asked) -> Figures:
    """A wider transformer without autoencoder, text encoders and segmenter: its whole is its denoising."""
    return measure_ratios(f"Tiny FLUX, {TINY_SIDE} pixels", *tiny_flux(asked), asked)


def measure_peaks(asked: Asked) -> Figures:
    """Of one step, without weights, on the meta device."""
    loaded = embedded(asked).models
    with META:
        small = FluxTransformer2DModel.from_config(loaded.pipe.transformer.config).eval()
    layers = loaded.recorded_layers
    flux = replace(stand_ins(flux_dev(), FLUX_TEXT_LEN), recorded_layers=_flux_layers())
    cases = {
        f"FLUX.1-dev, {SIDE} x {SIDE}, bfloat16": (flux, LatentGrid.of_image(SIDE, SIDE, 8)),
        f"embedded model, {TINY_SIDE} x {TINY_SIDE}, float32": (
            replace(stand_ins(small, TINY_TEXT), recorded_layers=layers),
            LatentGrid.of_image(TINY_SIDE, TINY_SIDE, 8),
        ),
    }
    found = {name: peaks(*case) for name, case in cases.items()}
    return Figures(
        "Fullest of one extended and recorded step, weights left out, MB",
        ["model", "plain", "engine", "plain / engine"],
        [
            [name, f"{p / 1e6:,.0f}", f"{here / 1e6:,.0f}", f"{p / here:.2f}"]
            for name, (p, here) in found.items()
        ],
        {name: {"plain": plain, "engine": here} for name, (plain, here) in found.items()},
    )


def _flux_layers() -> tuple[str, ...]:
    double = (f"transformer_blocks.{i}" for i in (13, 14, 18))
    return (*double, *(f"single_transformer_blocks.{i}" for i in (23, 33)))


def measure_kernels(asked: Asked) -> Figures:
    """A first edit by the engine alone: as it is, and with one thing else."""
    base, half, compiled = embedded(asked), embedded(asked, "bfloat16"), embedded(asked)
    compile_blocks(compiled.models.pipe.transformer, "none")
    unfused = embedded(asked)
    unfused.models.pipe.transformer.set_attention_backend("_native_math")
    loose = embedded(asked)
    unpack_linears(loose.models.pipe.transformer)
    runners = {
        f"as it is ({asked.dtype})": base,
        "weights packed for every product": loose,
        "attention unfused": unfused,
        "blocks compiled": compiled,
        "bfloat16": half,
    }
    seconds = _in_turns(
        {name: partial(_denoising, runner) for name, runner in runners.items()}, asked.repeats
    )
    first = next(iter(seconds.values()))
    return Figures(
        f"First edit, noising, denoising by the engine alone, {torch.get_num_threads()} threads",
        ["engine", "seconds", "times as fast"],
        [[name, f"{spent:.2f}", f"{first / spent:.2f}"] for name, spent in seconds.items()],
        seconds,
    )


def _denoising(runner: AdditRunner) -> float:
    memories = SourceMemories([DeviceTier(2**40)], runner.models.device)
    seconds = insert(runner.models, embedded_edit(runner), memories=memories).seconds
    return sum(seconds.get(stage, 0.0) for stage in DENOISING)


def _in_turns(runs: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Medians, after one round that warms up and compiles."""
    rounds = [{name: run() for name, run in runs.items()} for _ in range(repeats + 1)]
    return {name: median(each[name] for each in rounds[1:]) for name in runs}


PARTS: dict[str, Callable[[Asked], Figures]] = {
    "embedded": measure_embedded,
    "tiny": measure_tiny_flux,
    "peaks": measure_peaks,
    "kernels": measure_kernels,
}


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; all if none.")] = None,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    threads: Annotated[int, typer.Option(help="0 lets torch decide.")] = 0,
    dtype: Annotated[str, typer.Option()] = "float32",
    file: JsonFile = Path("bench-results/paired.json"),
    docs: Docs = False,
) -> None:
    """Measure, show, and put each part's table between its marks in docs/method.md."""
    asked = Asked(repeats, threads, dtype)
    for part in chosen(parts):
        began = time.perf_counter()
        figures = PARTS[part](asked)
        report(f"paired-{part}", figures, file.with_stem(f"{file.stem}-{part}"), docs, measured_engine)
        typer.echo(f"{time.perf_counter() - began:.0f} s")


def chosen(parts: Sequence[str] | None) -> list[Any]:
    """Those asked for, all if none. Raises `typer.BadParameter`."""
    unknown = set(parts or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}")
    return list(parts or PARTS)


if __name__ == "__main__":
    typer.run(main)
