"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from tenacity import Retrying

from api_schemas.estimates import Estimate
from api_schemas.events import JobEvent
from api_schemas.images import ImageAsset
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import InsertionJob, InsertionList
from api_schemas.masks import MaskRequest
from api_schemas.models import ModelList
from api_schemas.usage import UsageReport
from client import calls
from client.admin import Admin
from client.batches import Batches
from client.errors import ApiError, Unreachable
from client.event_stream import Following
from client.retries import POLICY
from client.scenes import Scenes
from client.webhooks import Webhooks

T = TypeVar("T")
EVENTS_SECONDS = 60.0  # the service says at least something every 15 s


class Addit:
    """Talks to one service with one key. Passing troubles are retried; what comes out raises ClientError.

        with Addit("http://127.0.0.1:8080", key) as addit:
            job = addit.insert(InsertionRequest(...))
            picture = addit.download(job.result.images[0].url)

    seconds: how long one answer may take, beyond what a call itself asks to wait
    """

    def __init__(
        self, url: str, key: str, *, seconds: float = 30.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._seconds = seconds
        self._http = httpx.Client(base_url=url, auth=calls.Bearer(key), timeout=seconds, transport=transport)
        self.webhooks = Webhooks(self._do)
        self.admin = Admin(self._do)
        self.scenes = Scenes(self._do)
        self.batches = Batches(self._do)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def upload(self, picture: bytes, name: str = "picture.png") -> ImageAsset:
        """Gives a picture to the service. `name` tells its type."""
        return self._do(calls.upload(picture, name))

    def submit(self, request: InsertionRequest, idempotency_key: str | None = None) -> InsertionJob:
        """Queues an insertion and returns at once."""
        return self._do(calls.submit(request, idempotency_key))

    def estimate(self, request: InsertionRequest) -> Estimate:
        """What submitting it would cost and come to, or why it would be refused; nothing is queued."""
        return self._do(calls.estimate(request))

    def vary(
        self, job_id: str, changes: Mapping[str, Any], idempotency_key: str | None = None
    ) -> InsertionJob:
        """Queues a variation of a job: other seeds, words or options on the same source."""
        return self._do(calls.vary(job_id, changes, idempotency_key))

    def remask(self, job_id: str, request: MaskRequest, idempotency_key: str | None = None) -> InsertionJob:
        """Queues another mask or localizer for a succeeded job; masks are sent inside, or named by id."""
        return self._do(calls.remask(job_id, request, idempotency_key))

    def insertions(self, **filters: str | int | datetime | None) -> InsertionList:
        """A page of the own jobs, newest first. filters: `limit`, `cursor`, `status`, `parent`, …"""
        return self._do(calls.insertions(**filters))

    def job(self, job_id: str, wait: int = 0) -> InsertionJob:
        """The job now, or as soon as it ends within `wait` seconds."""
        return self._do(calls.job(job_id, wait))

    def cancel(self, job_id: str) -> InsertionJob:
        """Stops a job."""
        return self._do(calls.cancel(job_id))

    def drop_seed(self, job_id: str, seed: int) -> InsertionJob:
        """Lets go of one seed of a job; the others go on, and without any left the job is canceled."""
        return self._do(calls.drop_seed(job_id, seed))

    def delete(self, job_id: str) -> None:
        """Purges a job with all it has."""
        self._do(calls.delete(job_id))

    def models(self) -> ModelList:
        """What is served now."""
        return self._do(calls.models())

    def usage(self, since: date | None = None, until: date | None = None) -> UsageReport:
        """What the own jobs came to, by UTC day; the last 30 by default."""
        return self._do(calls.usage(since, until))

    def download(self, link: str) -> bytes:
        """The picture behind a link of a result."""
        return self._do(calls.download(link))

    def events(self, job_id: str) -> Iterator[JobEvent]:
        """Everything that happens to a job, from its beginning to its end; a broken stream is resumed."""
        following = Following()
        while not following.completed:
            error = None
            try:
                yield from self._stream(job_id, following)
            except (httpx.TransportError, ApiError) as broken:
                error = broken
            if not following.completed:
                time.sleep(following.pause_after(error))

    def insert(
        self, request: InsertionRequest, on_event: Callable[[JobEvent], None] = lambda _: None
    ) -> InsertionJob:
        """Submits, follows and gives back the succeeded job. Raises NotSucceeded."""
        return self.until_succeeded(self.submit(request).id, on_event)

    def until_succeeded(
        self, job_id: str, on_event: Callable[[JobEvent], None] = lambda _: None
    ) -> InsertionJob:
        """Follows a job and gives it back when it has succeeded. Raises NotSucceeded."""
        for event in self.events(job_id):
            on_event(event)
        return calls.succeeded(self.job(job_id))

    def _do(self, call: calls.Call[T]) -> T:
        timeout = self._seconds + call.patience
        try:
            for attempt in Retrying(**POLICY):
                with attempt:
                    answer = self._http.request(call.method, call.path, timeout=timeout, **call.options)
                    return call.read(calls.checked(answer))
        except httpx.TransportError as error:
            raise Unreachable(f"{self._http.base_url}: {error or type(error).__name__}") from None
        raise AssertionError("the loop above returns or raises")

    def _stream(self, job_id: str, following: Following) -> Iterator[JobEvent]:
        path = f"{calls.INSERTIONS}/{job_id}/events"
        with self._http.stream("GET", path, headers=following.headers, timeout=EVENTS_SECONDS) as answer:
            if answer.is_error:
                answer.read()
            for line in calls.checked(answer).iter_lines():
                if event := following.feed(line):
                    yield event
