"""What operators do, with the operators' key, by the blocking client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from api_schemas.admin import (
    ActInfo,
    ActList,
    DeadLetterList,
    JobInfo,
    OwnLimits,
    QueueInfo,
    QueueList,
    QueuePurge,
    TenantList,
    TenantPurge,
    TenantState,
    WorkerInfo,
    WorkerList,
)
from api_schemas.base import ResponseModel
from api_schemas.keys import DAY_SECONDS, SCOPES, KeyInfo, KeyList, NewKey, Scope
from client.calls import Call
from client.webhooks import Send

Answer = TypeVar("Answer", bound=ResponseModel)


class Admin:
    """`addit.admin` of a client of the gateway's port for operators: tenants with limits and keys, queues,
    workers, dead letters. Raises ClientError."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def tenants(self) -> list[TenantState]:
        """Those that ever submitted a job or were given limits."""
        return self._get("tenants", TenantList).data

    def tenant(self, name: str) -> TenantState:
        """One; it need not have submitted anything yet."""
        return self._get(f"tenants/{quote(name, safe='')}", TenantState)

    def limit(self, tenant: str, limits: OwnLimits) -> TenantState:
        """Gives a tenant these limits, and the settings' for the rest."""
        body = {"json": limits.model_dump(exclude_none=True)}
        path = f"/admin/tenants/{quote(tenant, safe='')}"
        return self._send(Call("PUT", path, lambda it: TenantState.model_validate_json(it.content), body))

    def purge_tenant(self, tenant: str, *, revoke_keys: bool = False) -> TenantPurge:
        """Removes all jobs, scenes, batches and pictures of a tenant, and ends its keys if asked for."""
        keys = "revoke" if revoke_keys else "keep"
        return self._post("tenants", tenant, f"purge?keys={keys}", TenantPurge)

    def keys(self, tenant: str) -> list[KeyInfo]:
        """A tenant's live keys, oldest first, without their secrets."""
        return self._get(f"tenants/{quote(tenant, safe='')}/keys", KeyList).data

    def create_key(
        self, tenant: str, name: str = "", scopes: Sequence[Scope] = SCOPES, seconds: int | None = None
    ) -> NewKey:
        """Makes a key. Its `key` is not shown again; it works for so many seconds, or for good."""
        body = {"name": name, "scopes": list(scopes), "expires_in_seconds": seconds}
        return self._post("tenants", tenant, "keys", NewKey, body)

    def rotate_key(
        self, key_id: str, overlap_seconds: int = DAY_SECONDS, seconds: int | None = None
    ) -> NewKey:
        """Makes a key that may do the same; the old one works until the overlap ends."""
        body = {"overlap_seconds": overlap_seconds, "expires_in_seconds": seconds}
        return self._post("keys", key_id, "rotate", NewKey, body)

    def revoke_key(self, key_id: str) -> None:
        """Ends a key at once."""
        self._send(Call("DELETE", f"/admin/keys/{quote(key_id, safe='')}", lambda _: None))

    def queues(self) -> list[QueueInfo]:
        """All models' queues."""
        return self._get("queues", QueueList).data

    def pause(self, model: str) -> QueueInfo:
        """Starts nothing of a model."""
        return self._post("queues", model, "pause", QueueInfo)

    def resume(self, model: str) -> QueueInfo:
        """Starts its jobs again."""
        return self._post("queues", model, "resume", QueueInfo)

    def purge_queue(self, model: str) -> QueuePurge:
        """Cancels all jobs that wait for a model."""
        return self._post("queues", model, "purge", QueuePurge)

    def workers(self) -> list[WorkerInfo]:
        """Those that spoke lately."""
        return self._get("workers", WorkerList).data

    def drain(self, worker: str) -> WorkerInfo:
        """Lets a worker end its job and take no other."""
        return self._post("workers", worker, "drain", WorkerInfo)

    def undrain(self, worker: str) -> WorkerInfo:
        """Lets it take jobs again."""
        return self._post("workers", worker, "undrain", WorkerInfo)

    def move_to_front(self, job_id: str) -> JobInfo:
        """Makes a queued job the next of its model."""
        return self._post("jobs", job_id, "move-to-front", JobInfo)

    def dead(self) -> list[JobInfo]:
        """Jobs that crashed their workers, the latest first."""
        return self._get("dead-letters", DeadLetterList).data

    def replay(self, job_id: str) -> JobInfo:
        """Submits one of them again; the new job."""
        return self._post("dead-letters", job_id, "replay", JobInfo)

    def acts(self, limit: int = 100) -> list[ActInfo]:
        """What operators did and with which key, the latest first; at most a thousand."""
        return self._get(f"acts?limit={limit}", ActList).data

    def metrics(self) -> str:
        """What Prometheus is told."""
        return self._send(Call("GET", "/metrics", lambda answer: answer.text))

    def _get(self, what: str, model: type[Answer]) -> Answer:
        return self._send(Call("GET", f"/admin/{what}", lambda it: model.model_validate_json(it.content)))

    def _post(
        self, kind: str, name: str, act: str, model: type[Answer], body: Mapping[str, Any] | None = None
    ) -> Answer:
        path, options = f"/admin/{kind}/{quote(name, safe='')}/{act}", {"json": body} if body else {}
        return self._send(Call("POST", path, lambda it: model.model_validate_json(it.content), options))
