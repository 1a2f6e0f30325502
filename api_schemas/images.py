"""Uploaded pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp


class ImageAsset(ResponseModel):
    """A picture of this tenant, taken in: upright, sRGB, without metadata."""

    id: str = Field(description="`img_…`, for `source.image.id`.")
    object: Literal["image"] = Field(default="image", description="What this is.")
    created_at: Timestamp = Field(description="When it was taken in.")
    expires_at: Timestamp = Field(description="When it goes.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    sha256: str = Field(description="Of the stored PNG.")
    url: str = Field(description="The picture, a signed link.")
