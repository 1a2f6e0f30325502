"""A job that gives another mask to a finished one: its request, and the mask in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.masks import MaskRequest
from api_schemas.models import ModelCard
from api_schemas.variations import over
from job_store.records import JobRecord
from service.admission import accept, check_webhook, choose_card, idempotency_of
from service.errors import Refusal
from service.gateway import Gateway
from service.heirs import heir_of
from service.resolve import resolve
from service.sources import png_of, taken
from service.submission import bytes_of, check_used
from service.variations import fingerprint, understood


def admit_mask(
    gateway: Gateway,
    parent: JobRecord,
    asked: MaskRequest,
    parts: Mapping[str, bytes],
    idempotency_key: str | None,
    traceparent: str | None,
) -> tuple[JobRecord, bool]:
    """(the job, whether it is new or the same submission again). Raises `Refusal` and `StoreError`."""
    check_used(parts, [asked.mask] if asked.mask else [])
    carried = bytes_of(asked.mask, "mask", parts) if asked.mask else None
    card = choose_card(gateway, parent.model)
    request = remasked(parent, asked, card)
    check_webhook(request, gateway.settings.allow_loopback_egress)
    mask = png_of(gateway, taken(gateway, parent.tenant, asked.mask, carried)) if asked.mask else None
    job = heir_of(
        gateway,
        parent,
        request,
        model=card.name,
        traceparent=traceparent,
        replay="localizer" if mask is None else "mask",
        given_mask=mask,
    )
    said = asked.model_dump(mode="json")
    if carried is not None:
        said["mask"] = hashlib.sha256(carried).hexdigest()
    return accept(gateway, job, idempotency_of(idempotency_key, lambda: fingerprint(parent.id, said)))


def remasked(parent: JobRecord, asked: MaskRequest, card: ModelCard) -> InsertionRequest:
    """The parent's request with another cut. Raises `Refusal`: wrong_state, unsupported_option."""
    if parent.status != "succeeded" or parent.result is None:
        raise Refusal("wrong_state", f"Not now: the job is {parent.status}, only a succeeded one has a mask.")
    request = understood(parent)
    if not request.options.blend_steps:
        raise Refusal("unsupported_option", "The job does not blend, so it has no mask.")
    if any(len(image.tries) > 1 for image in parent.result.images):
        raise Refusal(
            "unsupported_option",
            "Its pictures come from tries of different settings: vary it with those of the one you mean.",
        )
    cut = Options(
        localizer=asked.localizer,
        softness=asked.softness,
        strict_background=asked.strict_background,
        keep_shadow=asked.keep_shadow,
    )
    changes = {
        "options": over(request.options, cut).model_copy(update={"keep_best": None}),
        "seeds": [image.seed for image in parent.result.images],
        "if_not_added": "report",
        "output": asked.output or request.output,
        "webhook": asked.webhook,
        "metadata": request.metadata if asked.metadata is None else asked.metadata,
    }
    return resolve(request.model_copy(update=changes), card, None, lambda: 0)
