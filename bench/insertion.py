"""One insertion in one process: seconds by stage, forwards, and what more variations of one source cost."""

from __future__ import annotations

import time
from statistics import median

from bench.examples import picture, request
from bench.figures import Figures
from runtime.settings import Settings
from workers.insertion import AdditRunner, load_runner
from workers.runner import RunOutput

RUNS = 5


def measure() -> Figures:
    """Medians of `RUNS` runs after one that warms up."""
    began = time.perf_counter()
    runner = load_runner(Settings())
    runner.canary()
    loaded = time.perf_counter() - began
    one, one_output = _timed(runner, seeds=[1])
    four, four_output = _timed(runner, seeds=[1, 2, 3, 4])
    stages = one_output.timings.model_dump()
    values = {
        "load_seconds": loaded,
        "one_variation_seconds": one,
        "four_variations_seconds": four,
        "four_over_one": four / one,
        "one_variation_forwards": one_output.cost.forwards,
        "four_variations_forwards": four_output.cost.forwards,
        "stages": stages,
    }
    rows = [
        ["load, warm-up, check", f"{loaded:.2f}", ""],
        ["one variation", f"{one:.2f}", f"{one_output.cost.forwards:.1f}"],
        ["four variations", f"{four:.2f}", f"{four_output.cost.forwards:.1f}"],
        [
            "four over one",
            f"{four / one:.2f} x",
            f"{four_output.cost.forwards / one_output.cost.forwards:.2f} x",
        ],
        *([f"  {stage}", f"{seconds:.3f}", ""] for stage, seconds in stages.items() if seconds),
    ]
    return Figures("Insertion, paper-real, 30 steps", ["what", "seconds", "forwards"], rows, values)


def _timed(runner: AdditRunner, seeds: list[int]) -> tuple[float, RunOutput]:
    shown, asked, seconds = picture(), request(seeds), []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        output = runner.run(asked, shown, lambda *step: None)
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:]), output
