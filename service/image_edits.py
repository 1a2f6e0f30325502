"""Between OpenAI's image edits and insertions: what is asked, what is answered."""

from __future__ import annotations

import hashlib
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fastapi import Request
from pydantic import ValidationError

from api_schemas.errors import FieldError
from api_schemas.events import Preview
from api_schemas.image_edits import (
    EditedImage,
    EditImage,
    ImageEditCompleted,
    ImageEditPartial,
    ImageEditRequest,
    ImageEditResponse,
)
from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Output, Region
from job_store.records import JobRecord
from service.bodies import FORM, JSON, media_type, parse_json, read_form, unsupported
from service.errors import Refusal, invalid_field
from service.finishing import Size, finish, wanted_size
from service.gateway import Gateway
from service.problems import from_validation
from service.submission import Submission, bytes_of, submission_of

MAX_FIELDS = 32
OPENAI_MODELS = ("gpt-image", "dall-e", "chatgpt-image")
FILES = ("image", "mask")
SEEDS = 2**32


@dataclass(frozen=True)
class EditSubmission:
    """An edit as sent, and the pictures that came along by name: `image`, `mask`."""

    request: ImageEditRequest
    files: Mapping[str, bytes]


async def read_edit(request: Request) -> EditSubmission:
    """Multipart or JSON. Raises `Refusal`."""
    kind = media_type(request)
    if kind == JSON:
        return EditSubmission(parse_json(await request.body(), ImageEditRequest), {})
    if kind != FORM:
        raise unsupported(FORM, JSON)
    form = await read_form(request, MAX_FIELDS)
    files = {name.removesuffix("[]"): data for name, data in form.files.items()}
    unknown = sorted(set(files) - set(FILES))
    if unknown:
        raise invalid_field(unknown[0], "is not a picture that is asked for")
    return EditSubmission(_from_fields(form.fields), files)


def _from_fields(fields: Mapping[str, bytes]) -> ImageEditRequest:
    """Of a form, where numbers and truths are words."""
    try:
        texts = {name: value.decode() for name, value in fields.items()}
        return ImageEditRequest.model_validate(texts)
    except UnicodeDecodeError:
        raise Refusal("malformed_request", "A field is not UTF-8.") from None
    except ValidationError as error:
        raise from_validation(error) from None


def with_opening(gateway: Gateway, edit: EditSubmission) -> EditSubmission:
    """The edit, its mask among its files as insertions take them: white where it was transparent. Raises
    `Refusal`."""
    data, asked = edit.files.get("mask"), edit.request.mask
    if asked is not None and data is not None:
        raise invalid_field("mask", "give one mask at most")
    if asked is not None:
        data = bytes_of(image_ref(asked, "mask"), "mask", {})
        if data is None:  # what lies here has lost its transparency
            raise invalid_field("mask", "send it inside: as a file part, base64 or a data: URL")
    if data is None:
        return edit
    try:
        opened = gateway.decoders.take_in(data, "opening")
    except Refusal as refusal:
        refusal.errors = [FieldError(path="mask", message=refusal.detail)]
        raise
    return replace(edit, files={**edit.files, "mask": opened.png})


def to_submission(edit: EditSubmission, idempotency_key: str | None) -> Submission:
    """The insertion that an edit asks for. Raises `Refusal`.

    idempotency_key: the same key draws the same seeds, so that a repetition is the same submission
    """
    asked = edit.request
    said = {"user": asked.user, "safety_identifier": asked.safety_identifier}
    output: dict[str, object] = {
        "format": asked.output_format or "png",
        "include": [],
        "previews": (asked.partial_images or 0) if asked.stream else 0,
    }
    request = InsertionRequest(
        source=ImageSource(image=_image(edit), prompt=asked.source_prompt),
        prompt=asked.prompt,
        subject=asked.subject,
        region=Region(mask=ImageRef(part="mask")) if "mask" in edit.files else None,
        seeds=_seeds(asked, idempotency_key),
        model=_model(asked.model),
        output=Output.model_validate(output),
        metadata={name: value for name, value in said.items() if value is not None},
    )
    return submission_of(request, edit.files)


def _image(edit: EditSubmission) -> ImageRef:
    """How the insertion names the one picture."""
    asked = edit.request
    given: list[str | EditImage] = [asked.image] if asked.image is not None else []
    given += asked.images or []
    if len(given) + ("image" in edit.files) != 1:
        raise invalid_field("image", "give exactly one picture")
    return image_ref(given[0], "image") if given else ImageRef(part="image")


def image_ref(given: str | EditImage, field: str) -> ImageRef:
    """A picture of a JSON request in an insertion's words. Raises `Refusal`."""
    if isinstance(given, EditImage) and given.file_id is not None:
        return ImageRef(id=given.file_id)
    text = given if isinstance(given, str) else str(given.image_url)
    try:
        return ImageRef.model_validate({"url" if text.startswith(("http:", "https:")) else "data": text})
    except ValidationError:
        raise invalid_field(field, "is not an address") from None


def _seeds(asked: ImageEditRequest, idempotency_key: str | None) -> list[int]:
    """As many as asked for, from the given one on, or drawn."""
    count = asked.n or 1
    if asked.seed is not None:
        return [(asked.seed + one) % SEEDS for one in range(count)]
    digest = None if idempotency_key is None else hashlib.sha256(idempotency_key.encode()).digest()
    drawn = random.Random(digest)  # nosec B311 # a repeated call draws the same; no secret hangs on a seed
    return drawn.sample(range(SEEDS), count)


def _model(name: str | None) -> str | None:
    return None if name is None or name.startswith(OPENAI_MODELS) else name


def to_response(gateway: Gateway, record: JobRecord, asked: ImageEditRequest) -> ImageEditResponse:
    """The answer to an edit whose job succeeded. Raises `StoreError`."""
    made = record.result
    assert made is not None
    prompt = made.inferred.prompt if made.inferred else record.request.prompt
    size = size_of(record, asked)
    return ImageEditResponse(
        created=int(time.time()),
        data=[
            EditedImage(url=gateway.links.artifact(image.url), revised_prompt=prompt)
            if asked.response_format == "url"
            else EditedImage(b64_json=_base64(gateway, image.url, asked, size), revised_prompt=prompt)
            for image in made.images
        ],
        output_format=record.request.output.format,
        size=f"{size[0]}x{size[1]}",
    )


def to_events(gateway: Gateway, record: JobRecord, asked: ImageEditRequest) -> Iterator[ImageEditCompleted]:
    """The last events of an edit whose job succeeded. Raises `StoreError`."""
    assert record.result is not None
    size = size_of(record, asked)
    for index, image in enumerate(record.result.images):
        yield ImageEditCompleted(
            b64_json=_base64(gateway, image.url, asked, size),
            image_index=index,
            created_at=int(time.time()),
            output_format=record.request.output.format,
            size=f"{size[0]}x{size[1]}",
        )


def to_partial(gateway: Gateway, shown: Preview, asked: ImageEditRequest) -> ImageEditPartial:
    """A preview as an event. Raises `StoreError`."""
    return ImageEditPartial(
        b64_json=b64encode(gateway.artifacts.get(shown.url)).decode(),
        partial_image_index=shown.number,
        image_index=shown.index,
        created_at=int(time.time()),
        output_format=asked.output_format or "png",
        size=asked.size or "auto",
    )


def size_of(record: JobRecord, asked: ImageEditRequest) -> Size:
    """(width, height) of what is given back."""
    assert record.result is not None
    first = record.result.images[0]
    return wanted_size(asked.size, (first.width, first.height))


def check_size(asked: ImageEditRequest, own: Size | None) -> None:
    """Raise `Refusal` where results of the asked size cannot be given for a picture of its `own`."""
    assert own is not None, "an edit has a picture"
    size = wanted_size(asked.size, own)
    changed = size != own or asked.output_compression is not None
    if changed and asked.response_format == "url":
        raise invalid_field("response_format", "links lead to pictures as they are: ask for b64_json")


def _base64(gateway: Gateway, key: str, asked: ImageEditRequest, size: Size) -> str:
    data, format = gateway.artifacts.get(key), asked.output_format or "png"
    return b64encode(finish(data, size, format, asked.output_compression, gateway.credentials)).decode()
