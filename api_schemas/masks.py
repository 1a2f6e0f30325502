"""Another mask for a job that was done."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from api_schemas.base import RequestModel
from api_schemas.insertions import ImageRef, Localizer, Output, WebhookTarget


class MaskRequest(RequestModel):
    """How the job's subject is to be cut out instead, by exactly one of the first two. Where it lies, what it
    looks like and every setting before the blend stay as they were."""

    localizer: Localizer | None = Field(default=None, description="Another way of finding the subject.")
    mask: ImageRef | None = Field(
        default=None,
        description="A picture, white where the subject is to be kept and black elsewhere, stretched over "
        "the source. It serves all variations.",
    )
    softness: float | None = Field(
        default=None, ge=0, le=8, description="Cells of the latent grid over which the blend fades out."
    )
    strict_background: bool | None = Field(
        default=None, description="Leave every pixel outside the mask exactly as it was."
    )
    keep_shadow: bool | None = Field(
        default=None, description="Let the object's shadow fall just outside the mask."
    )
    output: Output | None = Field(default=None, description="What comes back; as in the job by default.")
    webhook: WebhookTarget | None = Field(default=None, description="Told when it ends; nobody by default.")
    metadata: dict[str, Any] | None = Field(
        default=None, max_length=32, description="Yours; the job's by default."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.localizer is None) == (self.mask is None):
            raise ValueError("give exactly one of localizer, mask")
        return self
