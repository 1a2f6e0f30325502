"""Records of uploaded pictures. The pictures themselves are artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from job_store.artifacts import image_key
from job_store.keys import Key
from job_store.once import once_words
from job_store.records import Idempotency, moment, pairs
from job_store.server import Server


@dataclass(frozen=True)
class ImageRecord:
    """An uploaded picture; its artifact key is `key`. width, height: pixels; sha256: of the stored PNG."""

    id: str
    tenant: str
    width: int
    height: int
    sha256: str
    created_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        """Where the picture lies."""
        return image_key(self.tenant, self.id)


class ImageStore:
    """All uploaded pictures. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def add(
        self,
        image_id: str,
        tenant: str,
        *,
        width: int,
        height: int,
        sha256: str,
        seconds: int,
        idempotency: Idempotency | None = None,
    ) -> ImageRecord:
        """Note a picture that is stored already; it expires after `seconds`. Or give the one that the same
        key with the same body made before. Raises IdempotencyKeyReused."""
        once = once_words("image", idempotency)
        made, flat = self._server.run(
            "add_image", image_id, tenant, width, height, sha256, seconds * 1000, *once
        )
        return _decode(made.decode(), flat)

    def get(self, image_id: str, tenant: str) -> ImageRecord:
        """The picture, if it is this tenant's. Raises NotFound, also when it has expired."""
        return _decode(image_id, self._server.run("get_image", image_id, tenant)[0])

    def delete(self, image_id: str, tenant: str) -> None:
        """Forget a picture now; `expired` then names its artifact. Raises NotFound."""
        self._server.run("delete_image", image_id, tenant)

    def expired(self, limit: int = 100) -> list[str]:
        """Artifact keys to remove. They come again until `purged` is told."""
        members = self._server.run("expired_images", limit)
        return [image_key(*member.decode().split("/")) for member in members]

    def absent(self, keys: Sequence[str]) -> list[str]:
        """Those artifact keys that no record names; none in a store that never accepted a job."""
        by_member = {_member(key): key for key in keys}
        return [by_member[member.decode()] for member in self._server.run("absent_images", *by_member)]

    def purged(self, key: str) -> None:
        """The artifact that `expired` named is gone."""
        self._server.command("ZREM", Key.IMAGES, _member(key))


def _member(key: str) -> str:
    """What stands in IMAGES for an artifact."""
    _, tenant, _, name = key.split("/")
    return f"{tenant}/{name.removesuffix('.png')}"


def _decode(image_id: str, flat: list[bytes]) -> ImageRecord:
    fields = pairs(flat)
    return ImageRecord(
        id=image_id,
        tenant=fields["tenant"],
        width=int(fields["width"]),
        height=int(fields["height"]),
        sha256=fields["sha256"],
        created_at=moment(fields["created_at"]),
        expires_at=moment(fields["expires_at"]),
    )
