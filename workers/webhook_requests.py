"""What is sent of a delivery: the address, the body as things are at this try, headers with signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from standardwebhooks.webhooks import Webhook

from api_schemas.base import ResponseModel
from api_schemas.insertions import WebhookEvent
from api_schemas.webhooks import EndpointDisabledBody, EndpointTestBody, TestData, WebhookBody
from job_store.errors import NotFound
from job_store.jobs import JobStore
from job_store.links import sign
from job_store.outbox import Delivery
from job_store.records import JobRecord
from job_store.views import to_job
from job_store.webhook_endpoints import EndpointRecord, WebhookEndpoints
from job_store.webhook_secrets import derived_secrets
from job_store.webhook_views import to_endpoint
from runtime.settings import Settings


class Undeliverable(Exception):
    """There is nothing to send, or nowhere to send it; the message says why."""


@dataclass(frozen=True)
class WebhookRequest:
    """One POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class WebhookRequests:
    """Makes them. Calls may raise StoreUnavailable."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings, self._jobs, self._endpoints = settings, JobStore(redis), WebhookEndpoints(redis)

    def make(self, delivery: Delivery) -> WebhookRequest:
        """The request of this try. Raises Undeliverable."""
        endpoint, job = self._endpoint(delivery), self._job(delivery)
        url = endpoint.url or (str(job.request.webhook.url) if job and job.request.webhook else None)
        if url is None:
            raise Undeliverable("the job has no webhook")
        if not endpoint.enabled and delivery.event != "webhook_endpoint.test":
            raise Undeliverable("the endpoint is disabled")
        body = self._body(delivery, job).model_dump_json().encode()
        secret_ids = endpoint.secret_ids(delivery.taken_at)
        secrets = derived_secrets(self._settings.webhook_masters, endpoint.key, secret_ids)
        headers = signed(delivery.id, body, secrets, delivery.taken_at)
        traced = {"traceparent": job.traceparent} if job and job.traceparent else {}
        return WebhookRequest(url, body, {**headers, **traced})

    def _endpoint(self, delivery: Delivery) -> EndpointRecord:
        try:
            return self._endpoints.get(delivery.endpoint, delivery.tenant)
        except NotFound:
            raise Undeliverable("the endpoint was deleted") from None

    def _job(self, delivery: Delivery) -> JobRecord | None:
        if delivery.job_id is None:
            return None
        try:
            return self._jobs.get(delivery.job_id, delivery.tenant)
        except NotFound:
            raise Undeliverable("the job was deleted") from None

    def _body(self, delivery: Delivery, job: JobRecord | None) -> ResponseModel:
        match delivery.event:
            case "webhook_endpoint.test":
                data = TestData(endpoint_id=delivery.resource)
                return EndpointTestBody(type=delivery.event, timestamp=delivery.created_at, data=data)
            case "webhook_endpoint.disabled":
                try:
                    disabled = self._endpoints.get(delivery.resource, delivery.tenant)
                except NotFound:
                    raise Undeliverable("the endpoint it tells of was deleted") from None
                shown = to_endpoint(disabled, delivery.taken_at)
                return EndpointDisabledBody(type=delivery.event, timestamp=delivery.created_at, data=shown)
            case event:
                assert job is not None
                return insertion_body(event, delivery, job, self._settings)


def insertion_body(
    event: WebhookEvent, delivery: Delivery, record: JobRecord, settings: Settings
) -> WebhookBody:
    """The thin body: the job as the API shows it, pictures as links that are fresh at this try."""
    now, secret = delivery.taken_at.timestamp(), settings.signing_secret.get_secret_value()
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    job = to_job(record, None, lambda key: sign(key, secret, now, settings.link_seconds), base_url)
    return WebhookBody(type=event, timestamp=delivery.created_at, data=job)


def signed(message_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a delivery; several secrets give several signatures, for changing them over."""
    now = now.astimezone(UTC)  # the library takes any time for UTC
    return {
        "content-type": "application/json",
        "user-agent": "addit-webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets
        ),
    }
