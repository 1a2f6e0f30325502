"""What probes are told."""

from __future__ import annotations

from pydantic import Field

from api_schemas.base import ResponseModel


class Health(ResponseModel):
    """That all is well."""

    status: str = Field(description="ok, or ready.")
    models: list[str] = Field(default=[], description="The models that can serve.")
