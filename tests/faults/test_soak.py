"""`make soak` in short: enough traffic that a descriptor, a key or a picture lost per job would show."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_schemas.insertions import InsertionRequest
from bench.soak import KIB, SETTINGS, soak
from tests.figures import Figure

MINUTES = 0.6
SCRIPTED = {"runner": "tests.workers.scripted_runner:load", "model": "scripted"}
ASKED = {
    "source": {"kind": "image", "image": {"id": "img_any"}, "prompt": "a room"},
    "prompt": "a room with a dog",
    "subject": "dog",
    "seeds": [1],
}


@pytest.mark.fault(59)
def test_nothing_grows_with_the_jobs_done(tmp_path: Path, figure: Figure) -> None:
    """Two minutes of the row's promise are for `make soak MINUTES=2`: here the jobs are quick instead."""
    settings = SETTINGS.model_copy(update=SCRIPTED)
    soaked = soak(tmp_path, MINUTES, settings, asked=InsertionRequest.model_validate(ASKED))
    slopes = {name: growth.value for name, growth in soaked.slopes("jobs").items()}
    print({name: round(value, 4) for name, value in slopes.items()})  # noqa: T201
    memory = {name: value for name, value in slopes.items() if name.endswith("memory")}
    figure(59, "jobs", soaked.samples[-1]["jobs"])
    figure(
        59, "descriptors a job", max(value for name, value in slopes.items() if name.endswith("descriptors"))
    )
    figure(59, "keys a job", slopes["store keys that do not expire"])
    figure(59, "files a job", slopes["artifacts files"])
    figure(59, "store's memory a job", memory.pop("store memory") / KIB)
    figure(59, "a process's memory a job", max(memory.values()) / KIB)
    figure(59, "violations found by the audit", len(soaked.violations))
