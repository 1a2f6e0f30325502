"""A request's body as JSON bytes or as parts of a form; anything else is refused by its media type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from starlette.datastructures import UploadFile

from service.errors import Refusal
from service.problems import from_validation

Model = TypeVar("Model", bound=BaseModel)

MAX_PARTS = 4
JSON = "application/json"
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Form:
    """The parts of a multipart body, by name."""

    fields: Mapping[str, bytes]
    files: Mapping[str, bytes]


def media_type(request: Request) -> str:
    """Lower-case, without parameters; empty when none is given."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def unsupported(*taken: str) -> Refusal:
    """415 naming what is taken."""
    return Refusal("unsupported_media_type", f"Send {' or '.join(taken)}.")


async def read_json(request: Request) -> bytes:
    """The body of a route that takes JSON alone. Raises `Refusal` unsupported_media_type."""
    if media_type(request) != JSON:
        raise unsupported(JSON)
    return await request.body()


def parse_json(body: bytes, model: type[Model]) -> Model:
    """Of JSON whose values have the types that the description says: "1" and true are no numbers.

    Raises `Refusal`: malformed_request for no JSON, invalid_request for JSON that is no such model.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refusal("malformed_request", f"The body is not JSON: {error}.") from None
    try:
        return _strictly(model, body)
    except ValidationError as error:
        if not any(_is_whole(one["input"]) for one in error.errors()):
            raise from_validation(error) from None
    try:
        return _strictly(model, to_json(with_integers(value)))
    except ValidationError as error:
        raise from_validation(error) from None


def _strictly(model: type[Model], body: bytes) -> Model:
    return model.model_validate_json(body, strict=True)


def with_integers(value: Any) -> Any:
    """JSON's value with 1.0 written as 1: to JSON they are the same number."""
    if isinstance(value, dict):
        return {name: with_integers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_integers(one) for one in value]
    return int(value) if _is_whole(value) else value


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


async def read_form(request: Request, max_fields: int = MAX_PARTS) -> Form:
    """Every part in memory; the body is bounded as a whole. Raises `Refusal` malformed_request."""
    fields: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    async with request.form(max_files=MAX_PARTS, max_fields=max_fields) as form:
        for name, value in form.multi_items():
            if name in fields or name in files:
                raise Refusal("malformed_request", f"The part {name!r} is given twice.")
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            else:
                fields[name] = value.encode()
    return Form(fields, files)
