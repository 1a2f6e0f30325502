"""For operators, with a key of their own: tenants' limits, queues, workers, jobs that crashed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api_schemas.admin import (
    ActInfo,
    ActList,
    DeadLetterList,
    JobInfo,
    OwnLimits,
    QueueInfo,
    QueueList,
    QueuePurge,
    SourceTier,
    TenantLimits,
    TenantList,
    TenantPurge,
    TenantState,
    WorkerInfo,
    WorkerList,
)
from api_schemas.errors import RequestErrorCode
from job_store import tickets
from job_store.api_keys import TENANT
from job_store.errors import NotFound
from job_store.operations import Operations
from job_store.records import JobRecord
from job_store.tenants import Tenant
from job_store.workers import WorkerState
from service.answers import json_answer
from service.bodies import parse_json, read_json
from service.dependencies import OPERATORS, GatewayDep, OperatorDep
from service.gateway import Gateway
from service.openapi import refuses
from service.replaying import replay as replay_dead
from service.routes.webhook_endpoints import body_of

router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[OPERATORS])
LISTED: tuple[RequestErrorCode, ...] = ("unauthorized", "store_unavailable")
NAMED: tuple[RequestErrorCode, ...] = (*LISTED, "not_found", "invalid_request")
TenantName = Annotated[
    str, Path(pattern=f"^{TENANT.pattern}$", description="The tenant, as `addit keys` names it.")
]
Model = Annotated[str, Path(description="The model.")]
Worker = Annotated[str, Path(description="The worker: `worker_…`.")]
JobId = Annotated[str, Path(description="The job: `ins_…`.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]


@router.get("/tenants", response_model=TenantList, responses=refuses(*LISTED))
def list_tenants(gateway: GatewayDep) -> Response:
    """Tenants that ever submitted a job or were given limits."""
    return json_answer(TenantList(data=[_tenant(tenant) for tenant in gateway.tenants.all()]))


@router.get("/tenants/{tenant}", response_model=TenantState, responses=refuses(*LISTED, "invalid_request"))
def read_tenant(gateway: GatewayDep, tenant: TenantName) -> Response:
    """A tenant's limits and how much of them it uses; it need not have submitted anything yet."""
    return json_answer(_tenant(gateway.tenants.get(tenant)))


@router.put(
    "/tenants/{tenant}",
    response_model=TenantState,
    openapi_extra=body_of("OwnLimits", {"weight": 2, "max_running": 4}),
    responses=refuses(
        *LISTED, "malformed_request", "body_too_large", "unsupported_media_type", "invalid_request"
    ),
)
async def put_tenant(
    request: Request, gateway: GatewayDep, acting: OperatorDep, tenant: TenantName
) -> Response:
    """Give a tenant these limits, and the settings' for the rest. They hold at once, for waiting jobs too."""
    own = parse_json(await read_json(request), OwnLimits).model_dump(exclude_none=True)
    return await to_thread.run_sync(_put_tenant, gateway, acting, tenant, own)


def _put_tenant(gateway: Gateway, acting: Operations, name: str, own: dict[str, float]) -> Response:
    before = gateway.tenants.get(name)
    tenant = gateway.tenants.put(name, own)
    acting.note("put_limits", name, before.own_limits(), tenant.own_limits())
    return json_answer(_tenant(tenant))


@router.post(
    "/tenants/{tenant}/purge", response_model=TenantPurge, responses=refuses(*LISTED, "invalid_request")
)
def purge_tenant(
    acting: OperatorDep,
    tenant: TenantName,
    keys: Annotated[Literal["keep", "revoke"], Query(description="What becomes of its API keys.")] = "keep",
) -> Response:
    """Remove all jobs, scenes, batches and pictures that a tenant has now. Limits, webhook endpoints and what
    it used stay. Revoke its keys as well where nothing shall come after."""
    gone = acting.purge_tenant(tenant, keys=keys == "revoke")
    return json_answer(TenantPurge(tenant=tenant, **asdict(gone)))


@router.get("/queues", response_model=QueueList, responses=refuses(*LISTED))
def list_queues(gateway: GatewayDep) -> Response:
    """The queues of all models that are served or ever had a job."""
    models = {*gateway.store.models(), *(worker.model for worker in gateway.workers.live())}
    return json_answer(QueueList(data=[_queue(gateway, model) for model in sorted(models)]))


@router.post(
    "/queues/{model}/pause", summary="Pause Queue", response_model=QueueInfo, responses=refuses(*NAMED)
)
def pause(gateway: GatewayDep, acting: OperatorDep, model: Model) -> Response:
    """Start nothing of a model until it is resumed. What runs goes on; submissions are accepted."""
    acting.pause(_known(gateway, model))
    return json_answer(_queue(gateway, model))


@router.post(
    "/queues/{model}/resume", summary="Resume Queue", response_model=QueueInfo, responses=refuses(*NAMED)
)
def resume(gateway: GatewayDep, acting: OperatorDep, model: Model) -> Response:
    """Start a model's jobs again."""
    acting.resume(_known(gateway, model))
    tickets.top_up(gateway.redis, gateway.store, model)
    return json_answer(_queue(gateway, model))


@router.post("/queues/{model}/purge", response_model=QueuePurge, responses=refuses(*NAMED))
def purge_queue(gateway: GatewayDep, acting: OperatorDep, model: Model) -> Response:
    """Cancel all jobs that wait for a model, whose tenants are told as of any cancel. What runs goes on."""
    return json_answer(QueuePurge(model=model, canceled=acting.purge_queue(_known(gateway, model))))


@router.get("/workers", response_model=WorkerList, responses=refuses(*LISTED))
def list_workers(gateway: GatewayDep) -> Response:
    """The workers that spoke lately."""
    drained = gateway.operations.drained()
    return json_answer(WorkerList(data=[_worker(state, drained) for state in gateway.workers.all()]))


@router.post(
    "/workers/{worker}/drain", summary="Drain Worker", response_model=WorkerInfo, responses=refuses(*NAMED)
)
def drain(gateway: GatewayDep, acting: OperatorDep, worker: Worker) -> Response:
    """Let a worker end its job and take no other, so that it can be stopped at leisure."""
    acting.drain(worker)
    return json_answer(_one_worker(gateway, worker))


@router.post(
    "/workers/{worker}/undrain",
    summary="Undrain Worker",
    response_model=WorkerInfo,
    responses=refuses(*NAMED),
)
def undrain(gateway: GatewayDep, acting: OperatorDep, worker: Worker) -> Response:
    """Let a drained worker take jobs again."""
    acting.undrain(worker)
    return json_answer(_one_worker(gateway, worker))


@router.post(
    "/jobs/{job_id}/move-to-front",
    summary="Move Job To Front",
    response_model=JobInfo,
    responses=refuses(*NAMED, "wrong_state"),
)
def move_to_front(gateway: GatewayDep, acting: OperatorDep, job_id: JobId) -> Response:
    """Make a queued job the next of its model, whatever its tenant's share and cap. It is charged as ever."""
    acting.move_to_front(job_id)
    return json_answer(_job(gateway.store.get(job_id)))


@router.get(
    "/dead-letters",
    summary="List Dead Letters",
    response_model=DeadLetterList,
    responses=refuses(*LISTED, "invalid_request"),
)
def list_dead(gateway: GatewayDep, limit: Limit = 100) -> Response:
    """Jobs that failed as their workers crashed over them and were not replayed, the latest first."""
    dead = gateway.store.get_all(gateway.operations.dead(limit))
    return json_answer(DeadLetterList(data=[_job(record) for record in dead]))


@router.post(
    "/dead-letters/{job_id}/replay",
    summary="Replay Dead Letter",
    status_code=202,
    response_model=JobInfo,
    response_description="The new job.",
    responses=refuses(
        *NAMED, "wrong_state", "source_unavailable", "rate_limited", "quota_exceeded", "queue_full",
        "idempotency_key_reused", "storage_full",
    ),
)  # fmt: skip
def replay(gateway: GatewayDep, acting: OperatorDep, job_id: JobId) -> Response:
    """Submit a dead job again, as a new one of its tenant; within a day the same one every time."""
    return json_answer(_job(replay_dead(gateway, acting, gateway.store.get(job_id))), 202)


@router.get("/acts", response_model=ActList, responses=refuses(*LISTED, "invalid_request"))
def list_acts(gateway: GatewayDep, limit: Limit = 100) -> Response:
    """What operators did and with which key, the latest first; the last 10,000 acts are kept."""
    acts = gateway.operations.acts(limit)
    return json_answer(ActList(data=[ActInfo.model_validate(asdict(act)) for act in acts]))


def _tenant(tenant: Tenant) -> TenantState:
    limits = TenantLimits.model_validate(asdict(tenant.limits))
    return TenantState(
        name=tenant.name,
        limits=limits,
        own=sorted(tenant.own),
        queued=tenant.queued,
        running=tenant.running,
    )


def _known(gateway: Gateway, model: str) -> str:
    """Raises `NotFound` for a model that is not served and never had a job."""
    if model not in gateway.store.models() and not gateway.workers.live(model):
        raise NotFound(model)
    return model


def _queue(gateway: Gateway, model: str) -> QueueInfo:
    drained = gateway.operations.drained()
    return QueueInfo(
        model=model,
        paused=model in gateway.operations.paused(),
        queued=gateway.store.ready_count(model),
        claimable=gateway.store.claimable_count(model),
        workers=sum(worker.name not in drained for worker in gateway.workers.live(model)),
    )


def _one_worker(gateway: Gateway, name: str) -> WorkerInfo:
    drained = gateway.operations.drained()
    found = [_worker(state, drained) for state in gateway.workers.all() if state.name == name]
    if not found:
        raise NotFound(name)
    return found[0]


def _worker(state: WorkerState, drained: frozenset[str]) -> WorkerInfo:
    return WorkerInfo(
        name=state.name,
        model=state.model,
        state=state.state,
        drained=state.name in drained,
        started_at=state.started_at,
        last_ok=state.last_ok,
        memory_used_bytes=state.device.used if state.device else None,
        memory_total_bytes=state.device.total if state.device else None,
        resident_bytes=state.resident_bytes,
        sources=state.memory.sources,
        source_memory=[
            SourceTier(tier=tier.tier, held_bytes=tier.held, most_bytes=tier.most)
            for tier in state.memory.tiers
        ],
    )


def _job(record: JobRecord) -> JobInfo:
    return JobInfo(
        id=record.id,
        tenant=record.tenant,
        model=record.model,
        status=record.status,
        created_at=record.created_at,
        completed_at=record.completed_at,
        attempts=record.attempts,
        crashes=record.crashes,
        parent_id=record.parent_id,
    )
