"""A job that takes its source from another one, its parent: variations, other masks, replays."""

from __future__ import annotations

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest, masks_of
from job_store.artifacts import ArtifactMissing, latents_key, mask_key
from job_store.records import JobRecord, NewJob, Replay
from job_store.result_images import builds_on_result
from service.admission import without_masks
from service.errors import Refusal
from service.gateway import Gateway
from service.own_files import own_latents, own_masks, own_picture
from service.sources import png_of, taken
from service.submission import bytes_of

GIVEN_MASK = "mask"
"""The field of a mask that takes the place of the one that was found."""


def heir_of(
    gateway: Gateway,
    parent: JobRecord,
    request: InsertionRequest,
    *,
    model: str,
    traceparent: str | None = None,
    replay: Replay | None = None,
    given_mask: bytes | None = None,
) -> NewJob:
    """The job, its files in their places: what a worker remembers of the parent's source serves it as well.

    given_mask: PNG, of a replay of the mask. Raises `Refusal` source_unavailable and `StoreError`.
    """
    job_id, tenant = new_id("ins"), parent.tenant
    masks = _masks(gateway, parent, request)
    own_masks(gateway, tenant, job_id, masks if given_mask is None else {**masks, GIVEN_MASK: given_mask})
    return NewJob(
        id=job_id,
        tenant=tenant,
        model=model,
        request=without_masks(request, masks),
        source_key=_source(gateway, parent, job_id),
        traceparent=traceparent,
        parent_id=parent.id,
        source_id=parent.source_id,
        replay=replay,
        shape=parent.shape,
        size=parent.size,
    )


def given_mask_of(gateway: Gateway, parent: JobRecord) -> bytes | None:
    """The PNG that a replay of a mask was given, None for any other job. Raises `Refusal`
    source_unavailable."""
    if parent.replay != "mask":
        return None
    return _kept(gateway, mask_key(parent.tenant, parent.id, GIVEN_MASK))


def _source(gateway: Gateway, parent: JobRecord, job_id: str) -> str | None:
    """Where the job finds the parent's picture; the latents it was made as lie beside it, if it was."""
    if parent.source_key is None:
        return None
    key = own_picture(gateway, parent.tenant, job_id, _kept(gateway, parent.source_key))
    if builds_on_result(parent):
        own_latents(gateway, parent.tenant, job_id, latents_key(parent.tenant, parent.id))
    return key


def _masks(gateway: Gateway, parent: JobRecord, request: InsertionRequest) -> dict[str, bytes]:
    """PNGs of the areas' masks by field: the parent's, or what is asked for anew. Raises `Refusal`."""
    before, masks = masks_of(parent.request), dict[str, bytes]()
    for name, image in masks_of(request).items():
        if image == before.get(name):
            masks[name] = _kept(gateway, mask_key(parent.tenant, parent.id, name))
        else:
            data = bytes_of(image, f"{name}.mask", {})
            masks[name] = png_of(gateway, taken(gateway, parent.tenant, image, data))
    return masks


def _kept(gateway: Gateway, key: str) -> bytes:
    """What is stored there. Raises `Refusal` source_unavailable."""
    try:
        return gateway.artifacts.get(key)
    except ArtifactMissing:
        raise Refusal("source_unavailable", "The picture that the job was made from is gone.") from None
