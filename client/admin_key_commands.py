"""`addit admin keys`: tenants' API keys on a terminal, with the operators' key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from api_schemas.keys import DAY_SECONDS, SCOPES, KeyInfo, Scope
from client.terminal import ADMIN_HERE, AdminKey, AdminUrl, console, service

keys = typer.Typer(no_args_is_help=True, help="Tenants' API keys.")
KeyName = Annotated[str, typer.Option("--name", help="What it is for; of a name there are two at a time.")]
KeyScopes = Annotated[
    list[str] | None, typer.Option("--scope", help="What it may do, several too; all by default.")
]
KeyLife = Annotated[int | None, typer.Option("--expires", min=1, help="Seconds that it works.")]
Overlap = Annotated[int, typer.Option("--overlap", min=0, help="Seconds that the old one still works.")]


@keys.command()
def create(
    tenant: str,
    key: AdminKey,
    name: KeyName = "",
    scope: KeyScopes = None,
    expires: KeyLife = None,
    url: AdminUrl = ADMIN_HERE,
) -> None:
    """A new key of a tenant, shown this once."""
    with service(url, key) as addit:
        console.print(addit.admin.create_key(tenant, name, scopes_of(scope), expires).key)


@keys.command("list")
def list_keys(tenant: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """A tenant's live keys, without their secrets."""
    with service(url, key) as addit:
        console.print(key_table(addit.admin.keys(tenant)))


@keys.command()
def rotate(
    key_id: str,
    key: AdminKey,
    overlap: Overlap = DAY_SECONDS,
    expires: KeyLife = None,
    url: AdminUrl = ADMIN_HERE,
) -> None:
    """A new key that may do the same, shown this once; the old one works until the overlap ends."""
    with service(url, key) as addit:
        console.print(addit.admin.rotate_key(key_id, overlap, expires).key)


@keys.command()
def revoke(key_id: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """End a key at once."""
    with service(url, key) as addit:
        addit.admin.revoke_key(key_id)
    console.print(f"{key_id} revoked", markup=False)


def scopes_of(said: Sequence[str] | None) -> tuple[Scope, ...]:
    """All where none is said. Raises BadParameter."""
    unknown = set(said or ()) - set(SCOPES)
    if unknown:
        raise typer.BadParameter(f"no scope {unknown.pop()!r}; there are {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if not said or scope in said)


def key_table(found: Sequence[KeyInfo]) -> Table:
    """Keys for people."""
    table = Table("id", "name", "may", "made", "last used", "ends")
    for key in found:
        times = (key.created_at, key.last_used_at, key.expires_at)
        table.add_row(
            key.id, key.name, " ".join(key.scopes), *(f"{at:%Y-%m-%d %H:%M}" if at else "-" for at in times)
        )
    return table
