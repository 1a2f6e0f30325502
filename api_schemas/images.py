"""Uploaded pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp


class ImageAsset(ResponseModel):
    """A picture of this tenant, taken in: upright, sRGB, without metadata."""

    id: str
    object: Literal["image"] = "image"
    created_at: Timestamp
    expires_at: Timestamp
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    sha256: str = Field(description="Of the stored PNG.")
    url: str = Field(description="The picture, a signed link.")
