"""A job that varies another: the same source, so that what a worker remembers of it serves again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest, masks_of
from api_schemas.variations import vary
from job_store.artifacts import ArtifactMissing, job_prefix, latents_key, mask_key
from job_store.records import JobRecord, NewJob
from service.admission import accept, check_webhook, choose_card, idempotency_of, without_masks
from service.errors import Refusal
from service.gateway import Gateway
from service.problems import from_validation
from service.resolve import resolve
from service.sources import png_of, taken
from service.submission import Submission, bytes_of


def admit_variation(
    gateway: Gateway,
    parent: JobRecord,
    changes: Mapping[str, Any],
    idempotency_key: str | None,
    traceparent: str | None,
) -> tuple[JobRecord, bool]:
    """(the job, whether it is new or the same submission again). Raises `Refusal` and `StoreError`.

    changes: fields of a `VariationRequest`, in JSON's types
    """
    card = choose_card(gateway, parent.model)
    request = _varied(parent, changes)
    check_webhook(request, gateway.settings.allow_loopback_egress)
    Submission(request).check_size()
    job_id = new_id("ins")
    request = resolve(request, card, None, lambda: secrets.randbelow(2**32))
    masks = own_masks(gateway, parent, request, job_id)
    job = NewJob(
        id=job_id,
        tenant=parent.tenant,
        model=card.name,
        request=without_masks(request, masks),
        source_key=own_source(gateway, parent, job_id),
        traceparent=traceparent,
        parent_id=parent.id,
        source_id=parent.source_id,
        shape=parent.shape,
    )
    return accept(gateway, job, idempotency_of(idempotency_key, lambda: fingerprint(parent.id, changes)))


def own_source(gateway: Gateway, parent: JobRecord, job_id: str) -> str | None:
    """The parent's picture as the job's own: it outlives the parent. Raises `Refusal` source_unavailable."""
    if parent.source_key is None:
        return None
    key = f"{job_prefix(parent.tenant, job_id)}source.png"
    gateway.artifacts.put(key, kept(gateway, parent.source_key))
    if parent.parent_id is not None:  # its source may be latents as well as a picture, if it is from a scene
        with suppress(ArtifactMissing):
            latents = gateway.artifacts.get(latents_key(parent.tenant, parent.id))
            gateway.artifacts.put(latents_key(parent.tenant, job_id), latents)
    return key


def kept(gateway: Gateway, key: str) -> bytes:
    """What is stored there. Raises `Refusal` source_unavailable."""
    try:
        return gateway.artifacts.get(key)
    except ArtifactMissing:
        raise Refusal("source_unavailable", "The picture that the job was made from is gone.") from None


def own_masks(
    gateway: Gateway, parent: JobRecord, request: InsertionRequest, job_id: str
) -> dict[str, bytes]:
    """PNGs of the areas' masks by field, stored as the job's own: the parent's, or what is asked for anew.

    Raises `Refusal`.
    """
    before, masks = masks_of(parent.request), dict[str, bytes]()
    for name, image in masks_of(request).items():
        if image == before.get(name):
            masks[name] = kept(gateway, mask_key(parent.tenant, parent.id, name))
        else:
            data = bytes_of(image, f"{name}.mask", {})
            masks[name] = png_of(gateway, taken(gateway, parent.tenant, image, data))
        gateway.artifacts.put(mask_key(parent.tenant, job_id, name), masks[name])
    return masks


def fingerprint(parent_id: str, asked: Mapping[str, Any]) -> str:
    """SHA-256 of what was asked of a job."""
    return hashlib.sha256(f"{parent_id} {json.dumps(asked, sort_keys=True)}".encode()).hexdigest()


def _varied(parent: JobRecord, changes: Mapping[str, Any]) -> InsertionRequest:
    try:
        return vary(understood(parent), changes)
    except ValidationError as error:
        raise from_validation(error) from None


def understood(parent: JobRecord) -> InsertionRequest:
    """The job's request with the texts that were found by looking at its picture, once it has been."""
    inferred, request = parent.result.inferred if parent.result else None, parent.request
    if inferred is None:
        return request
    source = request.source.model_copy(update={"prompt": inferred.source_prompt})
    texts = {"source": source, "prompt": inferred.prompt, "subject": inferred.subject}
    return request.model_copy(update=texts)
