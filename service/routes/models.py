"""The models that are served now."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api_schemas.models import ModelList
from service.answers import json_answer
from service.dependencies import GatewayDep, ReaderDep
from service.openapi import refuses

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", response_model=ModelList, responses=refuses("unauthorized", "store_unavailable"))
def list_models(gateway: GatewayDep, tenant: ReaderDep) -> Response:
    """Every model that a live worker serves, with its presets, sizes and known words."""
    return json_answer(ModelList(data=gateway.workers.cards()))
