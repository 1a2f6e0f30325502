"""Pictures kept as images of a tenant's own: the file, then its record."""

from __future__ import annotations

from contextlib import suppress

from api_schemas.base import new_id
from job_store.artifacts import StorageUnavailable, image_key
from job_store.images import ImageRecord
from job_store.records import Idempotency
from service.gateway import Gateway
from service.intake.decoders import Picture
from service.once import make_once


def keep_image(
    gateway: Gateway, tenant: str, picture: Picture, seconds: int, idempotency: Idempotency | None = None
) -> tuple[ImageRecord, bool]:
    """(its record, whether it is new or what the same key made before). No file is left of one that was not
    made. Raises `StoreError`."""
    image_id = new_id("img")
    gateway.artifacts.put(image_key(tenant, image_id), picture.png)
    size = {"width": picture.width, "height": picture.height}

    def add() -> ImageRecord:
        return gateway.images.add(
            image_id, tenant, **size, sha256=picture.sha256, seconds=seconds, idempotency=idempotency
        )

    def forget() -> None:
        with suppress(StorageUnavailable):  # the janitor removes what no record names
            gateway.artifacts.delete(image_key(tenant, image_id))

    return make_once(image_id, add, forget)
