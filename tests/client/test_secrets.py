"""Nothing secret stands where it should not: a canary's way through the whole stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_schemas.insertions import GeneratedSource, InsertionRequest
from client.client import Addit
from client.errors import ApiError
from client.report import result_of
from tests.client.conftest import Served
from tests.figures import Figure

CANARY = "a xylophone called Wotan"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.fault(54)
def test_no_key_prompt_or_signature_is_in_the_logs_and_no_key_in_the_store(
    served: Served, figure: Figure
) -> None:
    request = InsertionRequest(
        source=GeneratedSource(prompt=CANARY), prompt=f"{CANARY} and a cat", subject="cat"
    )
    with Addit(served.url, served.key) as addit:
        picture = result_of(addit.insert(request)).images[0]
        addit.download(picture.url)
        with pytest.raises(ApiError):
            addit.submit(request.model_copy(update={"subject": "Fafner"}))
    signature = picture.url.partition("signature=")[2]
    key_secret = served.key.split("_")[2]
    logs, store = everything(served.folder / "logs"), everything(served.folder / "valkey")
    assert b"job" in logs
    told = [word for word in (CANARY, "Fafner", signature, key_secret) if word.encode() in logs]
    figure(54, "secrets told", len(told))
    figure(54, "secrets stored", store.count(key_secret.encode()))
