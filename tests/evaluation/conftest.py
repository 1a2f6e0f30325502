"""A world with stand-in sprites, as Toyland's own tests have it."""

from __future__ import annotations

from tests.toyland.conftest import world as world
