"""Content credentials: a signed C2PA manifest inside a picture (C2PA 2.x). Off without a certificate.

Makes no request: no time stamps, no revocation lists, no manifests from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from runtime.digital_source import VOCABULARY, SourceType
from runtime.settings import Settings
from runtime.version import SERVICE, service_version

if TYPE_CHECKING:  # a native library, which nobody needs who does not sign
    import c2pa

_PARENT = "parent"
_OFFLINE = {
    "builder": {"thumbnail": {"enabled": False}},  # the picture is its own, and its source nobody else's
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
}


class CredentialsUnusable(ValueError):
    """Nothing can be signed with this certificate chain and key."""


@dataclass(frozen=True)
class Parent:
    """The picture that another was made from: its file and format, and what it is called."""

    data: bytes
    format: str
    title: str


@dataclass(frozen=True)
class Credentials:
    """Signs pictures. chain: PEM, the signer's certificate first; key: PEM; algorithm: es256, ps256, …"""

    chain: bytes
    key: bytes
    algorithm: str

    def sign(
        self, data: bytes, format: str, actions: Sequence[Mapping[str, Any]], parent: Parent | None = None
    ) -> bytes:
        """The file with its manifest; its pixels stay as they are. `format`: png, jpeg or webp.

        Raises c2pa.C2paError, as for a certificate that has run out meanwhile.
        """
        import c2pa

        signed = BytesIO()
        with c2pa.Builder(_manifest(actions), self._context) as builder:
            if parent is not None:
                told = {"title": parent.title, "relationship": "parentOf", "instance_id": _PARENT}
                builder.add_ingredient(told, _media_type(parent.format), BytesIO(parent.data))
            with self._signer() as signer:
                builder.sign(signer, _media_type(format), BytesIO(data), signed)
        return signed.getvalue()

    def prove(self) -> None:
        """Sign a picture and read it back. Raises CredentialsUnusable."""
        import c2pa

        picture = BytesIO()
        Image.new("RGB", (16, 16)).save(picture, "PNG")
        try:
            signed = self.sign(picture.getvalue(), "png", created("trainedAlgorithmicMedia"))
            with c2pa.Reader("image/png", BytesIO(signed), context=self._context) as reader:
                state, told = reader.get_validation_state(), reader.get_validation_results() or {}
        except (c2pa.C2paError, ValueError) as error:
            raise CredentialsUnusable(f"{type(error).__name__}: {error}") from None
        failures = {one["code"] for one in told.get("activeManifest", {}).get("failure", [])}
        if state == "Invalid":
            raise CredentialsUnusable(f"what was signed is not valid: {', '.join(sorted(failures))}")

    @cached_property
    def _context(self) -> c2pa.Context:
        import c2pa

        return c2pa.Context(settings=c2pa.Settings.from_dict(_OFFLINE))

    def _signer(self) -> c2pa.Signer:
        import c2pa

        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(self.algorithm, self.chain, self.key, None))


def credentials_of(settings: Settings) -> Credentials | None:
    """What the settings sign with, proved; None without a certificate. Raises CredentialsUnusable."""
    if not settings.c2pa_certificate:
        return None
    try:
        chain, key = (Path(path).read_bytes() for path in (settings.c2pa_certificate, settings.c2pa_key))
    except OSError as error:
        raise CredentialsUnusable(str(error)) from None
    credentials = Credentials(chain, key, settings.c2pa_algorithm)
    credentials.prove()
    return credentials


def created(made: SourceType) -> tuple[Mapping[str, Any], ...]:
    """The actions behind a picture that is the model's altogether."""
    return ({"action": "c2pa.created", "digitalSourceType": VOCABULARY + made},)


def edited(made: SourceType) -> tuple[Mapping[str, Any], ...]:
    """The actions behind a parent picture that something was added to."""
    return (_opened(), {"action": "c2pa.edited", "digitalSourceType": VOCABULARY + made})


def resized() -> tuple[Mapping[str, Any], ...]:
    """The actions behind a parent picture of another size or compression."""
    return (_opened(), {"action": "c2pa.resized"}, {"action": "c2pa.transcoded"})


def _opened() -> Mapping[str, Any]:
    return {"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}}


def _manifest(actions: Sequence[Mapping[str, Any]]) -> str:
    generator = {"name": SERVICE, "version": service_version()}
    assertion = {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}
    return json.dumps({"claim_generator_info": [generator], "assertions": [assertion]})


def _media_type(format: str) -> str:
    return f"image/{format}"
