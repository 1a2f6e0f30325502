"""The picture a submission adds to and the masks of its areas, however named: taken in, or known already."""

from __future__ import annotations

from dataclasses import dataclass

from api_schemas.insertions import ImageRef, ImageSource, masks_of
from job_store.artifacts import ArtifactMissing
from job_store.errors import NotFound
from runtime.egress import EgressError, fetch
from service.errors import Refusal
from service.gateway import Gateway
from service.intake.decoders import Picture
from service.result_images import find_result, take_result
from service.submission import Submission

FETCH_SECONDS = 10.0


@dataclass(frozen=True)
class TakenSource:
    """key: where the picture lies already; picture: what has yet to be stored; neither if generated."""

    size: tuple[int, int] | None = None
    key: str | None = None
    picture: Picture | None = None


def take_source(gateway: Gateway, tenant: str, submission: Submission) -> TakenSource:
    """Raises `Refusal` with the code of what is wrong with the picture."""
    source = submission.request.source
    if not isinstance(source, ImageSource):
        return TakenSource()
    return taken(gateway, tenant, source.image, submission.picture)


def take_masks(gateway: Gateway, tenant: str, submission: Submission) -> dict[str, bytes]:
    """PNGs of the areas' masks by field, all copied: a job owns its own. Raises `Refusal`."""
    found = {
        name: taken(gateway, tenant, image, submission.masks.get(name))
        for name, image in masks_of(submission.request).items()
    }
    return {name: png_of(gateway, mask) for name, mask in found.items()}


def taken(gateway: Gateway, tenant: str, image: ImageRef, data: bytes | None) -> TakenSource:
    """data: of a picture that came along. Raises `Refusal`."""
    if image.id is not None:
        return _stored(gateway, tenant, image.id)
    if data is None:
        data = _fetched(gateway, str(image.url))
    picture = gateway.decoders.take_in(data)
    return TakenSource(size=(picture.width, picture.height), picture=picture)


def png_of(gateway: Gateway, found: TakenSource) -> bytes:
    """The picture, wherever it is. Raises `StoreError`."""
    if found.picture is not None:
        return found.picture.png
    assert found.key is not None
    return gateway.artifacts.get(found.key)


def _stored(gateway: Gateway, tenant: str, image_id: str) -> TakenSource:
    try:
        result = find_result(gateway, tenant, image_id)
        if result is not None:
            picture = take_result(gateway, result[1])
            return TakenSource(size=(picture.width, picture.height), picture=picture)
        image = gateway.images.get(image_id, tenant)
    except (NotFound, ArtifactMissing):
        raise Refusal("source_unavailable", f"There is no image {image_id!r}.") from None
    return TakenSource(size=(image.width, image.height), key=image.key)


def _fetched(gateway: Gateway, url: str) -> bytes:
    settings = gateway.settings
    try:
        return fetch(
            url,
            max_bytes=settings.max_image_bytes,
            seconds=FETCH_SECONDS,
            allow_loopback=settings.allow_loopback_egress,
        )
    except EgressError as error:
        raise Refusal("source_unavailable", f"The picture's URL {error}.") from None
