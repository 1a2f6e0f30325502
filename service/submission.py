"""What a client submitted: the request and the pictures along with it. Parsing only; decodes nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import Request

from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, masks_of
from service.bodies import FORM, JSON, media_type, parse_json, read_form, unsupported
from service.errors import Refusal, invalid_field

REQUEST_PART = "request"
MAX_REQUEST_BYTES = 64 * 2**10
"""Of a request without its pictures: it is kept in Redis."""


@dataclass(frozen=True)
class Submission:
    """A request as sent.

    picture: the encoded bytes it carries itself, None where it does not
    masks: the same of the areas that are given by masks, by field (see `masks_of`)
    """

    request: InsertionRequest
    picture: bytes | None = field(default=None, repr=False)
    masks: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def fingerprint(self) -> str:
        """SHA-256 of what was asked, the same for any spelling of the JSON; pictures count by their bytes."""
        return hashlib.sha256(self._canonical().encode()).hexdigest()

    def check_size(self) -> None:
        """Raise `Refusal` when the request itself is too long to be kept."""
        if len(self._canonical()) > MAX_REQUEST_BYTES:
            raise Refusal(
                "invalid_request", f"Without its picture it has more than {MAX_REQUEST_BYTES} bytes."
            )

    def _canonical(self) -> str:
        asked = self.request.model_dump(mode="json")
        if self.picture is not None:
            asked["source"]["image"] = hashlib.sha256(self.picture).hexdigest()
        for name, mask in self.masks.items():
            asked[name]["mask"] = hashlib.sha256(mask).hexdigest()
        return json.dumps(asked, sort_keys=True, separators=(",", ":"))


async def read_submission(request: Request) -> tuple[bytes, Mapping[str, bytes]]:
    """(the JSON, the file parts) of a submission's body."""
    kind = media_type(request)
    if kind == JSON:
        return await request.body(), {}
    if kind != FORM:
        raise unsupported(JSON, FORM)
    form = await read_form(request)
    parts = {**form.fields, **form.files}
    if REQUEST_PART not in parts:
        raise Refusal("malformed_request", f"The part {REQUEST_PART!r} with the JSON is missing.")
    return parts.pop(REQUEST_PART), parts


def parse_submission(body: bytes, parts: Mapping[str, bytes]) -> Submission:
    """Raises `Refusal`: malformed_request for no JSON, invalid_request for JSON that is no request."""
    return submission_of(parse_json(body, InsertionRequest), parts)


def submission_of(request: InsertionRequest, parts: Mapping[str, bytes]) -> Submission:
    """The request with the pictures that came along. Raises `Refusal` invalid_request."""
    carried = _carried(request, parts)
    submission = Submission(request, carried.pop("source", None), carried)
    submission.check_size()
    return submission


def check_used(parts: Mapping[str, bytes], images: Sequence[ImageRef]) -> None:
    """Raise `Refusal` for a part that no picture is: a forgotten one is a mistake."""
    unused = set(parts) - {image.part for image in images}
    if unused:
        raise Refusal("invalid_request", f"The request does not use the parts: {', '.join(sorted(unused))}.")


def _carried(request: InsertionRequest, parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pictures the submission itself carries. Every part must be used: a forgotten one is a mistake."""
    images = masks_of(request)
    if isinstance(request.source, ImageSource):
        images["source"] = request.source.image
    check_used(parts, list(images.values()))
    paths = {name: "source.image" if name == "source" else f"{name}.mask" for name in images}
    found = {name: bytes_of(image, paths[name], parts) for name, image in images.items()}
    return {name: data for name, data in found.items() if data is not None}


def bytes_of(image: ImageRef, path: str, parts: Mapping[str, bytes]) -> bytes | None:
    """Of a picture that came along; None for one that is elsewhere. Raises `Refusal`."""
    if image.data is not None:
        return _from_base64(image.data, f"{path}.data")
    if image.part is None:
        return None
    if image.part not in parts:
        raise invalid_field(f"{path}.part", f"there is no part {image.part!r}")
    return parts[image.part]


def _from_base64(data: str, path: str) -> bytes:
    """Of plain base64 or a `data:` URL, line breaks allowed."""
    header, _, payload = data.rpartition(",")
    if header and not (header.startswith("data:") and header.endswith(";base64")):
        raise invalid_field(path, "is neither base64 nor a base64 data: URL")
    try:
        return base64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid_field(path, "is not base64") from None
