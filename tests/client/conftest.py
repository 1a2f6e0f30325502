"""A whole stack, whose model does what the prompt says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from client.operator import running
from runtime.settings import Settings

SCRIPTED = Settings(
    port=0,
    runner="tests.workers.scripted_runner:load",
    model="scripted",
    allow_loopback_egress=True,
    admin_key=SecretStr("operate"),
)


@dataclass(frozen=True)
class Served:
    """Where it is served, to operators as well, a key for it, and its folder."""

    folder: Path
    url: str
    admin_url: str
    key: str
    redis_url: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("stack"), SCRIPTED, workers=1) as (stack, key):
        assert stack.admin_url
        yield Served(stack.folder, stack.url, stack.admin_url, key, stack.settings.redis_url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (64, 48), "teal").save(path)
    return path
