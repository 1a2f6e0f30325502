"""The gateway as two ASGI apps: the tenants' and the operators'."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from runtime import telemetry
from runtime.settings import Settings
from runtime.version import service_version
from service.body_guard import BodyGuard
from service.cells.refusing import RefusedWhileDown
from service.gateway import Gateway, build_gateway
from service.openapi import OPERATORS_MODELS, OPERATORS_TITLE, TENANTS_MODELS, TITLE, describe
from service.problems import install
from service.request_hop import RequestHop
from service.routes import (
    admin,
    admin_keys,
    artifacts,
    batches,
    estimates,
    health,
    images,
    images_edits,
    insertions,
    models,
    scenes,
    usage,
    webhook_endpoints,
)
from service.webhook_messages import messages

ROUTERS = tuple(
    resource.router
    for resource in (
        insertions,
        batches,
        estimates,
        images,
        images_edits,
        models,
        scenes,
        usage,
        webhook_endpoints,
        artifacts,
        health,
    )
)
OPERATORS_ROUTERS = tuple(resource.router for resource in (admin, admin_keys, health))
DESCRIPTION = "Adds an object to a picture from a sentence. Errors are problems (RFC 9457) with a `code`."
OPERATORS_DESCRIPTION = "On a port of its own, for those who run the service, with a key of the settings."


def create_app(settings: Settings | None = None) -> FastAPI:
    """The tenants' app; its `state.gateway` holds what it works with. Raises `ValueError` on unusable
    settings."""
    return create_tenants_app(build_gateway(settings or Settings()))


def create_tenants_app(gateway: Gateway) -> FastAPI:
    """The same, over this gateway."""
    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version=service_version(),
        lifespan=_lifespan,
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
        webhooks=messages,
    )
    return _equipped(app, gateway, ROUTERS, TENANTS_MODELS)


def create_operators_app(gateway: Gateway) -> FastAPI:
    """The operators' app, over the same stores. It lives as long as the tenants' app."""
    app = FastAPI(
        title=OPERATORS_TITLE,
        description=OPERATORS_DESCRIPTION,
        version=service_version(),
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
    )
    return _equipped(app, gateway, OPERATORS_ROUTERS, OPERATORS_MODELS)


def _equipped(
    app: FastAPI, gateway: Gateway, routers: Sequence[APIRouter], models: Sequence[type[BaseModel]]
) -> FastAPI:
    """With its routes and what every request passes through. models: those that only `describe` names."""
    app.state.gateway = gateway
    app.openapi = partial(describe, app, models)  # type: ignore[method-assign]
    install(app, [route for router in routers for route in router.routes if isinstance(route, APIRoute)])
    app.add_middleware(BodyGuard, max_bytes=gateway.settings.max_body_bytes)
    if gateway.standing is not None:
        app.add_middleware(RefusedWhileDown, standing=gateway.standing)
    app.add_middleware(RequestHop, metrics=gateway.metrics)  # added last, so outermost
    # Before FastAPI's own, which makes the description on the event loop: nobody else is served meanwhile.
    app.router.routes.insert(0, Route("/openapi.json", lambda request: JSONResponse(app.openapi())))
    for router in routers:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    await run_in_threadpool(gateway.decoders.start)
    try:
        yield
    finally:
        await run_in_threadpool(gateway.decoders.close)
        await gateway.events.close()
        gateway.redis.close()
        await run_in_threadpool(telemetry.flush)  # uvicorn ends by the signal it was sent: nothing runs later
