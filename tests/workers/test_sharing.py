"""Requests that share passes of the embedded model give what they give alone, in one process and through a
worker that was told that it pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import Stage
from client.examples import examples
from job_store import tickets
from job_store.connection import connect
from job_store.records import JobRecord, NewJob
from runtime.settings import Settings
from runtime.valkey import embedded_valkey
from tests.workers.fleet import TENANT, Fleet, fleet_of, short
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.denoise import Denoised, denoise
from workers.addit.shared_passes import share_always
from workers.addit.targets import Targets
from workers.insertion import AdditRunner, load_runner
from workers.models.batch_costs import BatchCosts, Bench
from workers.models.profiles import embedded_profile
from workers.runner import OnStep, RunError, Runner, RunOutput, Work

pytestmark = pytest.mark.timeout(600)
SIDE, STEPS, MODEL = 256, 8, embedded_profile().name


def asked(seed: int, steps: int = STEPS, **fields: Any) -> InsertionRequest:
    example = examples()[0]
    given: dict[str, Any] = {
        "source": {
            "kind": "generated", "prompt": example.source_prompt, "seed": seed, "width": SIDE, "height": SIDE,
        },
        "prompt": example.prompt,
        "subject": example.subject,
        "seeds": [seed],
        "options": {"num_inference_steps": steps, "localizer": "attention"},
    }  # fmt: skip
    return InsertionRequest.model_validate(given | fields)


@pytest.fixture(scope="module")
def runner() -> AdditRunner:
    loaded = load_runner(Settings(device="cpu", threads=1))
    return replace(loaded, models=replace(loaded.models, pays=share_always), shares=True)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of every pass that is made."""
    made, rows = FluxBackbone.velocity, list[int]()

    def velocity(self: FluxBackbone, latents: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        rows.append(latents.shape[0])
        return made(self, latents, *args, **kwargs)

    monkeypatch.setattr(FluxBackbone, "velocity", velocity)
    return rows


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[float, list[Tensor]]:
    """Clean latents by the first number of the source's own, which tells edits apart."""
    latents = dict[float, list[Tensor]]()

    def told(targets: Targets, noise: Tensor) -> Denoised:
        done = denoise(targets, noise)
        latents.setdefault(float(noise.flatten()[0]), []).append(done.latents)
        return done

    monkeypatch.setattr("workers.addit.pipeline.denoise", told)
    return latents


def ignore(*step: object) -> None:
    """Nobody watches."""


def break_off(stage: Stage, step: int, total: int, percent: float) -> None:
    """Somewhere on the way."""
    if stage == "denoise":
        raise RunError("invalid_output", "not finite")


def work(
    request: InsertionRequest, outputs: dict[int, RunOutput | RunError], on_step: OnStep = ignore
) -> Work:
    """What an attempt does with its runner."""

    def run(runner: Runner) -> None:
        try:
            outputs[request.seeds[0]] = runner.run(request, None, on_step, "acme", f"{request.seeds[0]}")
        except RunError as error:
            outputs[request.seeds[0]] = error

    return run


def once(*some: Work) -> Callable[[], list[Work]]:
    """They join at the first chance."""
    waiting = [[*some]]
    return lambda: waiting.pop() if waiting else []


def test_what_is_shared_is_the_same(
    runner: AdditRunner, passes: list[int], found: dict[float, list[Tensor]]
) -> None:
    requests = [asked(1), asked(2, steps=6)]
    alone = {one.seeds[0]: runner.run(one, None, ignore, "acme", "alone") for one in requests}
    assert set(passes) == {1}
    runner.forget(None)
    outputs: dict[int, RunOutput | RunError] = {}
    sharing = runner.sharing
    assert sharing
    assert sharing.rows_beside(requests[0], None) == 7
    sharing.run(work(requests[0], outputs), once(work(requests[1], outputs)))
    assert passes.count(2) >= 6
    for seed, output in outputs.items():
        assert isinstance(output, RunOutput)
        assert output.cost.forwards == alone[seed].cost.forwards
        assert output.cost.source_memory == "miss"
        theirs, own = (np.asarray(one.images[0].image, int) for one in (output, alone[seed]))
        assert np.abs(theirs - own).max() <= 1
    for solo, shared in found.values():
        torch.testing.assert_close(shared, solo, atol=1e-4, rtol=0)
    assert len(found) == 2


def test_two_of_one_source_do_not_mix_what_they_learn(
    runner: AdditRunner, found: dict[float, list[Tensor]]
) -> None:
    """Their sources have different names, as pictures uploaded twice have, and one key."""
    one = asked(3)
    other = one.model_copy(update={"seeds": [4]})
    for request in (one, other):
        runner.forget(None)
        runner.run(request, None, ignore, "acme")
    runner.forget(None)
    outputs: dict[int, RunOutput | RunError] = {}
    sharing = runner.sharing
    assert sharing
    sharing.run(work(one, outputs), once(work(other, outputs)))
    for solo, shared in found.values():
        torch.testing.assert_close(shared, solo, atol=1e-4, rtol=0)
    assert len(found) == 2


def test_who_cannot_be_beside_others_says_so(runner: AdditRunner) -> None:
    sharing = runner.sharing
    assert sharing
    assert sharing.rows_beside(asked(1, mode="turbo"), None) == 0
    assert sharing.rows_beside(asked(1, loras=[{"name": "paper", "scale": 1.0}]), None) == 0
    flat = {"kind": "image", "image": {"id": "img_1"}, "prompt": "a room"}
    assert sharing.rows_beside(asked(1, source=flat), Image.new("RGB", (5000, 60))) == 0
    assert replace(runner, shares=False).sharing is None


def test_who_fails_does_so_alone(runner: AdditRunner) -> None:
    outputs: dict[int, RunOutput | RunError] = {}
    sharing = runner.sharing
    assert sharing
    sharing.run(work(asked(5), outputs, break_off), once(work(asked(6), outputs)))
    assert isinstance(outputs[5], RunError)
    assert isinstance(outputs[6], RunOutput)


@pytest.fixture(scope="module")
def fleet(runner: AdditRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Its engine finds a table that says that two take hardly longer than one."""
    folder = tmp_path_factory.mktemp("sharing")
    tokens = runner.grid_of(asked(1), None).tokens
    costs = BatchCosts({tokens: {1: 1.0, 2: 1.1, 4: 1.4, 8: 2.0}})
    costs.keep(Bench.of(runner.models), folder / "batches")
    real = {
        "runner": Settings().runner, "model": "embedded", "device": "cpu", "threads": 1,
        "batch_folder": f"{folder}/batches", "step_seconds": 120.0, "lease_seconds": 30.0,
    }  # fmt: skip
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder, **real), folder) as fleet:
            fleet.ready_seconds = 300.0
            yield fleet


def submit(fleet: Fleet, seed: int, steps: int) -> str:
    job = NewJob(new_id("ins"), TENANT, MODEL, asked(seed, steps), None, size=f"{SIDE}x{SIDE}")
    fleet.jobs.submit(job)
    tickets.issue(fleet.redis, MODEL)
    return job.id


def picture(fleet: Fleet, record: JobRecord) -> np.ndarray[Any, Any]:
    assert record.result, record.error
    return np.asarray(Image.open(BytesIO(fleet.artifacts.get(record.result.images[0].url))), int)


def test_a_worker_with_a_table_gives_two_jobs_the_pictures_that_each_gets_alone(fleet: Fleet) -> None:
    fleet.workers(1)
    wanted = {1: 24, 2: 20}
    alone = [fleet.until_ended(submit(fleet, seed, steps), 200) for seed, steps in wanted.items()]
    pictures = [picture(fleet, record) for record in alone]
    for record in alone:  # with what is remembered of their sources
        fleet.jobs.delete(record.id, TENANT)
    ids = [submit(fleet, seed, steps) for seed, steps in wanted.items()]
    records = [fleet.until_ended(job_id, 200) for job_id in ids]
    first, second = records
    assert first.completed_at
    assert second.claimed_at
    assert second.claimed_at < first.completed_at, fleet.logs()
    for one, solo, shown in zip(records, alone, pictures, strict=True):
        assert one.result
        assert solo.result
        assert one.attempts == 1
        assert one.result.cost.forwards == solo.result.cost.forwards
        assert np.abs(picture(fleet, one) - shown).max() <= 1
