"""What the gateway refuses with, and the status of each code. Foreign errors are mapped in problems.py.

Exception
└── Refusal    carries a RequestErrorCode; answered as application/problem+json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from api_schemas.errors import FieldError, RequestErrorCode

STATUS: Mapping[RequestErrorCode, int] = {
    "malformed_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "forbidden_scope": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_key_in_flight": 409,
    "wrong_state": 409,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_request": 422,
    "idempotency_key_reused": 422,
    "invalid_image": 422,
    "unsupported_image": 422,
    "image_too_large": 422,
    "subject_not_in_prompt": 422,
    "subject_not_inferred": 422,
    "source_prompt_required": 422,
    "unknown_words": 422,
    "unsupported_size": 422,
    "unknown_model": 422,
    "unknown_preset": 422,
    "unsupported_option": 422,
    "source_unavailable": 422,
    "region_empty": 422,
    "prompt_refused": 422,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "queue_full": 429,
    "internal": 500,
    "no_worker": 503,
    "store_unavailable": 503,
    "moderation_unavailable": 503,
    "storage_full": 507,
}
"""Every code and its status."""


class Refusal(Exception):
    """A request that is answered with a problem.

    code: of `RequestErrorCode`; errors: invalid fields; data: belonging to the code; headers: of the answer
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = cast(RequestErrorCode, code)
        self.status = STATUS[self.code]
        self.detail, self.errors = detail, list(errors)
        self.data, self.headers = dict(data or {}), dict(headers or {})


def invalid_field(path: str, message: str) -> Refusal:
    """invalid_request about one field."""
    return Refusal("invalid_request", f"{path}: {message}", errors=[FieldError(path=path, message=message)])
