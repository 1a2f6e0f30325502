"""What probes are told."""

from __future__ import annotations

from pydantic import Field

from api_schemas.base import ResponseModel, is_none


class Health(ResponseModel):
    """That all is well."""

    status: str = Field(description="ok, or ready.")
    models: list[str] = Field(default=[], description="The models that can serve.")
    cells: dict[str, str] | None = Field(
        default=None,
        exclude_if=is_none,
        description="Where tenants are shared out over cells: `ready`, or what is wrong with each.",
    )
