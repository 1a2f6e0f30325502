"""The gateway as it is run: uvicorn on a free port, a real Valkey behind it, a worker in name only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from api_schemas.insertions import Options
from api_schemas.jobs import Cost, InsertionResult, ResultImage, Timings
from api_schemas.models import ModelCard
from job_store.api_keys import ApiKeys
from job_store.artifacts import ArtifactStore, attempt_key
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry, WorkerState
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey, free_port
from service.server import Server, build_server
from tests.service.pictures import encoded, gradient

OPTIONS = Options(
    num_inference_steps=10,
    guidance_scale=3.5,
    extended_scale=1.05,
    structure_transfer_step=2,
    blend_steps=[5],
    localizer="attention",
    inversion="noising",
    keep_shadow=True,
    source_scale=1,
    use_offset=False,
    softness=0,
    source_shift=[0, 0],
)
CARD = ModelCard(
    name="small",
    description="A small world.",
    licence="Apache-2.0",
    native_width=128,
    native_height=128,
    size_multiple=16,
    max_pixels=256 * 256,
    max_aspect=3,
    presets={"real": OPTIONS, "made": OPTIONS},
    default_presets={"image": "real", "generated": "made"},
    localizers=["attention"],
    vocabulary=["a", "an", "and", "of", "photo", "with", "dog", "bed", "red", "room"],
    subjects=["dog"],
    max_prompt_tokens=16,
    loras=["ink"],
)
BODY = {
    "source": {"kind": "generated", "prompt": "a photo of a room", "seed": 3},
    "prompt": "a photo of a dog",
    "subject": "dog",
    "seeds": [1],
}
"""The smallest request there is."""


OPERATORS_KEY = "operate"


def admin_address_of(settings: Settings) -> str:
    return f"http://{settings.admin_host}:{settings.admin_port}"


def make_settings(valkey: EmbeddedValkey, folder: Path, **changes: object) -> Settings:
    fixed = {
        "redis_url": valkey.url,
        "artifact_url": f"file://{folder}",
        "signing_secret": SecretStr("only for tests"),
        "port": free_port(),
        "admin_port": free_port(),
        "max_body_bytes": 2 * 2**20,
        "max_image_bytes": 2**20,
        "allow_loopback_egress": True,
    }
    return Settings(_env_file=None, **{**fixed, **changes})  # type: ignore[arg-type]


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Run the gateway in a thread; its address."""
    with run(build_server(settings)) as url:
        yield url


@contextmanager
def run(server: Server) -> Iterator[str]:
    """In a thread; the tenants' address."""
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        thread.join(0.01)
    assert server.started
    try:
        host, port = server.addresses[0]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def settings(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    key = SecretStr(OPERATORS_KEY)
    return make_settings(valkey, tmp_path_factory.mktemp("artifacts"), admin_key=key)


@pytest.fixture(scope="session")
def address(settings: Settings) -> Iterator[str]:
    with serving(settings) as url:
        yield url


@pytest.fixture(scope="session")
def admin_address(settings: Settings, address: str) -> str:
    """Where the same gateway serves operators."""
    return admin_address_of(settings)


@pytest.fixture
def store(redis: Redis) -> JobStore:
    return JobStore(redis)


@pytest.fixture
def artifacts(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.artifact_url)


@pytest.fixture
def worker(redis: Redis) -> WorkerRegistry:
    """One that serves CARD, as far as the registry knows."""
    registry = WorkerRegistry(redis)
    registry.announce(CARD)
    put_worker(registry)
    return registry


def put_worker(registry: WorkerRegistry, **changes: object) -> None:
    now = datetime.now(UTC)
    fields = {"state": "ready", "pid": 1, "engine_pid": 2, "last_ok": now, "started_at": now, **changes}
    registry.put_state(WorkerState(name="one", model=CARD.name, **fields), 60)  # type: ignore[arg-type]


@pytest.fixture
def client_of(address: str, redis: Redis) -> Iterator[Callable[[str], httpx.Client]]:
    """A client with a fresh key of a tenant."""
    opened = []

    def client(tenant: str) -> httpx.Client:
        key = ApiKeys(redis).create(tenant, "test")
        headers = {"Authorization": f"Bearer {key}"}
        opened.append(httpx.Client(base_url=address, headers=headers, timeout=20))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.fixture
def client(client_of: Callable[[str], httpx.Client]) -> httpx.Client:
    """The tenant acme's."""
    return client_of("acme")


@pytest.fixture
def finish(store: JobStore, artifacts: ArtifactStore) -> Callable[[], str]:
    """Do the next job as a worker would; its id."""

    def done() -> str:
        claim = store.claim(CARD.name, "one", 30_000)
        assert claim
        record = claim.record
        key = attempt_key(record.tenant, record.id, claim.token, "result-1.png")
        artifacts.put(key, encoded(gradient()))
        image = ResultImage(seed=1, url=key, width=40, height=30, subject_found=True, extended_scale=1.05)
        cost = Cost(forwards=20, gpu_seconds=1, source_memory="none")
        store.commit(record.id, claim.token, InsertionResult(images=[image], timings=Timings(), cost=cost))
        return record.id

    return done
