"""What the store counted, as Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.core import Metric
from redis import Redis

from api_schemas.jobs import Timings
from job_store.jobs import JobStore
from job_store.outbox import Outbox
from job_store.statistics import Statistics
from service.job_metrics import job_metrics
from tests.job_store.samples import MODEL, TENANT, new_job, result, start


@pytest.fixture
def told(redis: Redis) -> dict[str, Metric]:
    """After one success of ten steps, one cancel with a webhook, one crash; with two jobs waiting."""
    store = JobStore(redis)
    claim = start(store)
    timings = Timings(denoise=4.0, localize=0.2)
    store.commit(claim.record.id, claim.token, result().model_copy(update={"timings": timings}), 10)
    told_of = {"url": "https://example.org/hook"}
    store.cancel(store.submit(new_job(webhook=told_of))[0].id, TENANT)
    lost = start(store)
    store.release(lost.record.id, lost.token, crashed=True, max_crashes=2)
    store.submit(new_job())
    return {family.name: family for family in job_metrics(store, Statistics(redis), Outbox(redis), [MODEL])}


def values(family: Metric, name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels."""
    return {tuple(s.labels.values()): s.value for s in family.samples if s.name == name}


def test_ends_and_reasons_are_counters(told: dict[str, Metric]) -> None:
    jobs = values(told["addit_jobs"], "addit_jobs_total")
    assert jobs == {("accepted",): 4, ("succeeded",): 1, ("canceled",): 1}
    assert values(told["addit_jobs_canceled"], "addit_jobs_canceled_total") == {("queued",): 1}
    assert values(told["addit_queue_ready"], "addit_queue_ready") == {(MODEL,): 2}


def test_stages_are_histograms_with_rising_buckets(told: dict[str, Metric]) -> None:
    family = told["addit_stage_seconds"]
    stages = {stage for _, stage in values(family, "addit_stage_seconds_count")}
    assert stages == set(Timings.model_fields)
    assert values(family, "addit_stage_seconds_sum")[MODEL, "denoise"] == 4.0
    denoise = {
        edge: count
        for (_, stage, edge), count in values(family, "addit_stage_seconds_bucket").items()
        if stage == "denoise"
    }
    assert (denoise["2.5"], denoise["5.0"], denoise["+Inf"]) == (0, 1, 1)
    assert sorted(denoise.values()) == list(denoise.values())
    steps = told["addit_denoise_step_seconds"]
    assert values(steps, "addit_denoise_step_seconds_sum") == {(MODEL,): 0.4}


def test_attempts_given_back_and_webhooks_to_come_are_counted(told: dict[str, Metric]) -> None:
    assert values(told["addit_jobs_requeued"], "addit_jobs_requeued_total") == {("crashed",): 1}
    assert values(told["addit_webhooks_due"], "addit_webhooks_due") == {(): 1}
