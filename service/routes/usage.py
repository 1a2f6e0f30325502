"""What a tenant used, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api_schemas.usage import UsageOfDay, UsageReport
from job_store.usage import UsageDay
from service.answers import json_answer
from service.dependencies import Day, GatewayDep, UsageDep
from service.errors import invalid_field
from service.openapi import refuses

router = APIRouter(prefix="/v1/usage", tags=["usage"])
DAYS, MOST_DAYS = 30, 366
EARLIEST = date(2000, 1, 1)


@router.get(
    "", response_model=UsageReport, responses=refuses("unauthorized", "invalid_request", "store_unavailable")
)
def read_usage(
    gateway: GatewayDep,
    tenant: UsageDep,
    since: Annotated[
        Day | None, Query(description="The first UTC day; by default 29 days before `until`.")
    ] = None,
    until: Annotated[Day | None, Query(description="The last UTC day; today by default.")] = None,
) -> Response:
    """Jobs by their ends, GPU seconds and stored bytes by UTC day, for at most 366 days of the last 400."""
    last = until or datetime.now(UTC).date()
    if last < EARLIEST:
        raise invalid_field("query.until", f"is before {EARLIEST}")
    first = since or last - timedelta(DAYS - 1)
    if not timedelta(0) <= last - first < timedelta(MOST_DAYS):
        raise invalid_field("query.since", f"is not at most {MOST_DAYS - 1} days before until")
    days = [_told(day) for day in gateway.usage.days(tenant, first, last)]
    return json_answer(UsageReport(since=first, until=last, data=days))


def _told(day: UsageDay) -> UsageOfDay:
    figures = {"gpu_seconds": round(day.gpu_seconds, 3), "stored_bytes": day.stored_bytes}
    return UsageOfDay.model_validate({"day": day.day, **day.ended, **figures})
