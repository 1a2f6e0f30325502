"""The gateway as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from runtime import telemetry
from runtime.settings import Settings
from runtime.version import service_version
from service.body_guard import BodyGuard
from service.gateway import Gateway, build_gateway
from service.openapi import TITLE, describe
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
        admin,
        admin_keys,
        health,
    )
)
DESCRIPTION = "Adds an object to a picture from a sentence. Errors are problems (RFC 9457) with a `code`."


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; its `state.gateway` holds what it works with. Raises `ValueError` on unusable settings."""
    gateway = build_gateway(settings or Settings())
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
    app.state.gateway = gateway
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    install(app, [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)])
    app.add_middleware(BodyGuard, max_bytes=gateway.settings.max_body_bytes)
    app.add_middleware(RequestHop, metrics=gateway.metrics)  # added last, so outermost
    for router in ROUTERS:
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
