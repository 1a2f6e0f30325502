"""Two cells as they are run: a Valkey, a folder and a worker each, and one gateway before them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from api_schemas.base import new_id
from job_store.api_keys import ApiKeys
from job_store.cells import home
from job_store.connection import connect
from runtime.settings import CellPlace, Settings
from runtime.valkey import EmbeddedValkey, embedded_valkey, free_port
from tests.faults.gateways import GatewayProcess, gateway_of
from tests.workers.fleet import Fleet, fleet_of, short

NAMES = ("one", "two")
OPERATORS_KEY = "operate"
BODY = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": "a dog in a room", "subject": "dog"}


@dataclass(frozen=True)
class OneCell:
    """valkey: its server; fleet: its store, pictures, workers and background."""

    name: str
    valkey: EmbeddedValkey
    fleet: Fleet

    @property
    def place(self) -> CellPlace:
        url = self.fleet.settings.artifact_url
        return {"redis_url": self.valkey.url, "artifact_url": url}


@dataclass(frozen=True)
class Stack:
    """The gateway and its cells."""

    cells: dict[str, OneCell]
    gateway: GatewayProcess
    folder: Path

    @property
    def settings(self) -> Settings:
        return self.gateway.settings

    def tenant_of(self, cell: str, number: int = 0) -> str:
        """A tenant whom the rule gives to this cell."""
        names = (f"tenant-{one}" for one in range(1000))
        return [name for name in names if home(name, self.cells, {}) == cell][number]

    def client(self, tenant: str, cell: str | None = None) -> httpx.Client:
        """With a fresh key of a tenant, which lies in its cell."""
        store = self.cells[cell or home(tenant, self.cells, {})].fleet.redis
        headers = {"Authorization": f"Bearer {ApiKeys(store).create(tenant, new_id('key'))}"}
        return httpx.Client(base_url=self.gateway.url, headers=headers, timeout=30)

    def operators(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {OPERATORS_KEY}"}
        url = f"http://{self.settings.admin_host}:{self.settings.admin_port}"
        return httpx.Client(base_url=url, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("cells")
    with ExitStack() as ending:
        cells = {name: ending.enter_context(_cell(folder / name, name)) for name in NAMES}
        settings = short("redis://127.0.0.1:1/0", folder).model_copy(
            update={
                "cells": {name: cell.place for name, cell in cells.items()},
                "port": free_port(),
                "admin_port": free_port(),
                "admin_key": SecretStr(OPERATORS_KEY),
            }
        )
        gateway = ending.enter_context(gateway_of(settings, folder))
        for cell in cells.values():
            cell.fleet.workers(1)
        yield Stack(cells, gateway, folder)


@contextmanager
def _cell(folder: Path, name: str) -> Iterator[OneCell]:
    """A cell while the context lasts; what it promises is checked at its end."""
    folder.mkdir()
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder), folder) as fleet:
            fleet.background()
            yield OneCell(name, valkey, fleet)
