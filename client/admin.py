"""What operators do, with the operators' key, by the blocking client."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

from api_schemas.admin import (
    ActInfo,
    ActList,
    DeadLetterList,
    JobInfo,
    OwnLimits,
    QueueInfo,
    QueueList,
    TenantList,
    TenantState,
    WorkerInfo,
    WorkerList,
)
from api_schemas.base import ResponseModel
from client.calls import Call
from client.webhooks import Send

Answer = TypeVar("Answer", bound=ResponseModel)


class Admin:
    """`addit.admin`: tenants' limits, queues, workers, jobs that crashed. Raises ClientError."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def tenants(self) -> list[TenantState]:
        """Those that ever submitted a job or were given limits."""
        return self._get("tenants", TenantList).data

    def limit(self, tenant: str, limits: OwnLimits) -> TenantState:
        """Gives a tenant these limits, and the settings' for the rest."""
        body = {"json": limits.model_dump(exclude_none=True)}
        path = f"/admin/tenants/{quote(tenant, safe='')}"
        return self._send(Call("PUT", path, lambda it: TenantState.model_validate_json(it.content), body))

    def queues(self) -> list[QueueInfo]:
        """All models' queues."""
        return self._get("queues", QueueList).data

    def pause(self, model: str) -> QueueInfo:
        """Starts nothing of a model."""
        return self._post("queues", model, "pause", QueueInfo)

    def resume(self, model: str) -> QueueInfo:
        """Starts its jobs again."""
        return self._post("queues", model, "resume", QueueInfo)

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

    def acts(self) -> list[ActInfo]:
        """What operators did, the latest first."""
        return self._get("acts", ActList).data

    def _get(self, what: str, model: type[Answer]) -> Answer:
        return self._send(Call("GET", f"/admin/{what}", lambda it: model.model_validate_json(it.content)))

    def _post(self, kind: str, name: str, act: str, model: type[Answer]) -> Answer:
        path = f"/admin/{kind}/{quote(name, safe='')}/{act}"
        return self._send(Call("POST", path, lambda it: model.model_validate_json(it.content)))
