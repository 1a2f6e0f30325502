"""The shape of OpenAI's image edits, as far as this service has what they ask for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api_schemas.base import RequestModel, ResponseModel
from api_schemas.insertions import Prompt, Seed
from api_schemas.subjects import Subject

MOST_IMAGES = 8
Format = Literal["png", "jpeg", "webp"]
Background = Literal["opaque", "auto"]
Quality = Literal["low", "medium", "high", "xhigh", "max", "auto", "standard"]


class EditImage(RequestModel):
    """A picture of a JSON request, by exactly one of two ways."""

    image_url: str | None = Field(default=None, description="An https address, or a base64 `data:` URL.")
    file_id: str | None = Field(default=None, description="An image uploaded before: `img_…`.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.image_url is None) == (self.file_id is None):
            raise ValueError("give exactly one of image_url, file_id")
        return self


class ImageEditRequest(RequestModel):
    """Add what the prompt names to one picture. Multipart, with the pictures as file parts, or JSON.

    Taken and without effect: quality, input_fidelity, moderation.
    """

    prompt: Prompt = Field(
        description="What to add, in English: `add a dog`; or what the picture shall show, the new object "
        "included."
    )
    image: str | EditImage | None = Field(
        default=None, description="The picture: a file part, or in JSON an address, base64 or an object."
    )
    images: list[EditImage] | None = Field(
        default=None, min_length=1, max_length=1, description="The same as a list of one."
    )
    mask: str | EditImage | None = Field(
        default=None, description="A PNG of the picture's shape: the object may be where it is transparent."
    )
    model: str | None = Field(
        default=None, max_length=64, description="A served model; OpenAI's names mean the default one."
    )
    n: Annotated[int, Field(ge=1, le=MOST_IMAGES)] | None = Field(
        default=None, description="How many variations, one by default."
    )
    size: Annotated[str, Field(pattern=r"^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$")] | None = Field(
        default=None,
        description="`WIDTHxHEIGHT` of the results, of the picture's shape; `auto`, its own, by default.",
    )
    response_format: Literal["url", "b64_json"] | None = Field(
        default=None, description="Links, or the pictures themselves (by default)."
    )
    output_format: Format | None = Field(default=None, description="Of the results; `png` by default.")
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="Quality of a jpeg or webp."
    )
    stream: bool | None = Field(default=None, description="Answer with Server-Sent Events.")
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="Small pictures of each variation as it forms; with `stream`."
    )
    background: Background | None = Field(default=None, description="Results are opaque.")
    quality: Quality | None = Field(default=None, description="Without effect.")
    input_fidelity: Literal["high", "low"] | None = Field(default=None, description="Without effect.")
    moderation: Literal["low", "auto"] | None = Field(default=None, description="Without effect.")
    user: Annotated[str, Field(max_length=512)] | None = Field(
        default=None, description="Yours; kept in the job's metadata."
    )
    safety_identifier: Annotated[str, Field(max_length=512)] | None = Field(
        default=None, description="Yours; kept in the job's metadata."
    )
    subject: Subject | None = Field(
        default=None, description="Beyond OpenAI: the new object, in the words of `prompt`."
    )
    source_prompt: Prompt | None = Field(
        default=None, description="Beyond OpenAI: what the picture shows now, where nobody else can tell."
    )
    seed: Seed | None = Field(default=None, description="Beyond OpenAI: of the first variation.")


class EditedImage(ResponseModel):
    """One variation, by one of the two."""

    b64_json: str | None = Field(default=None, description="The picture in base64.")
    url: str | None = Field(default=None, description="A signed link to it.")
    revised_prompt: str | None = Field(default=None, description="What it was to show, as understood.")


class ImageEditResponse(ResponseModel):
    """The results of an edit."""

    created: int = Field(description="When, in Unix seconds.")
    data: list[EditedImage] = Field(description="The variations, in the order of their seeds.")
    background: Literal["opaque"] = Field(default="opaque", description="Always opaque.")
    output_format: Format = Field(description="Of the pictures.")
    size: str = Field(description="`WIDTHxHEIGHT` of the pictures.")
    quality: Literal["high"] = Field(default="high", description="Always high.")


class TokenDetails(ResponseModel):
    """Of tokens read."""

    image_tokens: int = Field(default=0, description="Always 0: nothing is billed by tokens.")
    text_tokens: int = Field(default=0, description="Always 0.")


class TokenUsage(ResponseModel):
    """OpenAI's unit of cost, which this service does not have."""

    input_tokens: int = Field(default=0, description="Always 0.")
    input_tokens_details: TokenDetails = Field(default=TokenDetails(), description="Always 0.")
    output_tokens: int = Field(default=0, description="Always 0.")
    total_tokens: int = Field(default=0, description="Always 0.")


class ImageEditPartial(ResponseModel):
    """An event: a variation as it forms, small."""

    type: Literal["image_edit.partial_image"] = Field(
        default="image_edit.partial_image", description="What this is."
    )
    b64_json: str = Field(description="The small picture in base64.")
    partial_image_index: int = Field(description="Of this variation's partial pictures, from 0.")
    image_index: int = Field(description="Beyond OpenAI: of the variation, from 0.")
    created_at: int = Field(description="When, in Unix seconds.")
    background: Literal["opaque"] = Field(default="opaque", description="Always opaque.")
    output_format: Format = Field(description="Of the picture.")
    quality: Literal["high"] = Field(default="high", description="Always high.")
    size: str = Field(description="`WIDTHxHEIGHT` of the result to come; `auto` before it is known.")


class ImageEditCompleted(ResponseModel):
    """An event: a variation is done. One each; the last ends the stream."""

    type: Literal["image_edit.completed"] = Field(default="image_edit.completed", description="What this is.")
    b64_json: str = Field(description="The picture in base64.")
    image_index: int = Field(description="Beyond OpenAI: of the variation, from 0.")
    created_at: int = Field(description="When, in Unix seconds.")
    background: Literal["opaque"] = Field(default="opaque", description="Always opaque.")
    output_format: Format = Field(description="Of the picture.")
    quality: Literal["high"] = Field(default="high", description="Always high.")
    size: str = Field(description="`WIDTHxHEIGHT` of the picture.")
    usage: TokenUsage = Field(default=TokenUsage(), description="Nothing.")


class OpenAIErrorBody(ResponseModel):
    """What went wrong, as OpenAI tells it."""

    message: str = Field(description="For people.")
    type: str = Field(description="`invalid_request_error`, `rate_limit_error` or `server_error`.")
    code: str = Field(description="Stable, for programs: this service's own, as in its problems.")
    param: str | None = Field(default=None, description="The field that is wrong, if one is.")


class OpenAIError(ResponseModel):
    """An error answer of this path alone; everywhere else errors are problems."""

    error: OpenAIErrorBody = Field(description="What went wrong.")
