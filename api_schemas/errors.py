"""Problems (RFC 9457) with stable codes, and the error of a failed job."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api_schemas.base import ResponseModel

RequestErrorCode = Literal[
    "malformed_request", "invalid_request", "unauthorized", "forbidden", "forbidden_scope", "not_found",
    "method_not_allowed",
    "idempotency_key_in_flight", "idempotency_key_reused", "wrong_state", "body_too_large",
    "unsupported_media_type", "invalid_image", "unsupported_image", "image_too_large",
    "subject_not_in_prompt", "subject_not_inferred", "source_prompt_required", "unknown_words",
    "unsupported_size", "unknown_model", "unknown_preset", "unsupported_option", "source_unavailable",
    "region_empty", "prompt_refused",
    "rate_limited", "quota_exceeded", "queue_full", "no_worker",
    "store_unavailable", "moderation_unavailable", "storage_full", "internal",
]  # fmt: skip

JobErrorCode = Literal[
    "subject_not_in_prompt", "unsupported_size", "unsupported_option", "out_of_memory", "worker_crashed",
    "deadline_exceeded", "invalid_output", "source_unavailable", "subject_not_inferred",
    "source_prompt_required", "region_empty", "result_refused", "moderation_unavailable", "internal",
]  # fmt: skip


class FieldError(ResponseModel):
    """One invalid field of a request."""

    path: str = Field(description="Where it is, dotted: `options.blend_steps.0`.")
    message: str = Field(description="What is wrong with it.")


class Problem(ResponseModel):
    """An error answer, `application/problem+json` (RFC 9457)."""

    type: str = Field(default="about:blank", description="Always about:blank; `code` tells the kind.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    code: RequestErrorCode = Field(description="Stable, for programs.")
    detail: str = Field(description="For people: what went wrong and what would help.")
    errors: list[FieldError] = Field(default=[], description="The invalid fields, if any.")
    data: dict[str, Any] = Field(default={}, description="Values belonging to the code, e.g. `known_words`.")
    request_id: str | None = Field(default=None, description="Quote it when asking for help.")


class JobError(ResponseModel):
    """Why a job failed."""

    code: JobErrorCode = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")
    data: dict[str, Any] = Field(default={}, description="Values belonging to the code.")
