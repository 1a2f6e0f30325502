"""Manifests that others can verify, by certificates of our own."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa
import pytest
from PIL import Image

from runtime.content_credentials import (
    Credentials,
    CredentialsUnusable,
    Parent,
    created,
    credentials_of,
    edited,
    resized,
)
from runtime.digital_source import VOCABULARY, found_in, packet, saving
from runtime.settings import Settings
from runtime.version import SERVICE, service_version
from tests.certificates import Chain, chain_in

PICTURE = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
FORMATS = ["png", "jpeg", "webp"]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return chain_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def credentials(chain: Chain) -> Credentials:
    found = credentials_of(with_chain(chain))
    assert found
    return found


def with_chain(chain: Chain, **changes: Any) -> Settings:
    given = {"c2pa_certificate": str(chain.certificate), "c2pa_key": str(chain.key)}
    return Settings(**(given | changes))


def file_of(form: str) -> bytes:
    file = BytesIO()
    PICTURE.save(file, form, **saving(packet("trainedAlgorithmicMedia"), form))
    return file.getvalue()


def read(data: bytes, form: str, chain: Chain) -> tuple[str | None, dict[str, Any]]:
    """(how far it is to be trusted by who trusts the root, the manifest)."""
    trusting = c2pa.Context(settings=c2pa.Settings.from_dict({"trust": {"trust_anchors": chain.root}}))
    with c2pa.Reader(f"image/{form}", BytesIO(data), context=trusting) as reader:
        manifest = reader.get_active_manifest()
        assert manifest
        return reader.get_validation_state(), manifest


def actions_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    [found] = [one["data"] for one in manifest["assertions"] if one["label"].startswith("c2pa.actions")]
    return list(found["actions"])


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_made_is_signed_by_the_service(form: str, credentials: Credentials, chain: Chain) -> None:
    signed = credentials.sign(file_of(form), form, created("trainedAlgorithmicMedia"))
    state, manifest = read(signed, form, chain)
    assert state == "Trusted"
    [generator] = manifest["claim_generator_info"]
    assert (generator["name"], generator["version"]) == (SERVICE, service_version())
    [action] = actions_of(manifest)
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"] == VOCABULARY + "trainedAlgorithmicMedia"
    assert not manifest.get("ingredients")


@pytest.mark.parametrize("form", FORMATS)
def test_an_edit_names_what_it_edited(form: str, credentials: Credentials, chain: Chain) -> None:
    parent = Parent(file_of("png"), "png", "source")
    made = edited("compositeWithTrainedAlgorithmicMedia")
    state, manifest = read(credentials.sign(file_of(form), form, made, parent), form, chain)
    assert state == "Trusted"
    assert [action["action"] for action in actions_of(manifest)] == ["c2pa.opened", "c2pa.edited"]
    assert actions_of(manifest)[1]["digitalSourceType"] == VOCABULARY + "compositeWithTrainedAlgorithmicMedia"
    [ingredient] = manifest["ingredients"]
    assert (ingredient["title"], ingredient["relationship"]) == ("source", "parentOf")
    assert "thumbnail" not in ingredient


def test_what_was_signed_may_be_a_parent_with_its_own_manifest(
    credentials: Credentials, chain: Chain
) -> None:
    first = credentials.sign(file_of("png"), "png", created("trainedAlgorithmicMedia"))
    again = credentials.sign(file_of("jpeg"), "jpeg", resized(), Parent(first, "png", "result"))
    state, manifest = read(again, "jpeg", chain)
    assert state == "Trusted"
    assert manifest["ingredients"][0]["active_manifest"]


@pytest.mark.parametrize("form", FORMATS)
def test_signing_changes_no_pixel_and_no_xmp(form: str, credentials: Credentials) -> None:
    plain = file_of(form)
    signed = credentials.sign(plain, form, created("trainedAlgorithmicMedia"))
    with Image.open(BytesIO(plain)) as before, Image.open(BytesIO(signed)) as after:
        assert after.tobytes() == before.tobytes()
        assert found_in(after.info) == found_in(before.info)


@pytest.mark.parametrize("form", FORMATS)
def test_a_changed_picture_is_found_out(form: str, credentials: Credentials, chain: Chain) -> None:
    signed = bytearray(credentials.sign(file_of(form), form, created("trainedAlgorithmicMedia")))
    place = len(signed) - 20 if form != "png" else signed.rindex(b"IDAT") + 10
    signed[place] ^= 1
    assert read(bytes(signed), form, chain)[0] == "Invalid"


def test_without_a_certificate_nothing_is_signed() -> None:
    assert credentials_of(Settings()) is None


def test_what_cannot_sign_is_refused_before_any_picture(chain: Chain, tmp_path: Path) -> None:
    other = chain_in(tmp_path)
    late = tmp_path / "late"
    late.mkdir()
    unusable = [
        with_chain(chain, c2pa_key=str(other.key)),
        with_chain(chain, c2pa_key=""),
        with_chain(chain, c2pa_certificate="/nowhere.pem"),
        with_chain(chain, c2pa_algorithm="ed25519"),
        with_chain(chain_in(late, days=-1)),
    ]
    for settings in unusable:
        with pytest.raises(CredentialsUnusable):
            credentials_of(settings)
    (tmp_path / "garbage.pem").write_text("no key")
    with pytest.raises(CredentialsUnusable):
        credentials_of(with_chain(chain, c2pa_key=str(tmp_path / "garbage.pem")))
