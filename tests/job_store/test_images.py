"""Uploaded pictures: own, for a time, and their files named until gone."""

from __future__ import annotations

import pytest
from redis import Redis

from job_store.errors import NotFound
from job_store.images import ImageRecord, ImageStore
from job_store.keys import Key
from tests.job_store.samples import TENANT


@pytest.fixture
def images(redis: Redis) -> ImageStore:
    return ImageStore(redis)


def add(images: ImageStore, image_id: str = "img_1", seconds: int = 60) -> ImageRecord:
    return images.add(image_id, TENANT, width=8, height=6, sha256="ab", seconds=seconds)


def test_a_picture_reads_as_it_was_added(images: ImageStore) -> None:
    record = add(images)
    assert images.get("img_1", TENANT) == record
    assert (record.width, record.height, record.sha256, record.key) == (8, 6, "ab", "t/acme/i/img_1.png")
    assert (record.expires_at - record.created_at).total_seconds() == 60
    assert images.expired() == []


def test_a_foreign_picture_is_like_an_absent_one(images: ImageStore) -> None:
    add(images)
    for image_id, tenant in (("img_1", "other"), ("img_2", TENANT)):
        for act in (images.get, images.delete):
            with pytest.raises(NotFound):
                act(image_id, tenant)


def test_a_deleted_picture_is_named_until_its_file_is_gone(images: ImageStore) -> None:
    add(images)
    images.delete("img_1", TENANT)
    with pytest.raises(NotFound):
        images.get("img_1", TENANT)
    assert images.expired() == images.expired() == ["t/acme/i/img_1.png"]
    images.purged("t/acme/i/img_1.png")
    assert images.expired() == []


def test_a_picture_expires(images: ImageStore, redis: Redis) -> None:
    add(images)
    add(images, "img_2", seconds=120)
    redis.pexpire(Key.IMAGE + "img_1", 0)
    redis.zincrby(Key.IMAGES, -60_000, f"{TENANT}/img_1")
    with pytest.raises(NotFound):
        images.get("img_1", TENANT)
    assert images.expired() == ["t/acme/i/img_1.png"]
