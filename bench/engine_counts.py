"""What one insertion asks of the models, counted at the pipeline that `Settings` name (the embedded one)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.examples import picture, request
from runtime.settings import Settings
from workers.addit.models import Models
from workers.insertion import AdditRunner, load_runner


def measure_engine() -> dict[str, float]:
    """Forwards, and encodings and decodings of the autoencoder, of a first edit and of the next one."""
    runner = load_runner(Settings(_env_file=None))
    cases = {"first": [1], "next": [2]}
    told = {case: _counts(runner, seeds) for case, seeds in cases.items()}
    return {f"{case}.{name}": count for case, counts in told.items() for name, count in counts.items()}


def _counts(runner: AdditRunner, seeds: list[int]) -> dict[str, float]:
    with _autoencoder_calls(runner.models) as calls:
        output = runner.run(request(seeds), picture(), lambda *step: None, "count")
    return {"forwards": output.cost.forwards, "encodings": calls["encode"], "decodings": calls["decode"]}


@contextmanager
def _autoencoder_calls(models: Models) -> Iterator[Counter[str]]:
    """Pictures that the autoencoder takes in and gives, by its methods' names."""
    vae, calls = models.pipe.vae, Counter[str]()

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(pictures: Any, *args: Any, **kwargs: Any) -> Any:
            calls[name] += len(pictures)
            return method(pictures, *args, **kwargs)

        return call

    for name in ("encode", "decode"):
        setattr(vae, name, counted(name, getattr(vae, name)))
    try:
        yield calls
    finally:
        for name in ("encode", "decode"):
            delattr(vae, name)
