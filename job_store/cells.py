"""Which of several cells has a tenant. Pure: the same in every process, machine and release."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping


def home(tenant: str, cells: Iterable[str], moved: Mapping[str, str]) -> str:
    """The tenant's cell, "" while it is being moved.

    moved: tenants that have another cell than the rule gives them
    The rule is rendezvous hashing (Thaler and Ravishankar 1998): a cell more takes its share of tenants from
    all others, and moves nobody between them.
    """
    return moved[tenant] if tenant in moved else max(cells, key=lambda cell: (_draw(cell, tenant), cell))


def pins(
    tenants: Iterable[str], cells: Collection[str], added: str, moved: Mapping[str, str]
) -> dict[str, str]:
    """`moved`, and the tenants that the rule would give to an `added` cell: each stays where it is."""
    more = [*cells, added]
    going = (tenant for tenant in tenants if home(tenant, more, moved) == added)
    return {tenant: home(tenant, cells, moved) for tenant in going} | dict(moved)


def _draw(cell: str, tenant: str) -> bytes:
    return hashlib.sha256(f"{cell}\n{tenant}".encode()).digest()
