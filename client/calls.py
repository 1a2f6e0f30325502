"""The API as values: what to send and how to read the answer. No I/O; both clients send these."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from api_schemas.errors import Problem
from api_schemas.estimates import Estimate
from api_schemas.images import ImageAsset
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import InsertionJob, InsertionList
from api_schemas.masks import MaskRequest
from api_schemas.models import ModelList
from api_schemas.usage import UsageReport
from client.errors import ApiError, NotSucceeded, Unreachable

T = TypeVar("T")
INSERTIONS = "/v1/insertions"
ANYTHING = TypeAdapter[object](object)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request. `patience`: seconds the service itself may take before it answers."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    options: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 0


def submit(request: InsertionRequest, idempotency_key: str | None = None) -> Call[InsertionJob]:
    """The same key with the same request is the same job: a retry adds nothing twice."""
    return submission(INSERTIONS, request, read_job, idempotency_key)


def estimate(request: InsertionRequest) -> Call[Estimate]:
    """What submitting it would come to."""
    headers, body = {"Content-Type": "application/json"}, request.model_dump_json()
    options = {"content": body, "headers": headers}
    return Call("POST", "/v1/estimates", lambda it: Estimate.model_validate_json(it.content), options)


def vary(job_id: str, changes: Mapping[str, Any], idempotency_key: str | None = None) -> Call[InsertionJob]:
    """A new job on the same source. `changes`: fields of an `InsertionRequest` but `source` and `model`."""
    return submission(f"{INSERTIONS}/{job_id}/variations", dict(changes), read_job, idempotency_key)


def remask(job_id: str, request: MaskRequest, idempotency_key: str | None = None) -> Call[InsertionJob]:
    """A new job: the same insertion, its subject cut out differently."""
    return submission(f"{INSERTIONS}/{job_id}/mask", request, read_job, idempotency_key)


def insertions(**filters: str | int | datetime | None) -> Call[InsertionList]:
    """A page of the own jobs; `filters` as the API names them, those that are None aside."""
    given = {name: value for name, value in filters.items() if value is not None}
    params = {name: at.isoformat() if isinstance(at, datetime) else at for name, at in given.items()}
    return Call(
        "GET", INSERTIONS, lambda it: InsertionList.model_validate_json(it.content), {"params": params}
    )


def job(job_id: str, wait: int = 0) -> Call[InsertionJob]:
    """The job as it is now, or as soon as it has ended within `wait` seconds (at most 60)."""
    return Call("GET", f"{INSERTIONS}/{job_id}", read_job, {"params": {"wait": wait} if wait else {}}, wait)


def cancel(job_id: str) -> Call[InsertionJob]:
    """Asks for an end; a running job ends within a step."""
    return Call("POST", f"{INSERTIONS}/{job_id}/cancel", read_job)


def drop_seed(job_id: str, seed: int) -> Call[InsertionJob]:
    """Asks for one seed less; a running job goes on without it within a step."""
    return Call("DELETE", f"{INSERTIONS}/{job_id}/seeds/{seed}", read_job)


def delete(job_id: str) -> Call[None]:
    """Purges the job, its prompts and pictures."""
    return Call("DELETE", f"{INSERTIONS}/{job_id}", lambda _: None)


def upload(picture: bytes, name: str) -> Call[ImageAsset]:
    """A picture to be used by its id."""
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    options = {"files": {"file": (name, picture, media_type)}, "headers": once()}
    return Call("POST", "/v1/images", lambda it: ImageAsset.model_validate_json(it.content), options)


def once() -> dict[str, str]:
    """The header under which a call that is tried again makes nothing twice."""
    return {"Idempotency-Key": secrets.token_hex(16)}


def models() -> Call[ModelList]:
    """What is served now."""
    return Call("GET", "/v1/models", lambda answer: ModelList.model_validate_json(answer.content))


def usage(since: date | None = None, until: date | None = None) -> Call[UsageReport]:
    """What the own jobs came to, by UTC day; the last 30 by default."""
    given = {"since": since, "until": until}
    params = {name: day.isoformat() for name, day in given.items() if day is not None}
    return Call(
        "GET", "/v1/usage", lambda it: UsageReport.model_validate_json(it.content), {"params": params}
    )


def download(link: str) -> Call[bytes]:
    """The bytes behind a signed link of a result; the link is the right to read, so the key stays here."""
    return Call("GET", link, lambda answer: answer.content, {"auth": None})


class Bearer(httpx.Auth):
    """The API key, as the service wants it."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


def succeeded(job: InsertionJob) -> InsertionJob:
    """The job, if it did. Raises NotSucceeded."""
    if job.status != "succeeded":
        raise NotSucceeded(job)
    return job


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is one of success. Raises ApiError, or Unreachable for what is not this service's."""
    if answer.is_success:
        return answer
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        raise Unreachable(
            f"{answer.url} answered {answer.status_code}, and not as this service does"
        ) from None
    after = answer.headers.get("retry-after", "")
    raise ApiError(problem, float(after) if after.isdigit() else None)


def submission(
    path: str, body: object, read: Callable[[httpx.Response], T], idempotency_key: str | None
) -> Call[T]:
    """A submission in JSON, safe to repeat."""
    headers = {
        "Idempotency-Key": idempotency_key or secrets.token_hex(16),
        "Content-Type": "application/json",
    }
    return Call("POST", path, read, {"content": ANYTHING.dump_json(body), "headers": headers})


def read_job(answer: httpx.Response) -> InsertionJob:
    """The job that was answered."""
    return InsertionJob.model_validate_json(answer.content)
