"""How jobs are answered: the body with its links, its ETag, when to look again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi.responses import Response
from pydantic import BaseModel

from api_schemas.jobs import TERMINAL, InsertionJob
from job_store.records import JobRecord
from job_store.views import to_job
from service.gateway import Gateway
from service.standing import queue_state

POLL_SECONDS = 1


def job_body(gateway: Gateway, record: JobRecord) -> InsertionJob:
    """The job as its tenant sees it."""
    return to_job(record, queue_state(gateway, record), gateway.links.artifact, gateway.links.base_url)


def job_answer(
    gateway: Gateway, record: JobRecord, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """With `Retry-After` until the job has ended."""
    poll = {} if record.status in TERMINAL else {"Retry-After": str(POLL_SECONDS)}
    return json_answer(job_body(gateway, record), status, {**poll, **(headers or {})})


def json_answer(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The body's JSON with an `ETag` of it; for one tenant's eyes only."""
    content = body.model_dump_json()
    tag = hashlib.sha256(content.encode()).hexdigest()[:32]
    fixed = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    return Response(content, status, {**fixed, **(headers or {})}, "application/json")


def replayed_unless(fresh: bool) -> dict[str, str]:
    """The header of an answer that tells again of what was made before."""
    return {} if fresh else {"Idempotent-Replayed": "true"}


def not_modified(response: Response, if_none_match: str | None) -> Response:
    """`response`, or 304 in its place when the client has it already (weak comparison, RFC 9110)."""
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    if response.headers["ETag"] not in tags and "*" not in tags:
        return response
    kept = {
        name: response.headers[name]
        for name in ("ETag", "Cache-Control", "Retry-After")
        if name in response.headers
    }
    return Response(status_code=304, headers=kept)
