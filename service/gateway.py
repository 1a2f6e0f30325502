"""What every route shares, made once per app and handed around as one value."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from redis import Redis

from job_store.api_keys import ApiKeys
from job_store.artifacts import ArtifactStore
from job_store.batches import BatchStore
from job_store.connection import connect, connect_async, connect_blocking
from job_store.delivery_log import DeliveryLog
from job_store.event_reader import EventReader
from job_store.images import ImageStore
from job_store.jobs import JobStore
from job_store.operations import Operations
from job_store.outbox import Outbox
from job_store.outlook import Outlook
from job_store.scenes import SceneStore
from job_store.statistics import Statistics
from job_store.tenants import Limits, Tenants
from job_store.usage import Usage
from job_store.webhook_endpoints import WebhookEndpoints
from job_store.workers import WorkerRegistry
from runtime.content_credentials import Credentials, credentials_of
from runtime.moderation import Moderator, moderator_of
from runtime.settings import Settings
from service.cells.standing import Standing
from service.intake.decoders import Decoders
from service.links import Links
from service.metrics import Metrics, StoreMetrics

DECODERS = 2
SUBMISSION_THREADS = 32
"""Of their own, so that slow pictures and slow URLs never keep a poll waiting."""


@dataclass(frozen=True)
class Gateway:
    """The stores and tools behind the routes. `stopping` is set when the process was told to stop."""

    settings: Settings
    redis: Redis
    events: EventReader
    store: JobStore
    artifacts: ArtifactStore
    images: ImageStore
    scenes: SceneStore
    usage: Usage
    batches: BatchStore
    api_keys: ApiKeys
    webhook_endpoints: WebhookEndpoints
    deliveries: DeliveryLog
    workers: WorkerRegistry
    tenants: Tenants
    operations: Operations
    outlook: Outlook
    decoders: Decoders
    links: Links
    metrics: Metrics
    credentials: Credentials | None
    moderator: Moderator | None
    submission_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(SUBMISSION_THREADS))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    streams: Counter[str] = field(default_factory=Counter)
    """Open event streams per tenant."""
    standing: Standing | None = None
    """Of its store, where that is one of several cells."""


def build_gateway(settings: Settings) -> Gateway:
    """Everything from the settings. Connects lazily: a store that is down means 503 later, no failure now."""
    redis = connect(settings.redis_url)
    usual = usual_limits(settings)
    store, workers = JobStore(redis, settings.max_queued, usual), WorkerRegistry(redis)
    return Gateway(
        settings=settings,
        redis=redis,
        events=EventReader(connect_async(settings.redis_url), connect_blocking(settings.redis_url)),
        store=store,
        artifacts=ArtifactStore(settings.artifact_url),
        images=ImageStore(redis),
        scenes=SceneStore(redis),
        usage=Usage(redis),
        batches=BatchStore(redis),
        api_keys=ApiKeys(redis),
        webhook_endpoints=WebhookEndpoints(redis),
        deliveries=DeliveryLog(redis),
        workers=workers,
        tenants=Tenants(redis, usual),
        operations=Operations(redis),
        outlook=Outlook(redis),
        decoders=Decoders(
            DECODERS,
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            seconds=settings.intake_seconds,
        ),
        links=Links(settings),
        metrics=Metrics(
            StoreMetrics(store, workers, Statistics(redis), Outbox(redis), Outlook(redis), Operations(redis)),
            shared=settings.gateway_processes > 1,
        ),
        credentials=credentials_of(settings),
        moderator=moderator_of(settings),
    )


def usual_limits(settings: Settings) -> Limits:
    """Of tenants that were given none of their own."""
    return Limits(
        weight=settings.tenant_weight,
        max_running=settings.tenant_max_running,
        max_queued=settings.tenant_max_queued,
        per_minute=settings.tenant_per_minute,
        max_retain_seconds=settings.tenant_max_retain_seconds,
    )
