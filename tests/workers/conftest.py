"""Worker processes on a Valkey of their own, shared by the tests of a file: starting one takes a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from job_store.connection import connect
from runtime.valkey import embedded_valkey
from tests.workers.fleet import Fleet, fleet_of, short


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder), folder) as fleet:
            yield fleet
