"""A real Valkey for all tests of a run, emptied before each that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from redis import Redis

from job_store.connection import connect
from runtime.valkey import EmbeddedValkey, embedded_valkey
from tests.figures import figure as figure
from tests.s3 import s3 as s3
from tests.s3 import s3_server as s3_server

hypothesis.settings.register_profile("fuzz", max_examples=2000)
"""`make fuzz`."""


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The server. A test that stops or reconfigures it starts one of its own instead."""
    with embedded_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Redis]:
    """A client of the emptied server."""
    with connect(valkey.url) as client:
        client.flushall()
        yield client
