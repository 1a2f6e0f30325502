"""From a submission to a job: the model, the picture, the completed request, the record, the ticket."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from api_schemas.base import new_id
from api_schemas.forwards import forwards
from api_schemas.insertions import GeneratedSource, ImageRef, ImageSource, InsertionRequest, Region, masks_of
from api_schemas.models import ModelCard
from job_store import tickets
from job_store.artifacts import StorageUnavailable, job_prefix
from job_store.errors import (
    IdempotencyKeyReused,
    NotFound,
    QueueFull,
    QuotaExceeded,
    RateLimited,
    SceneFull,
    StoreUnavailable,
)
from job_store.outlook import shape_of
from job_store.records import Idempotency, JobRecord, NewJob
from runtime.moderation import ModerationError
from service.errors import Refusal, invalid_field
from service.gateway import Gateway
from service.moderating import asked_of, refused
from service.own_files import own_masks, own_picture
from service.regions import check_areas
from service.resolve import resolve
from service.retention import kept_briefly
from service.sources import TakenSource, take_masks, take_source
from service.standing import no_room
from service.submission import Submission

CheckSize = Callable[[tuple[int, int] | None], None]
"""Raises `Refusal` where a picture's (width, height) does not do for the caller."""


def any_size(size: tuple[int, int] | None) -> None:
    """Every size does."""


def admit(
    gateway: Gateway,
    tenant: str,
    submission: Submission,
    idempotency_key: str | None,
    traceparent: str | None,
    check_size: CheckSize = any_size,
) -> tuple[JobRecord, bool]:
    """(the job, whether it is new or the same submission again). Raises `Refusal` and `StoreError`."""
    card = choose_card(gateway, submission.request.model)
    check_webhook(submission.request, gateway.settings.allow_loopback_egress)
    if idempotency_key is None:  # with one, it may be an earlier job again, which is answered all the same
        _check_room(gateway, card.name, tenant)
    source = take_source(gateway, tenant, submission)
    check_size(source.size)
    request = resolve(submission.request, card, source.size, lambda: secrets.randbelow(2**32))
    check_areas(request, source.size)
    masks = take_masks(gateway, tenant, submission)
    job_id = new_id("ins")
    own_key = own_picture(gateway, tenant, job_id, source.picture.png) if source.picture else None
    own_masks(gateway, tenant, job_id, masks)
    job = NewJob(
        id=job_id,
        tenant=tenant,
        model=card.name,
        request=without_masks(_without_data(request, source), masks),
        source_key=own_key or source.key,
        traceparent=traceparent,
        shape=shape_of(*source.size, card.max_pixels) if source.size else None,
        size=size_told(*source.size) if source.size else None,
    )
    return accept(gateway, job, idempotency_of(idempotency_key, submission.fingerprint), card)


def accept(
    gateway: Gateway, job: NewJob, idempotency: Idempotency | None, card: ModelCard | None = None
) -> tuple[JobRecord, bool]:
    """Store a job whose picture lies in its place, with a ticket; or find it, as `admit` does.

    card: of its model, where it was read already
    """
    _judge(gateway, job)
    job = replace(job, request=kept_briefly(gateway, job.tenant, job.request))
    record, fresh = _store(gateway, measured(job, card or gateway.workers.card(job.model)), idempotency)
    if fresh:
        with suppress(StoreUnavailable):  # accepted is accepted: the reconciler issues what is missing
            tickets.issue(gateway.redis, job.model)
    return record, fresh


def measured(job: NewJob, card: ModelCard | None) -> NewJob:
    """With its work, as far as its model's card tells, and with its shape where the request has a size."""
    if card is None:
        return job
    source, shape, told = job.request.source, job.shape, job.size
    if isinstance(source, GeneratedSource):
        size = source.width or card.native_width, source.height or card.native_height
        shape, told = shape_of(*size, card.max_pixels), size_told(*size)
    new, remembered = (work_in(job.request, card, known) for known in (False, True))
    return replace(job, work=new, remembered_work=remembered, shape=shape, size=told)


def size_told(width: int, height: int) -> str:
    """As records hold it."""
    return f"{width}x{height}"


def work_in(request: InsertionRequest, card: ModelCard, known: bool = False) -> float | None:
    """Forwards of a job whose source a worker remembers (`known`) or none does; None where no card tells."""
    return forwards(request, card, known=known)


def idempotency_of(key: str | None, fingerprint: Callable[[], str]) -> Idempotency | None:
    """A client's key with the fingerprint of what it came with."""
    return Idempotency(key, fingerprint()) if key is not None else None


def _judge(gateway: Gateway, job: NewJob) -> None:
    """Raise `Refusal` for texts that the operator's moderator does not let pass."""
    if gateway.moderator is None or job.replay is not None:  # a replay has the texts of its parent
        return
    try:
        gateway.moderator.judge_prompt(asked_of(job))
    except ModerationError as error:
        _forget(gateway, job)
        raise refused(error) from None


def _store(gateway: Gateway, job: NewJob, idempotency: Idempotency | None) -> tuple[JobRecord, bool]:
    """Submit; leave no picture of a job that was surely not made (a silent store may have made it)."""
    try:
        record, fresh = gateway.store.submit(job, idempotency)
    except (IdempotencyKeyReused, NotFound, RateLimited, SceneFull):
        _forget(gateway, job)
        raise
    except (QueueFull, QuotaExceeded) as full:
        _forget(gateway, job)
        raise no_room(gateway, job.model, job.tenant, full) from None
    if record.id != job.id:
        _forget(gateway, job)
    return record, fresh


def _check_room(gateway: Gateway, model: str, tenant: str) -> None:
    """Before anything costly is done for it."""
    try:
        gateway.store.check_room(model, tenant)
    except (QueueFull, QuotaExceeded) as full:
        raise no_room(gateway, model, tenant, full) from None


def _forget(gateway: Gateway, job: NewJob) -> None:
    with suppress(StorageUnavailable):  # the answer matters more than a forgotten file
        gateway.artifacts.delete(job_prefix(job.tenant, job.id))


def choose_card(gateway: Gateway, name: str | None) -> ModelCard:
    """The card of the named model, or of the gateway's own. Raises `Refusal`: no_worker, unknown_model."""
    cards = {card.name: card for card in gateway.workers.cards()}
    if not cards:
        raise Refusal("no_worker", "No worker is running.", headers={"Retry-After": "10"})
    if name is None:
        return cards.get(gateway.settings.model) or cards[min(cards)]
    if name not in cards:
        text = f"No worker serves {name!r}; served are: {', '.join(sorted(cards))}."
        raise Refusal("unknown_model", text, data={"known": sorted(cards)})
    return cards[name]


def check_webhook(request: InsertionRequest, allow_loopback: bool) -> None:
    """Raise `Refusal` for a callback that is not https. Where its address leads is judged at delivery."""
    if request.webhook and request.webhook.url.scheme != "https" and not allow_loopback:
        raise invalid_field("webhook.url", "must be https")


def _without_data(request: InsertionRequest, source: TakenSource) -> InsertionRequest:
    """The request as Redis may keep it: a picture sent inside is named by the hash of what it became."""
    if not (source.picture and isinstance(request.source, ImageSource) and request.source.image.data):
        return request
    image = ImageRef(data=f"sha256:{source.picture.sha256}")
    return request.model_copy(update={"source": request.source.model_copy(update={"image": image})})


def without_masks(request: InsertionRequest, masks: Mapping[str, bytes]) -> InsertionRequest:
    """The same for masks that were sent inside."""
    named = {
        name: Region(mask=ImageRef(data=f"sha256:{sha256(masks[name]).hexdigest()}"))
        for name, image in masks_of(request).items()
        if image.data
    }
    return request.model_copy(update=named)
