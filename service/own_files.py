"""The files that a job owns from its beginning: it outlives whatever they were copied from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from job_store.artifacts import ArtifactMissing, latents_key, mask_key, source_key
from service.gateway import Gateway


def own_picture(gateway: Gateway, tenant: str, job_id: str, png: bytes) -> str:
    """The picture that it adds to; its artifact key. Raises `StoreError`."""
    key = source_key(tenant, job_id)
    gateway.artifacts.put(key, png)
    return key


def own_masks(gateway: Gateway, tenant: str, job_id: str, masks: Mapping[str, bytes]) -> None:
    """PNGs by the field that each is the mask of. Raises `StoreError`."""
    for name, mask in masks.items():
        gateway.artifacts.put(mask_key(tenant, job_id, name), mask)


def own_latents(gateway: Gateway, tenant: str, job_id: str, made: str) -> None:
    """Those that its picture was made as, from the artifact key `made`, if they are there.

    Raises `StoreError`.
    """
    with suppress(ArtifactMissing):  # a picture alone will be encoded again
        gateway.artifacts.put(latents_key(tenant, job_id), gateway.artifacts.get(made))
