"""Result pictures as sources of further requests: taken in like any other picture."""

from __future__ import annotations

from job_store.errors import NotFound
from job_store.records import JobRecord
from job_store.result_images import variation_of
from service.gateway import Gateway
from service.intake.decoders import Picture


def find_result(gateway: Gateway, tenant: str, image_id: str) -> tuple[JobRecord, str] | None:
    """(the job, the artifact key) of a result picture; None for the id of an upload.

    Raises `NotFound` for what is no picture of this tenant's.
    """
    named = variation_of(image_id)
    if named is None:
        return None
    job_id, index = named
    record = gateway.store.get(job_id, tenant)
    if record.result is None or index >= len(record.result.images):
        raise NotFound(image_id)
    return record, record.result.images[index].url


def take_result(gateway: Gateway, key: str) -> Picture:
    """The picture under an artifact key, as an upload of it would be kept."""
    return gateway.decoders.take_in(gateway.artifacts.get(key))
