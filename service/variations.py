"""A job that varies another: the same source, so that what a worker remembers of it serves again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api_schemas.insertions import InsertionRequest
from api_schemas.variations import vary
from job_store.records import JobRecord
from service.admission import accept, check_webhook, choose_card, idempotency_of
from service.gateway import Gateway
from service.heirs import heir_of
from service.problems import from_validation
from service.resolve import resolve
from service.submission import Submission


def admit_variation(
    gateway: Gateway,
    parent: JobRecord,
    changes: Mapping[str, Any],
    idempotency_key: str | None,
    traceparent: str | None,
) -> tuple[JobRecord, bool]:
    """(the job, whether it is new or the same submission again). Raises `Refusal` and `StoreError`.

    changes: fields of a `VariationRequest`, in JSON's types
    """
    card = choose_card(gateway, parent.model)
    request = _varied(parent, changes)
    check_webhook(request, gateway.settings.allow_loopback_egress)
    Submission(request).check_size()
    request = resolve(request, card, None, lambda: secrets.randbelow(2**32))
    job = heir_of(gateway, parent, request, model=card.name, traceparent=traceparent)
    return accept(gateway, job, idempotency_of(idempotency_key, lambda: fingerprint(parent.id, changes)))


def fingerprint(parent_id: str, asked: Mapping[str, Any]) -> str:
    """SHA-256 of what was asked of a job."""
    return hashlib.sha256(f"{parent_id} {json.dumps(asked, sort_keys=True)}".encode()).hexdigest()


def _varied(parent: JobRecord, changes: Mapping[str, Any]) -> InsertionRequest:
    try:
        return vary(understood(parent), changes)
    except ValidationError as error:
        raise from_validation(error) from None


def understood(parent: JobRecord) -> InsertionRequest:
    """The job's request with the texts that were found by looking at its picture, once it has been."""
    inferred, request = parent.result.inferred if parent.result else None, parent.request
    if inferred is None:
        return request
    source = request.source.model_copy(update={"prompt": inferred.source_prompt})
    texts = {"source": source, "prompt": inferred.prompt, "subject": inferred.subject}
    return request.model_copy(update=texts)
