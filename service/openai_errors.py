"""Errors as OpenAI's clients expect them, on the paths that are shaped like OpenAI's and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from api_schemas.image_edits import OpenAIError, OpenAIErrorBody
from job_store.records import JobRecord
from service.errors import Refusal

PATHS = frozenset({"/v1/images/edits"})
RETRIED = frozenset(
    {
        "rate_limited", "quota_exceeded", "queue_full", "no_worker", "store_unavailable",
        "moderation_unavailable",
    }
)  # fmt: skip
"""Codes that a client's own retries may overcome."""
PARAMS: Mapping[str, str] = {
    "source.image": "image",
    "source.prompt": "source_prompt",
    "region.mask": "mask",
    "seeds": "n",
    "output.previews": "partial_images",
    "output.format": "output_format",
}
"""Fields of an insertion in OpenAI's words, where the words differ."""
CODE_PARAMS: Mapping[str, str] = {
    "unknown_model": "model",
    "invalid_image": "image",
    "unsupported_image": "image",
    "image_too_large": "image",
    "source_unavailable": "image",
    "unknown_words": "prompt",
    "subject_not_in_prompt": "prompt",
    "subject_not_inferred": "prompt",
    "source_prompt_required": "source_prompt",
    "unsupported_size": "image",
    "region_empty": "mask",
    "prompt_refused": "prompt",
}


FIXABLE = frozenset(CODE_PARAMS) | {"unsupported_option", "result_refused"}
"""Codes whose cause is in the request."""


def openai_error(refusal: Refusal) -> tuple[int, OpenAIError]:
    """(status, body). What is wrong with a request is 400: OpenAI does not tell invalid from malformed."""
    status = 400 if refusal.status in (413, 415, 422) else refusal.status
    code = "invalid_api_key" if refusal.code == "unauthorized" else refusal.code
    body = OpenAIErrorBody(message=refusal.detail, type=_type(status), code=code, param=_param(refusal))
    return status, OpenAIError(error=body)


def openai_headers(refusal: Refusal) -> dict[str, str]:
    """With OpenAI's word to its clients on whether to try again."""
    return {**refusal.headers, "X-Should-Retry": str(refusal.code in RETRIED).lower()}


def job_error(record: JobRecord) -> tuple[int, OpenAIError]:
    """(status, body) of an edit whose job ended another way than it should."""
    error = record.error
    message = error.message if error else f"The edit was {record.status}."
    code: str = error.code if error else record.status
    status = 400 if code in FIXABLE else 500
    return status, OpenAIError(
        error=OpenAIErrorBody(message=message, type=_type(status), code=code, param=CODE_PARAMS.get(code))
    )


def _type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return "rate_limit_error" if status == 429 else "invalid_request_error"


def _param(refusal: Refusal) -> str | None:
    if not refusal.errors:
        return CODE_PARAMS.get(refusal.code)
    path = refusal.errors[0].path
    found = (ours for field, ours in PARAMS.items() if path.startswith(field))
    return next(found, path.split(".")[0]) or None
