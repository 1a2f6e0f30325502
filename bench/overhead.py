"""What the service adds to an insertion: the call's wall time minus the engine's own, on a local stack."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import InsertionJob
from bench.examples import example, request
from bench.figures import Figures, percentile
from client.client import Addit
from client.operator import running
from client.report import result_of
from runtime.settings import Settings

CALLS = 50
STEPS = 4
"""Fewer than usual: the overhead does not depend on them, the patience of who measures does."""


def measure() -> Figures:
    """`CALLS` insertions one after the other: upload once, then submit and follow each to its result."""
    with (
        tempfile.TemporaryDirectory(prefix="addit-bench-") as folder,
        running(Path(folder), Settings(port=0, log_level="WARNING"), workers=1) as (stack, key),
        Addit(stack.url, key) as addit,
    ):
        image = addit.upload(example().path.read_bytes())
        asked = request([1], image_id=image.id)
        options = asked.options.model_copy(update={"num_inference_steps": STEPS})
        asked = asked.model_copy(update={"options": options})
        milliseconds = [1000 * _overhead(addit, asked) for _ in range(CALLS + 1)][1:]
    values = {f"p{round(100 * share)}_ms": percentile(milliseconds, share) for share in (0.5, 0.95, 0.99)}
    rows = [[name.removesuffix("_ms"), f"{value:.1f}"] for name, value in values.items()]
    return Figures(f"Service overhead of {CALLS} insertions", ["percentile", "ms"], rows, values)


def _overhead(addit: Addit, asked: InsertionRequest) -> float:
    began = time.perf_counter()
    job: InsertionJob = addit.insert(asked)
    return time.perf_counter() - began - result_of(job).cost.gpu_seconds
