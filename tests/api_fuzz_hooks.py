"""What Schemathesis cannot draw: real pictures, addresses that resolve, JSON by the line."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import schemathesis
from hypothesis import strategies as st

from tests.service.pictures import encoded, gradient

PNG = encoded(gradient())
DATA = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
HOOK = "http://127.0.0.1:9/hook"  # loopback is allowed in this stack, and nobody listens there
LINES = ("application/jsonl", "application/x-ndjson")


for kind in ("png", "jpeg", "webp"):
    schemathesis.openapi.media_type(f"image/{kind}", st.just(PNG))
schemathesis.openapi.format("binary", st.just(PNG))


@schemathesis.serializer(*LINES)
def serialize_lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """The text, or whatever a negative case puts in its place."""
    text = value if isinstance(value, str) else json.dumps(value)
    return value if isinstance(value, bytes) else text.encode(errors="replace")


@schemathesis.deserializer(*LINES)
def read_lines(context: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    """The last line: each has the schema."""
    return json.loads(response.content.splitlines()[-1])


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Let valid requests be about a real picture or a real address."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    path, body = case.operation.path, cast(Any, case.body)
    if not isinstance(body, dict):
        return
    if path.startswith("/v1/webhook-endpoints") and "url" in body:
        body["url"] = HOOK
    elif path == "/v1/images/edits" and case.media_type == "application/json":
        body.pop("images", None)
        body["image"] = DATA
    elif isinstance(body.get("source"), dict) and body["source"].get("kind") == "image":
        body["source"]["image"] = {"data": DATA}
