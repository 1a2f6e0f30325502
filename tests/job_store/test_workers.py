"""The registry: who spoke lately, and what they serve."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from api_schemas.models import ModelCard
from job_store.connection import connect
from job_store.footprint import DeviceMemory
from job_store.keys import Key
from job_store.memory_use import MemoryUse, TierUse
from job_store.workers import WorkerRegistry, WorkerState
from runtime.valkey import embedded_valkey

NOW = datetime(2030, 1, 2, 3, 4, 5, 678000, UTC)
MEMORY = MemoryUse(2, 1, 1, (TierUse("device", 10, 100, 3),))
STATE = WorkerState(
    "worker-1", "small", "ready", 11, 12, NOW, NOW, MEMORY, DeviceMemory(70, 100), resident_bytes=50
)


def card(name: str) -> ModelCard:
    return ModelCard(
        name=name,
        description="-",
        licence="-",
        native_width=8,
        native_height=8,
        size_multiple=8,
        max_pixels=64,
        max_aspect=2,
        presets={},
        default_presets={},
        localizers=[],
        max_prompt_tokens=9,
    )


@pytest.fixture
def workers(redis: Redis) -> WorkerRegistry:
    return WorkerRegistry(redis)


def test_a_state_reads_as_it_was_put(workers: WorkerRegistry) -> None:
    loading = replace(STATE, name="worker-0", state="loading", engine_pid=None, last_ok=None, device=None)
    workers.put_state(STATE, ttl=60)
    workers.put_state(loading, ttl=60)
    assert workers.all() == workers.live() == [loading, STATE]
    workers.put_state(replace(STATE, state="busy"), ttl=60)
    assert workers.live()[1].state == "busy"


def test_a_state_of_a_neighbouring_release_reads_as_far_as_it_is_known(
    workers: WorkerRegistry, redis: Redis
) -> None:
    workers.put_state(STATE, ttl=60)
    told = json.loads(redis.get(Key.WORKER + STATE.name) or b"")
    del told["memory"]
    redis.set(Key.WORKER + STATE.name, json.dumps(told | {"mood": "good"}))
    assert workers.all() == [replace(STATE, memory=MemoryUse())]


def test_those_that_gave_up_or_serve_another_model_do_not_serve(workers: WorkerRegistry) -> None:
    workers.put_state(replace(STATE, state="down"), ttl=60)
    workers.put_state(replace(STATE, name="worker-2", model="large"), ttl=60)
    assert [state.name for state in workers.all()] == ["worker-1", "worker-2"]
    assert workers.live("small") == []
    assert [state.name for state in workers.live("large")] == ["worker-2"]


def test_a_silent_worker_is_forgotten(workers: WorkerRegistry, redis: Redis) -> None:
    workers.put_state(STATE, ttl=0.5)
    assert 0 < redis.pttl(Key.WORKER + STATE.name) <= 500
    redis.delete(Key.WORKER + STATE.name)
    assert workers.all() == []
    assert redis.scard(Key.WORKERS) == 0


def test_a_stopped_worker_is_gone(workers: WorkerRegistry) -> None:
    workers.put_state(STATE, ttl=60)
    workers.remove(STATE.name)
    workers.remove(STATE.name)
    assert workers.all() == []


def test_a_model_is_served_while_a_worker_of_it_lives(workers: WorkerRegistry) -> None:
    for name in ("small", "large"):
        workers.announce(card(name))
    assert workers.cards() == []
    workers.put_state(STATE, ttl=60)
    workers.put_state(replace(STATE, name="worker-2", model="unannounced"), ttl=60)
    assert workers.cards() == [card("small")]


def test_workers_stay_known_when_memory_is_short(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, connect(server.url) as redis:
        workers = WorkerRegistry(redis)
        redis.config_set("maxmemory", 1)
        workers.put_state(STATE, ttl=60)
        assert workers.live() == [STATE]
