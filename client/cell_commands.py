"""`addit cells`: where tenants live that are shared out over several cells, and how one moves.

For whoever runs the service, with the gateway's settings and access to the cells' stores and pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from client.terminal import console
from job_store import cells as rule
from job_store.artifacts import ArtifactStore
from job_store.connection import connect
from job_store.errors import StoreError
from job_store.moving import Place, copy_tenant, forget_tenant, tenants_of
from runtime.settings import Settings

cells = typer.Typer(no_args_is_help=True, help="Cells of a service that has several: ADDIT_CELLS.")
Cell = Annotated[str, typer.Argument(help="Its name in ADDIT_CELLS.")]


@cells.command()
def home(tenant: str) -> None:
    """The cell that has a tenant."""
    with _settings() as settings:
        found = rule.home(tenant, settings.cells, settings.moved_tenants)
    console.print(found or "none: it is being moved", markup=False)


@cells.command()
def pins(added: Annotated[str, typer.Argument(help="The name that a new cell shall have.")]) -> None:
    """ADDIT_MOVED_TENANTS with which a new cell takes nobody yet: every tenant there is stays where it is."""
    with _settings() as settings:
        known = {tenant for cell in settings.cells for tenant in tenants_of(_place(settings, cell).redis)}
        kept = rule.pins(sorted(known), settings.cells, added, settings.moved_tenants)
    console.print(json.dumps(kept), markup=False)


@cells.command()
def move(tenant: str, source: Cell, target: Cell) -> None:
    """Copy all that a tenant has. Its gateways must be closed to it before; it can be repeated."""
    with _settings() as settings:
        if settings.moved_tenants.get(tenant) != "":
            raise ValueError(f'set ADDIT_MOVED_TENANTS={{"{tenant}": ""}} on every gateway first, and here')
        moved = copy_tenant(tenant, _place(settings, source), _place(settings, target))
    console.print(f"copied: {moved.jobs} jobs, {moved.keys} keys, {moved.pictures} pictures")
    console.print(f'now on every gateway: ADDIT_MOVED_TENANTS={{"{tenant}": "{target}"}}', markup=False)


@cells.command()
def forget(tenant: str, cell: Cell) -> None:
    """Remove what a cell still has of a tenant that lives in another."""
    with _settings() as settings:
        if rule.home(tenant, settings.cells, settings.moved_tenants) in (cell, ""):
            raise ValueError(f"{tenant} lives in {cell}, or is being moved")
        console.print(f"{forget_tenant(tenant, _place(settings, cell))} keys removed")


@contextmanager
def _settings() -> Iterator[Settings]:
    """What goes wrong becomes a message and exit code 1."""
    try:
        settings = Settings()
        if not settings.cells:
            raise ValueError("ADDIT_CELLS is not set: there is one store, and every tenant is in it")
        yield settings
    except (StoreError, ValueError) as error:
        console.print(str(error) or type(error).__name__, style="red", markup=False)
        raise typer.Exit(1) from None


def _place(settings: Settings, cell: str) -> Place:
    if cell not in settings.cells:
        raise ValueError(f"ADDIT_CELLS has no {cell}")
    place = settings.cells[cell]
    return Place(connect(place["redis_url"]), ArtifactStore(place["artifact_url"]))
