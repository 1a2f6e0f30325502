"""Licences that bind who serves a model: accepted by key, in `ADDIT_ACCEPT_LICENCES`, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workers.models.errors import LicenceNotAccepted
from workers.models.profiles import ModelProfile

HUB = "https://huggingface.co"
RESTRICTED: Mapping[str, str] = {
    "flux-1-dev-non-commercial": f"{HUB}/black-forest-labs/FLUX.1-dev",
    "flux-2-dev-non-commercial": f"{HUB}/black-forest-labs/FLUX.2-dev",
    "flux-klein-9b-non-commercial": f"{HUB}/black-forest-labs/FLUX.2-klein-9B",
    "stabilityai-ai-community": f"{HUB}/stabilityai/stable-diffusion-3.5-large",
}
"""Where each text is to be read. The last allows trade below a revenue it names, the others do not."""


def check_licence(profile: ModelProfile, accepted: Collection[str]) -> None:
    """Raise `LicenceNotAccepted` where the profile's licence has to be accepted and was not."""
    key = profile.must_accept
    if key is not None and key not in accepted:
        raise LicenceNotAccepted(profile.name, profile.licence, key, RESTRICTED[key])
