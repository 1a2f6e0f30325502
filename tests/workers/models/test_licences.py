"""Weights under a restricted licence are served by who accepted it, and by nobody else."""

from __future__ import annotations

import pytest

from workers.models.errors import LicenceNotAccepted
from workers.models.licences import RESTRICTED, check_licence
from workers.models.loading import LoadOptions, load
from workers.models.profiles import HUB_PROFILES, embedded_profile

BOUND = {profile.name for profile in HUB_PROFILES.values() if profile.must_accept}


def test_only_apache_licensed_weights_are_free() -> None:
    free = {profile.name for profile in HUB_PROFILES.values() if profile.licence == "Apache-2.0"}
    assert free == set(HUB_PROFILES) - BOUND
    assert embedded_profile().must_accept is None


@pytest.mark.parametrize("name", sorted(BOUND))
def test_nothing_is_fetched_before_the_licence_is_accepted(name: str) -> None:
    profile = HUB_PROFILES[name]
    with pytest.raises(LicenceNotAccepted) as caught:
        load(profile, LoadOptions(device="cpu"))
    message = str(caught.value)
    assert all(part in message for part in (name, profile.licence, "ADDIT_ACCEPT_LICENCES", caught.value.key))
    assert RESTRICTED[caught.value.key] in message


def test_another_licence_is_not_this_one() -> None:
    profile = HUB_PROFILES["flux-dev"]
    with pytest.raises(LicenceNotAccepted):
        check_licence(profile, ["stabilityai-ai-community"])
    check_licence(profile, ["stabilityai-ai-community", "flux-1-dev-non-commercial"])
