"""What headers answers have, for the API's description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNTAGGED = frozenset({"/livez", "/readyz", "/metrics", "/v1/images/edits", "/v1/batches/{batch_id}/results"})
"""Whose answers are no resource with an ETag."""
UNPLACED = frozenset(
    {
        "/v1/insertions/{job_id}/cancel",
        "/v1/insertions/{job_id}/seeds/{seed}",
        "/v1/webhook-endpoints/{endpoint_id}/replay",
        "/admin/dead-letters/{job_id}/replay",
    }
)
"""Whose 202 names no place: it is known, or there are several."""


def header(description: str, kind: str = "string", *, always: bool = False) -> dict[str, Any]:
    """One header's description; always: whether each such answer has it."""
    return {"description": description, "required": always, "schema": {"type": kind}}


REQUEST_ID = header("Names the request; yours if you sent a tame one.", always=True)
CHALLENGE = header("`Bearer`: which kind of key is asked for.", always=True)
LATER = header("Seconds after which to try again: an estimate, where one can be made.", "integer")
POLL = header("Seconds after which to look again, until it has ended.", "integer")
ETAG = header("Of this answer, for `If-None-Match`.", always=True)
PRIVATE = header("That the answer is for its tenant's eyes alone.", always=True)
LOCATION = header("Where what was made, or is on its way, can be looked at.", always=True)
REPLAYED = header("`true`: the answer tells of what this Idempotency-Key made before.")
APPLIED = header("`wait=N`: for how long the answer was put off at most.")
RANGES = header("`bytes`: a part may be asked for.", always=True)
PART = header("Which part of how many bytes this is.", always=True)


def headers_of(
    path: str, operation: Mapping[str, Any], status: str, answer: Mapping[str, Any]
) -> dict[str, Any]:
    """The headers of one of an operation's answers, by name."""
    found = {"X-Request-Id": REQUEST_ID}
    if status == "401":
        found["WWW-Authenticate"] = CHALLENGE
    if status in ("429", "503"):
        found["Retry-After"] = LATER
    if path.startswith("/v1/artifacts/") and status in ("200", "206", "416"):
        found |= {"Accept-Ranges": RANGES, "Cache-Control": PRIVATE}
        found |= {} if status == "200" else {"Content-Range": PART}
    elif path not in UNTAGGED and status == "304":
        found |= {"ETag": ETAG, "Cache-Control": PRIVATE, "Retry-After": POLL}
    elif path not in UNTAGGED and status.startswith("2") and "application/json" in answer.get("content", {}):
        found |= {"ETag": ETAG, "Cache-Control": PRIVATE} | _of_made(path, operation, status)
    return found


def _of_made(path: str, operation: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Of answers that tell of what was made."""
    asked = {parameter["name"] for parameter in operation.get("parameters", ())}
    made = status == "201" or (status == "202" and path not in UNPLACED) or "prefer" in asked
    found = {"Location": LOCATION} if made else {}
    found |= {"Idempotent-Replayed": REPLAYED} if "idempotency-key" in asked else {}
    found |= {"Preference-Applied": APPLIED} if "prefer" in asked else {}
    is_a_job = path.startswith("/v1/insertions/{job_id}") or "prefer" in asked
    return found | ({"Retry-After": POLL} if is_a_job else {})
