"""URLs of sentinels: whom to ask for which primary."""

from __future__ import annotations

import pytest

from job_store.sentinel_url import SentinelPlace, is_sentinel, read_sentinel_url

NOBODY = {"username": None, "password": None, "db": 0}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis+sentinel://one/store", SentinelPlace([("one", 26379)], "store", NOBODY)),
        (
            "redis+sentinel://addit:p%40ss@one:1,[::1]:2,three/store/4",
            SentinelPlace(
                [("one", 1), ("::1", 2), ("three", 26379)],
                "store",
                {"username": "addit", "password": "p@ss", "db": 4},
            ),
        ),
    ],
)
def test_hosts_service_and_login_are_read(url: str, place: SentinelPlace) -> None:
    assert is_sentinel(url)
    assert read_sentinel_url(url) == place


@pytest.mark.parametrize("url", ["redis+sentinel:///store", "redis+sentinel://one", "redis://one:6379/0"])
def test_what_names_no_sentinel_or_no_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected redis\\+sentinel://"):
        read_sentinel_url(url)
