"""The cells of a gateway: an app for tenants and one for operators each, with all they work with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from fastapi import FastAPI
from starlette.types import ASGIApp

from job_store.cells import home
from job_store.connection import connect_async
from runtime.settings import Settings
from service.app import create_operators_app, create_tenants_app
from service.cells.directory import Directory
from service.cells.standing import Standing
from service.gateway import Gateway, build_gateway

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Cell:
    """One of them. Nothing in it knows of the others, but that all decode pictures in the same processes."""

    name: str
    tenants: FastAPI
    operators: FastAPI
    standing: Standing

    @property
    def gateway(self) -> Gateway:
        """What its apps work with."""
        gateway: Gateway = self.tenants.state.gateway
        return gateway


@dataclass(frozen=True)
class Cells:
    """All of them, by name, and which tenants live elsewhere than the rule says."""

    by_name: dict[str, Cell]
    moved: dict[str, str]
    directory: Directory
    stopping: asyncio.Event

    def all(self) -> list[Cell]:
        """In the settings' order."""
        return [*self.by_name.values()]

    def of_tenant(self, tenant: str) -> Cell | None:
        """Its cell; None while it moves."""
        return self.by_name.get(home(tenant, self.by_name, self.moved))

    def any(self) -> Cell:
        """One for what no store is asked for; one that is up if any is."""
        return next((cell for cell in self.all() if cell.standing.up), self.all()[0])

    @asynccontextmanager
    async def live(self, app: ASGIApp) -> AsyncIterator[None]:
        """From start to end of the process; the first cell's app begins and ends what all share."""
        first, *others = self.all()
        ended = asyncio.Event()
        watching = [asyncio.create_task(cell.standing.watch(ended)) for cell in self.all()]
        async with first.tenants.router.lifespan_context(first.tenants):
            yield
        ended.set()
        await asyncio.gather(*watching)
        for cell in others:
            await cell.gateway.events.close()
            cell.gateway.redis.close()
        for cell in self.all():
            await cell.standing.redis.aclose()


def build_cells(settings: Settings) -> Cells:
    """From the settings. Raises `ValueError` on unusable ones."""
    unknown = {*settings.moved_tenants.values()} - {*settings.cells, ""}
    if unknown:
        raise ValueError(f"ADDIT_MOVED_TENANTS names cells that ADDIT_CELLS does not: {sorted(unknown)}")
    if unfit := [name for name in settings.cells if not NAME.fullmatch(name)]:
        raise ValueError(f"cells are named like {NAME.pattern}, not {unfit}")
    gateways = [_gateway(settings, name) for name in settings.cells]
    decoders, stopping = gateways[0].decoders, gateways[0].stopping
    cells = [_cell(replace(gateway, decoders=decoders, stopping=stopping)) for gateway in gateways]
    return Cells(
        by_name={cell.name: cell for cell in cells},
        moved=settings.moved_tenants,
        directory=Directory([cell.standing for cell in cells]),
        stopping=stopping,
    )


def _gateway(settings: Settings, name: str) -> Gateway:
    place = settings.cells[name]
    gateway = build_gateway(settings.model_copy(update={**place}))
    return replace(gateway, standing=Standing(name, connect_async(place["redis_url"])))


def _cell(gateway: Gateway) -> Cell:
    assert gateway.standing is not None
    return Cell(
        gateway.standing.cell, create_tenants_app(gateway), create_operators_app(gateway), gateway.standing
    )
