"""Answers of a service, made by hand."""

from __future__ import annotations

from typing import Any

import httpx

from api_schemas.events import JobEvent
from api_schemas.insertions import GeneratedSource, InsertionRequest

REQUEST = InsertionRequest(source=GeneratedSource(prompt="a bed"), prompt="a bed and a cat", subject="cat")


def job(status: str = "queued", **fields: Any) -> httpx.Response:
    urls = {"self": "/s", "events": "/e", "cancel": "/c"}
    body = {
        "id": "ins_1",
        "status": status,
        "created_at": "2026-01-01T00:00:00Z",
        "model": "m",
        "request": REQUEST.model_dump(mode="json"),
        "urls": urls,
    }
    return httpx.Response(202, json=body | fields)


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"title": "No", "status": status, "code": code, "detail": "because"}
    return httpx.Response(
        status, json=body, headers={name.replace("_", "-"): it for name, it in headers.items()}
    )


def stream(*events: tuple[str, str], ended: bool = True) -> bytes:
    """Server-sent events of (id, type); not `ended`: cut off in the middle of a further one."""
    whole = b": hello\n\n"
    for event_id, kind in events:
        event = JobEvent.model_validate({"id": event_id, "type": kind, "at": "2026-01-01T00:00:00Z"})
        whole += f"id: {event_id}\nevent: {kind}\ndata: {event.model_dump_json()}\n\n".encode()
    return whole if ended else whole + b'id: 99\ndata: {"id"'
