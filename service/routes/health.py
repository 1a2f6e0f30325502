"""For those who run the service: is it alive, can it serve, what is it doing."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from api_schemas.health import Health
from job_store.clock import server_now
from job_store.workers import WorkerState
from service.dependencies import GatewayDep
from service.errors import Refusal
from service.openapi import refuses

router = APIRouter(tags=["health"])
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/livez")
async def livez() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", responses=refuses("no_worker", "store_unavailable"))
def readyz(gateway: GatewayDep) -> Health:
    """A worker has proved lately that its model works; a reachable store is not enough."""
    recent = timedelta(seconds=2 * gateway.settings.canary_seconds)
    now = server_now(gateway.redis)
    models = {worker.model for worker in gateway.workers.live() if can_serve(worker, now, recent)}
    if not models:
        raise Refusal(
            "no_worker", "No worker has proved lately that it can serve.", headers={"Retry-After": "5"}
        )
    return Health(status="ready", models=sorted(models))


def can_serve(worker: WorkerState, now: datetime, recent: timedelta) -> bool:
    """Its last canary or job is recent, or it is at work: then its supervisor watches every step."""
    return worker.state == "busy" or (
        worker.state == "ready" and worker.last_ok is not None and now - worker.last_ok < recent
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Counts, gauges and histograms.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "addit_store_up 1.0\n"}},
        }
    },
)
def metrics(gateway: GatewayDep) -> Response:
    """Prometheus' text format."""
    return Response(gateway.metrics.render(), media_type=METRICS_TYPE)
