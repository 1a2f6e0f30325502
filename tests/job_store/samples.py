"""Small things that the store's tests put in, and a way to let time pass without waiting."""

from __future__ import annotations

from typing import Any

from redis import Redis

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import Cost, InsertionResult, Progress, ResultImage, Timings
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import Claim, NewJob
from job_store.server import Server

MODEL, TENANT, WORKER = "small", "acme", "worker-1"
LEASE_MS, MAX_CRASHES = 30_000, 2
PROGRESS = Progress(stage="denoise", step=3, total=10, percent=30)


def request(**fields: Any) -> InsertionRequest:
    given = {
        "source": {"kind": "generated", "prompt": "a room"},
        "prompt": "a dog in a room",
        "subject": "dog",
    }
    return InsertionRequest.model_validate(given | fields)


def new_job(tenant: str = TENANT, model: str = MODEL, job_id: str | None = None, **fields: Any) -> NewJob:
    return NewJob(job_id or new_id("ins"), tenant, model, request(**fields), source_key=None)


def result(key: str = "t/acme/j/ins_1/a/0.png") -> InsertionResult:
    image = ResultImage(
        seed=1, url=key, mask_url=key.replace("0.png", "mask.png"), width=8, height=8, subject_found=True,
        extended_scale=1.05,
    )  # fmt: skip
    cost = Cost(forwards=1, gpu_seconds=0.5, source_memory="miss")
    return InsertionResult(images=[image], timings=Timings(), cost=cost)


def start(store: JobStore, **fields: Any) -> Claim:
    """Submit a job and claim it."""
    store.submit(new_job(**fields))
    return must(store.claim(MODEL, WORKER, LEASE_MS))


def events_of(redis: Redis, job_id: str) -> list[tuple[str, str]]:
    """Type and data of everything that was told about a job."""
    entries = Server(redis).command("XRANGE", Key.EVENTS + job_id, "-", "+")
    return [(fields[b"type"].decode(), fields[b"data"].decode()) for _, fields in entries]


def must(claim: object) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def pass_time(redis: Redis, job_id: str, ms: int) -> None:
    """Move everything the store noted about a job into the past, as if `ms` had gone by since."""
    for name in ("created_at", "started_at", "completed_at", "deadline_at", "delete_at"):
        if redis.hexists(Key.JOB + job_id, name):
            redis.hincrby(Key.JOB + job_id, name, -ms)
    for key in (Key.LEASES, Key.DEADLINES, Key.DELETIONS):
        if redis.zscore(key, job_id) is not None:
            redis.zincrby(key, -ms, job_id)
    model = redis.hget(Key.JOB + job_id, "model")
    place = redis.hget(Key.JOB + job_id, "place")
    assert isinstance(model, bytes)
    assert isinstance(place, bytes)
    redis.hset(Key.JOB + job_id, "place", int(place) - ms * 1000)
    tenant = redis.hget(Key.JOB + job_id, "tenant")
    assert isinstance(tenant, bytes)
    line = f"{Key.LINE}{model.decode()}:{tenant.decode()}"
    for name in (Key.READY + model.decode(), line):
        if redis.zscore(name, job_id) is not None:
            redis.zincrby(name, -ms * 1000, job_id)
    if redis.zscore(Key.RIPENING + model.decode(), tenant) is not None:
        redis.zincrby(Key.RIPENING + model.decode(), -ms * 1000, tenant.decode())
