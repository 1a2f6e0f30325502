"""What is true of all cells together: are they ready, what are they doing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from anyio import to_thread
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.samples import Sample
from starlette.responses import Response
from starlette.types import Scope

from api_schemas.errors import Problem
from api_schemas.health import Health
from service.cells.asking import ask
from service.cells.cell import Cells
from service.errors import Refusal
from service.problems import answer
from service.routes.health import METRICS_TYPE

REQUESTS, ALL = "addit_http_", "all"
"""Several processes count requests together in files that know no cell: they are told once, as of all."""


async def ready(cells: Cells, scope: Scope) -> Response:
    """Ready while any cell is: a gateway out of service would be missed by the tenants of the others."""
    answers = await asyncio.gather(*(ask(cell.tenants, scope) for cell in cells.all()))
    states, models = {}, set()
    for cell, told in zip(cells.all(), answers, strict=True):
        if told.status == 200:
            states[cell.name] = "ready"
            models.update(Health.model_validate_json(told.body).models)
        else:
            states[cell.name] = Problem.model_validate_json(told.body).code
    if not models:
        wrong = "no_worker" if "no_worker" in states.values() else "store_unavailable"
        refusal = Refusal(wrong, "No cell can serve.", data={"cells": states}, headers={"Retry-After": "5"})
        return answer(refusal, scope)
    health = Health(status="ready", models=sorted(models), cells=states)
    return Response(health.model_dump_json(), media_type="application/json")


async def metrics(cells: Cells) -> Response:
    """Every cell's, with a label of its name. One that does not answer is waited for beside the others."""
    told = await asyncio.gather(
        *(to_thread.run_sync(_collected, cell.gateway.metrics.registry) for cell in cells.all())
    )
    shared = cells.any().gateway.settings.gateway_processes > 1
    merged = _Merged(dict(zip(cells.by_name, told, strict=True)), shared)
    return Response(generate_latest(merged), media_type=METRICS_TYPE)


def _collected(registry: CollectorRegistry) -> list[Metric]:
    return [*registry.collect()]


class _Merged(CollectorRegistry):
    """The families of all cells, each once: Prometheus refuses a page that names one twice."""

    def __init__(self, told: dict[str, list[Metric]], shared: bool) -> None:
        super().__init__()
        self._told, self._shared = told, shared

    def collect(self) -> Iterator[Metric]:
        """Families by their first cell's order."""
        merged: dict[str, Metric] = {}
        for cell, families in self._told.items():
            for family in families:
                known = family.name in merged
                into = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                if not (self._shared and family.name.startswith(REQUESTS)):
                    into.samples.extend(_labelled(family, cell))
                elif not known:  # every cell's registry tells the same
                    into.samples.extend(_labelled(family, ALL))
        yield from merged.values()


def _labelled(family: Metric, cell: str) -> Iterable[Sample]:
    return (sample._replace(labels={**sample.labels, "cell": cell}) for sample in family.samples)
