"""Scenes of the async client: the same calls, awaited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api_schemas.jobs import InsertionJob
from api_schemas.scenes import FIRST, Scene, SceneList, SceneRequest
from client import scene_calls as calls
from client.async_webhooks import Send


class AsyncScenes:
    """`addit.scenes`: pictures that objects are added to one after the other, with undo and branches."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def begin(self, request: SceneRequest) -> Scene:
        """A new scene."""
        return await self._send(calls.begin(request))

    async def list(self, limit: int = 20, cursor: str | None = None) -> SceneList:
        """A page of the own scenes, newest first."""
        return await self._send(calls.scenes(limit, cursor))

    async def get(self, scene_id: str) -> Scene:
        """A scene with all of its steps."""
        return await self._send(calls.scene(scene_id))

    async def add(
        self, scene_id: str, asked: Mapping[str, Any], idempotency_key: str | None = None
    ) -> InsertionJob:
        """Queues a step. asked: fields of an `InsertionRequest` but `source`; `step`, `seed` for a branch."""
        return await self._send(calls.add(scene_id, asked, idempotency_key))

    async def undo(self, scene_id: str) -> Scene:
        """Back one step; nothing is lost."""
        return await self._send(calls.undo(scene_id))

    async def choose_head(self, scene_id: str, step: str = FIRST, seed: int | None = None) -> Scene:
        """Redo, or another branch, or another variation of a step."""
        return await self._send(calls.choose_head(scene_id, step, seed))

    async def delete(self, scene_id: str) -> None:
        """Purges the scene with all of its steps."""
        await self._send(calls.delete(scene_id))
