"""Where the API is, and whose key speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from client.async_client import AsyncAddit
from client.client import Addit
from client.terminal import ADMIN_HERE


@dataclass(frozen=True)
class Connection:
    """The service that the studio speaks to.

    url: as the studio reaches it; key: for everybody who opens the page, empty if each gives an own one
    admin_url: the gateway's port for operators; public_url: as callers reach the service
    """

    url: str
    key: str = ""
    admin_url: str = ADMIN_HERE
    public_url: str = ""

    @asynccontextmanager
    async def open(self, key: str = "") -> AsyncIterator[AsyncAddit]:
        """The async client, with a visitor's own key where there is no common one."""
        async with AsyncAddit(self.url, self.key or key) as addit:
            yield addit

    @contextmanager
    def operate(self, key: str) -> Iterator[Addit]:
        """The blocking client with an operators' key."""
        with Addit(self.admin_url, key, seconds=5) as addit:
            yield addit
