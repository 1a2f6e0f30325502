"""How a record looks to its tenant. Shared by the gateway and the webhook sender."""

from __future__ import annotations

from collections.abc import Callable

from api_schemas.jobs import InsertionJob, InsertionResult, JobUrls, QueueState, ResultImage
from job_store.records import JobRecord
from job_store.result_images import result_image_id

Link = Callable[[str], str]
"""From an artifact key to a signed link, such as `links.sign` makes: a path, or absolute."""


def to_job(record: JobRecord, queue: QueueState | None, link: Link, base_url: str) -> InsertionJob:
    """The job as the API shows it; `queue` while it has not ended."""
    self_url = f"{base_url.rstrip('/')}/v1/insertions/{record.id}"
    return InsertionJob(
        id=record.id,
        status=record.status,
        created_at=record.created_at,
        started_at=record.started_at,
        completed_at=record.completed_at,
        progress=record.progress,
        queue=queue,
        attempts=record.attempts,
        model=record.model,
        request=record.request,
        dropped_seeds=list(record.dropped_seeds),
        result=_linked(record, lambda key: _absolute(link(key), base_url)),
        error=record.error,
        urls=JobUrls(self=self_url, events=f"{self_url}/events", cancel=f"{self_url}/cancel"),
        parent_id=record.parent_id,
        scene_id=record.scene_id,
        metadata=record.request.metadata,
    )


def _absolute(url: str, base_url: str) -> str:
    return f"{base_url.rstrip('/')}{url}" if url.startswith("/") else url


def _linked(record: JobRecord, link: Link) -> InsertionResult | None:
    result = record.result
    if result is None:
        return None
    images = [
        image.model_copy(update={"id": result_image_id(record.id, index), **_links_of(image, link)})
        for index, image in enumerate(result.images)
    ]
    return result.model_copy(update={"images": images, **_links_of(result, link)})


def _links_of(model: ResultImage | InsertionResult, link: Link) -> dict[str, str]:
    names = [name for name in type(model).model_fields if name == "url" or name.endswith("_url")]
    return {name: link(key) for name in names if (key := getattr(model, name)) is not None}
