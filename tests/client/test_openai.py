"""The unmodified `openai` package, pointed here."""

from __future__ import annotations

import asyncio
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from PIL import Image

from client.client import Addit
from client.operator import running
from runtime.settings import Settings
from tests.client.conftest import Served

WORDS: dict[str, Any] = {"prompt": "a bed and a cat", "extra_body": {"subject": "cat"}}
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served.url}/v1", api_key=served.key) as client:
        yield client


def opened(text: str | None) -> Image.Image:
    assert text is not None
    return Image.open(io.BytesIO(b64decode(text)))


def test_an_edit_gives_pictures_in_base64(client: OpenAI, photo: Path) -> None:
    edited = client.images.edit(image=photo.read_bytes(), n=2, model="gpt-image-1", **WORDS)
    assert edited.data is not None
    assert [opened(image.b64_json).size for image in edited.data] == [(64, 48)] * 2
    assert edited.data[0].revised_prompt == "a bed and a cat"
    assert (edited.size, edited.output_format, edited.background) == ("64x48", "png", "opaque")


def test_an_edit_gives_links(client: OpenAI, photo: Path) -> None:
    edited = client.images.edit(image=photo, response_format="url", **WORDS)
    assert edited.data is not None
    (image,) = edited.data
    assert image.b64_json is None
    assert Image.open(io.BytesIO(httpx.get(str(image.url)).content)).size == (64, 48)


@pytest.mark.parametrize(("form", "compression"), [("png", None), ("webp", 40), ("jpeg", 100)])
def test_size_format_and_compression(client: OpenAI, photo: Path, form: Any, compression: Any) -> None:
    words: dict[str, Any] = {**WORDS, "output_format": form, "output_compression": compression}
    edited = client.images.edit(image=[photo], size="128x96", **words)
    picture = opened(edited.data[0].b64_json)
    assert (picture.size, str(picture.format).lower(), edited.size) == ((128, 96), form, "128x96")


def test_a_stream_shows_the_pictures_as_they_form(client: OpenAI, photo: Path) -> None:
    words: dict[str, Any] = {**WORDS, "output_format": "jpeg"}
    with client.images.edit(image=photo, stream=True, partial_images=2, n=2, **words) as stream:
        events = list(stream)
    partial = [event for event in events if event.type == "image_edit.partial_image"]
    completed = [event for event in events if event.type == "image_edit.completed"]
    assert [event.partial_image_index for event in partial] == [0, 0, 1, 1]
    assert all(max(opened(event.b64_json).size) <= 256 for event in partial)
    assert events[-2:] == completed
    assert [opened(event.b64_json).size for event in completed] == [(64, 48)] * 2
    assert {event.output_format for event in events} == {"jpeg"}
    assert completed[0].usage.total_tokens == 0


def test_the_async_client_streams_too(served: Served, photo: Path) -> None:
    async def edit() -> list[str]:
        async with AsyncOpenAI(base_url=f"{served.url}/v1", api_key=served.key) as client:
            stream = await client.images.edit(image=photo, stream=True, partial_images=1, **WORDS)
            return [event.type async for event in stream]

    assert asyncio.run(edit()) == ["image_edit.partial_image", "image_edit.completed"]


def test_json_is_taken_as_well(served: Served, photo: Path) -> None:
    """As OpenAI's own API takes it; its Python package sends multipart alone."""
    text, key = b64encode(photo.read_bytes()).decode(), {"Authorization": f"Bearer {served.key}"}
    with Addit(served.url, served.key) as addit:
        uploaded = addit.upload(photo.read_bytes())
    for image in (
        {"image": text},
        {"image": {"image_url": f"data:image/png;base64,{text}"}},
        {"images": [{"file_id": uploaded.id}]},
    ):
        body = {"prompt": "a bed and a cat", "subject": "cat", "seed": 7, **image}
        answer = httpx.post(f"{served.url}/v1/images/edits", json=body, headers=key, timeout=30)
        assert answer.status_code == 200, answer.text
        assert opened(answer.json()["data"][0]["b64_json"]).size == (64, 48)


def test_a_masks_transparency_is_where_the_object_may_be(client: OpenAI, served: Served, photo: Path) -> None:
    mask = Image.new("RGBA", (64, 48), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 32, 48))
    out = io.BytesIO()
    mask.save(out, "PNG")
    client.images.edit(image=photo, mask=out.getvalue(), **WORDS)
    text = b64encode(out.getvalue()).decode()
    body = {"image": b64encode(photo.read_bytes()).decode(), "mask": text, **WORDS["extra_body"]}
    key = {"Authorization": f"Bearer {served.key}"}
    answer = httpx.post(
        f"{served.url}/v1/images/edits", json={"prompt": WORDS["prompt"], **body}, headers=key, timeout=30
    )
    assert answer.status_code == 200, answer.text
    with Addit(served.url, served.key) as addit:
        jobs = addit.insertions(limit=2).data
    for job in jobs:
        assert job.request.region is not None
        (file,) = (served.folder / "artifacts").rglob(f"{job.id}/region.png")
        with Image.open(file) as region:
            assert sorted(region.getcolors() or ()) == [(1536, (0, 0, 0)), (1536, (255, 255, 255))]


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"prompt": "a bed"}, "subject_not_in_prompt", "prompt"),
        ({"prompt": "add a cat", "extra_body": {}}, "source_prompt_required", "source_prompt"),
        ({"model": "other"}, "unknown_model", "model"),
        ({"n": 11}, "invalid_request", "n"),
        ({"size": "128x128"}, "invalid_request", "size"),
        ({"size": "90000x90000"}, "invalid_request", "size"),
        ({"size": "large"}, "invalid_request", "size"),
        ({"output_format": "gif"}, "invalid_request", "output_format"),
        ({"background": "transparent"}, "invalid_request", "background"),
        ({"frame_count": 3}, "invalid_request", "frame_count"),
        ({"markup": b"x"}, "invalid_request", "markup"),
        ({"image": b"not a picture"}, "unsupported_image", "image"),
        ({"mask": b"not a picture"}, "unsupported_image", "mask"),
        ({"mask": Path(EXAMPLES / "meadow.png")}, "invalid_image", "mask"),
        ({"response_format": "url", "size": "128x96"}, "invalid_request", "response_format"),
    ],
)
def test_errors_are_openais(
    client: OpenAI, photo: Path, change: dict[str, Any], code: str, param: str
) -> None:
    words: dict[str, Any] = {"image": photo, **WORDS, **change}
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(**words)
    told = caught.value
    assert (told.code, told.param, told.type) == (code, param, "invalid_request_error"), told.message
    assert told.request_id


def test_a_wrong_key_is_told_as_openai_does(served: Served, photo: Path) -> None:
    with OpenAI(base_url=f"{served.url}/v1", api_key="sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.images.edit(image=photo, **WORDS)
    assert caught.value.code == "invalid_api_key"


def test_a_failed_edit_is_not_tried_again(client: OpenAI, served: Served, photo: Path) -> None:
    def edits() -> int:
        with Addit(served.url, served.key) as addit:
            jobs = addit.insertions(limit=100).data
        return len([job for job in jobs if job.request.prompt == "nan cat"])

    before, words = edits(), {"prompt": "nan cat", "extra_body": {"subject": "cat", "source_prompt": "a bed"}}
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.edit(image=photo, **words)  # type: ignore[call-overload]
    assert (caught.value.code, edits()) == ("invalid_output", before + 1)
    with pytest.raises(openai.APIError, match="not finite"):
        list(client.images.edit(image=photo, stream=True, **words))  # type: ignore[call-overload]


def test_who_hangs_up_cancels(client: OpenAI, served: Served, photo: Path) -> None:
    told = {"subject": "slow", "source_prompt": "a bed"}
    words: dict[str, Any] = {"prompt": "slow 2000", "extra_body": told}
    with Addit(served.url, served.key) as addit:
        stream = client.images.edit(image=photo, stream=True, **words)
        job = addit.insertions(limit=1).data[0]
        assert job.request.prompt == "slow 2000"
        stream.close()
        assert addit.job(job.id, wait=30).status == "canceled"
        hasty = client.with_options(timeout=0.5, max_retries=0)
        with pytest.raises(openai.APITimeoutError):
            hasty.images.edit(image=photo, **words)
        assert addit.job(addit.insertions(limit=1).data[0].id, wait=30).status == "canceled"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """The model that is shipped."""
    folder = tmp_path_factory.mktemp("embedded")
    with running(folder, Settings(port=0, threads=1), workers=1) as (stack, key):
        with OpenAI(base_url=f"{stack.url}/v1", api_key=key) as client:
            yield client


def test_a_sentence_edits_a_photo_on_the_embedded_model(embedded: OpenAI) -> None:
    told = json.loads((EXAMPLES / "examples.json").read_text())
    beach = next(example for example in told if "beach" in example["prompt"])
    photo, seed = EXAMPLES / beach["file"], {"seed": beach["seed"]}
    *partial, completed = embedded.images.edit(
        image=photo, prompt="add a dog", stream=True, partial_images=2, extra_body=seed
    )
    assert [event.type for event in partial] == ["image_edit.partial_image"] * 2
    before = Image.open(photo).convert("RGB")
    after = opened(completed.b64_json).convert("RGB")
    assert after.size == before.size
    assert after.tobytes() != before.tobytes()
