"""A variation: what changes against the job it varies. Whatever else that job asked for stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, create_model

from api_schemas.base import RequestModel
from api_schemas.insertions import InsertionRequest, Options

KEPT = frozenset({"source", "model"})
"""What makes a variation one of the same source: never changed."""
NOT_OF_THE_PICTURE = frozenset(
    {"output", "webhook", "priority", "deadline_seconds", "retain_seconds", "metadata"}
)
"""Changing these alone would give the same picture again."""


def _optional(name: str) -> Any:
    field = InsertionRequest.model_fields[name]
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    described = f"{field.description} Left out: as in the job that is varied."
    return (kind | None, Field(default=None, description=described))


VariationRequest: type[RequestModel] = create_model(
    "VariationRequest",
    __base__=RequestModel,
    __doc__="Fields of an `InsertionRequest` that shall differ from the job's: all but `source` and `model`. "
    "`options` are laid over the job's own, or over those of another `preset` where one is given. With "
    "another `prompt` the `subject` is found anew unless it is given. Where nothing of the picture changes, "
    "it is made with a new seed.",
    **{name: _optional(name) for name in InsertionRequest.model_fields if name not in KEPT},
)
"""Made from `InsertionRequest`, so that it can vary whatever that can ask for."""


def given(asked: RequestModel) -> dict[str, Any]:
    """What a `VariationRequest` says, in JSON's types; null says nothing."""
    said = asked.model_dump(mode="json", exclude_unset=True)
    return {name: value for name, value in said.items() if value is not None}


def vary(request: InsertionRequest, changes: Mapping[str, Any]) -> InsertionRequest:
    """The request with the changes, in JSON's types, over it. Raises pydantic's `ValidationError`."""
    merged = {**request.model_dump(mode="json"), **changes}
    if "prompt" in changes and "subject" not in changes:
        merged.pop("subject", None)
    if changes.keys() <= NOT_OF_THE_PICTURE:
        merged["seeds"] = []
    if changes.get("preset", request.preset) != request.preset:
        merged["options"] = changes.get("options", {})
    elif "options" in changes:
        asked = Options.model_validate(changes["options"])
        merged["options"] = over(request.options, asked).model_dump(mode="json")
    return InsertionRequest.model_validate(merged)


def over(before: Options, asked: Options) -> Options:
    """What was asked for over the options before, whose steps keep their fraction of the schedule."""
    given = {name: value for name in Options.model_fields if (value := getattr(asked, name)) is not None}
    if asked.num_inference_steps is not None and before.num_inference_steps is not None:
        before = before.at_steps(asked.num_inference_steps)
    starts = {"structure_transfer_step", "structure_transfer_t"}
    dropped = starts if starts & given.keys() else set()
    return before.model_copy(update=dict.fromkeys(dropped) | given)
