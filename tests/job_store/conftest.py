"""The store under test. Whatever a test does to it, the promises hold at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from job_store.audit import violations
from job_store.jobs import JobStore


@pytest.fixture
def store(redis: Redis) -> Iterator[JobStore]:
    yield JobStore(redis)
    assert violations(redis) == []
