"""Scenes: a first picture and the insertions that build upon it and upon each other, a tree with a head.

The steps themselves are jobs. `JobStore.submit` adds them, so that no job of a scene is ever missing in it.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from redis import Redis

from api_schemas.insertions import FirstSource, GeneratedSource, ImageSource
from job_store.errors import BadCursor, NotFound
from job_store.keys import Key
from job_store.once import once_words
from job_store.records import Idempotency, moment, pairs
from job_store.server import Server

_SOURCE = TypeAdapter[ImageSource | GeneratedSource](FirstSource)


@dataclass(frozen=True)
class StepRecord:
    """An insertion of a scene. parent: the step it builds upon, by the variation of this seed; None: the
    first picture."""

    id: str
    number: int
    parent: str | None
    parent_seed: int | None


@dataclass(frozen=True)
class SceneRecord:
    """A scene at one moment.

    image_id: of its first picture, None where that is generated
    head: the step that the next one builds upon, None for the first picture; head_seed: which variation of
    it, None for the surest
    steps: in the order of their submission
    """

    id: str
    tenant: str
    source: ImageSource | GeneratedSource
    image_id: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    head: str | None
    head_seed: int | None
    steps: tuple[StepRecord, ...]

    def step(self, step_id: str) -> StepRecord:
        """One of its steps. Raises NotFound."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise NotFound(step_id)

    def way_to(self, step_id: str | None) -> builtins.list[str]:
        """The steps from the first picture to this one, itself included."""
        way: builtins.list[str] = []
        while step_id is not None:
            way.insert(0, step_id)
            step_id = self.step(step_id).parent
        return way


class SceneStore:
    """All scenes. Any call may raise StoreUnavailable; NotFound is for absent and foreign ones alike."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def create(
        self,
        scene_id: str,
        tenant: str,
        source: ImageSource | GeneratedSource,
        *,
        image_id: str | None,
        metadata: dict[str, Any],
        seconds: int,
        idempotency: Idempotency | None = None,
    ) -> SceneRecord:
        """A new scene, kept for so many seconds after its latest step; or the one that the same key with the
        same body made before. Raises IdempotencyKeyReused."""
        told = source.model_dump_json(), image_id or "", json.dumps(metadata)
        once = once_words("scene", idempotency)
        found, flat = self._server.run("create_scene", scene_id, tenant, *told, seconds * 1000, *once)
        made = found.decode()
        return _decode(made, flat, []) if made == scene_id else self.get(made, tenant)

    def get(self, scene_id: str, tenant: str) -> SceneRecord:
        """The tenant's scene. Raises NotFound."""
        flat, steps = self._server.run("read_scenes", scene_id)[0]
        if pairs(flat).get("tenant") != tenant:
            raise NotFound(scene_id)
        return _decode(scene_id, flat, steps)

    def list(
        self, tenant: str, limit: int = 20, before: str | None = None
    ) -> tuple[builtins.list[SceneRecord], str | None]:
        """A tenant's scenes, newest first, and the cursor to go on `before`, None at the end.

        Raises BadCursor.
        """
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 18):
            raise BadCursor(before)
        top = f"({before}" if before else "+inf"
        flat = self._server.command(
            "ZRANGE", Key.SCENES + tenant, top, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit, "WITHSCORES"
        )
        ids = [scene_id.decode() for scene_id in flat[::2]]
        rows = self._server.run("read_scenes", *ids)
        found = [_decode(id_, *row) for id_, row in zip(ids, rows, strict=True) if row[0]]
        return found, flat[-1].decode() if len(ids) == limit else None

    def move_head(
        self, scene: SceneRecord, step: str | None, seed: int | None = None, *, unless_changed: bool = False
    ) -> None:
        """Let a step be the head, or the first picture. Raises NotFound for what is no step of it.

        unless_changed: raises WrongState where the head is no longer that of `scene`
        """
        seen = (scene.head or "") if unless_changed else "*"
        told = step or "", "" if seed is None else seed
        self._server.run("move_scene_head", scene.id, scene.tenant, *told, seen)

    def delete(self, scene_id: str, tenant: str) -> builtins.list[str]:
        """Forget a scene with its first picture and all its steps; those that run stop first.

        The ids of the jobs that are gone: `sweep` will name their artifacts. Raises NotFound.
        """
        return [job_id.decode() for job_id in self._server.run("delete_scene", scene_id, tenant)[0]]


def _decode(scene_id: str, flat: Sequence[bytes], steps: Sequence[bytes]) -> SceneRecord:
    fields = pairs(flat)
    found = (_step(step_id, told) for step_id, told in pairs(steps).items())
    return SceneRecord(
        id=scene_id,
        tenant=fields["tenant"],
        source=_SOURCE.validate_json(fields["source"]),
        image_id=fields["image_id"] or None,
        metadata=json.loads(fields["metadata"]),
        created_at=moment(fields["created_at"]),
        updated_at=moment(fields["updated_at"]),
        expires_at=moment(fields["expires_at"]),
        head=fields["head"] or None,
        head_seed=int(fields["head_seed"]) if fields["head_seed"] else None,
        steps=tuple(sorted(found, key=lambda step: step.number)),
    )


def _step(step_id: str, told: str) -> StepRecord:
    number, parent, seed = told.split(" ")
    return StepRecord(step_id, int(number), parent or None, int(seed) if seed else None)
