"""A scene begins: its first picture is kept as an image of its own, then the scene itself."""

from __future__ import annotations

import hashlib

from api_schemas.base import new_id
from api_schemas.insertions import ImageRef, ImageSource
from api_schemas.scenes import SceneRequest
from job_store.records import Idempotency
from job_store.scenes import SceneRecord
from service.admission import idempotency_of
from service.gateway import Gateway
from service.keeping import keep_image
from service.once import make_once
from service.retention import kept
from service.sources import png_of, taken


def begin_scene(
    gateway: Gateway, tenant: str, asked: SceneRequest, data: bytes | None, key: str | None
) -> tuple[SceneRecord, bool]:
    """(the scene, whether it is new or the same request again). Raises `Refusal` and `StoreError`.

    data: of a picture that came along
    """
    idempotency = idempotency_of(key, lambda: _fingerprint(asked, data))
    source, image_id = asked.source, None
    seconds = kept(gateway, tenant, asked.retain_seconds)
    if isinstance(source, ImageSource):
        image_id = _keep_first(gateway, tenant, source.image, data, seconds)
        source = source.model_copy(update={"image": ImageRef(id=image_id)})
    made = SceneRequest(source=source, retain_seconds=seconds, metadata=asked.metadata)
    return _create(gateway, tenant, made, image_id, idempotency)


def _create(
    gateway: Gateway, tenant: str, asked: SceneRequest, image_id: str | None, once: Idempotency | None
) -> tuple[SceneRecord, bool]:
    """Leave no first picture of a scene that was not made."""
    scene_id = new_id("scn")

    def create() -> SceneRecord:
        return gateway.scenes.create(
            scene_id,
            tenant,
            asked.source,
            image_id=image_id,
            metadata=asked.metadata,
            seconds=asked.retain_seconds,
            idempotency=once,
        )

    def forget() -> None:
        if image_id is not None:  # the reconciler removes its file
            gateway.images.delete(image_id, tenant)

    return make_once(scene_id, create, forget)


def _keep_first(gateway: Gateway, tenant: str, image: ImageRef, data: bytes | None, seconds: int) -> str:
    """The picture as an image of the scene's own, kept as long as it; its id."""
    found = taken(gateway, tenant, image, data)
    picture = found.picture or gateway.decoders.take_in(png_of(gateway, found))
    return keep_image(gateway, tenant, picture, seconds)[0].id


def _fingerprint(asked: SceneRequest, data: bytes | None) -> str:
    """SHA-256 of what was asked; a picture that came along counts by its bytes."""
    told = asked.model_dump_json(exclude={"source": {"image"}} if data is not None else None)
    picture = b"" if data is None else hashlib.sha256(data).digest()
    return hashlib.sha256(told.encode() + picture).hexdigest()
