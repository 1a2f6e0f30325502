"""API keys: shown once, stored hashed, found only in full."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from redis import Redis

from job_store.api_keys import LIVE_KEYS, ApiKeys
from job_store.errors import NotFound, TooManyKeys
from job_store.keys import Key


@pytest.fixture
def keys(redis: Redis) -> ApiKeys:
    return ApiKeys(redis)


def test_a_key_finds_its_tenant(keys: ApiKeys) -> None:
    full = keys.create("acme", "laptop")
    assert re.fullmatch(r"addit_[0-9a-f]{12}_[0-9a-f]{32}", full)
    found = keys.find(full)
    assert found is not None
    assert (found.tenant, found.name) == ("acme", "laptop")
    assert keys.list("acme") == [found]
    assert keys.list("other") == []


def test_the_secret_is_not_stored(keys: ApiKeys, redis: Redis) -> None:
    secret = keys.create("acme", "laptop").rpartition("_")[2].encode()
    for key in redis.scan_iter():
        assert secret not in key
        assert secret not in (redis.dump(key) or b"")


def test_only_the_whole_key_is_found(keys: ApiKeys) -> None:
    full = keys.create("acme", "laptop")
    other = keys.create("other", "phone")
    wrong = [full[:i] + ("0" if full[i] != "0" else "1") + full[i + 1 :] for i in range(len(full))]
    mixed = f"{full.rpartition('_')[0]}_{other.rpartition('_')[2]}"
    odd = [
        "",
        "addit_",
        full.upper(),
        f"{full}\n",
        f" {full}",
        full[:-1],
        f"{full}0",
        "addit_*_*",
        "\0",
        "é" * 51,
    ]
    assert not any(keys.find(text) for text in (*wrong, mixed, *odd))


def test_a_revoked_key_is_dead(keys: ApiKeys) -> None:
    full = keys.create("acme", "laptop")
    key_id = keys.list("acme")[0].id
    keys.revoke(key_id)
    assert keys.find(full) is None
    assert keys.list("acme") == []
    with pytest.raises(NotFound):
        keys.revoke(key_id)


def test_a_tenant_changes_over_with_two_keys(keys: ApiKeys) -> None:
    old, new = keys.create("acme", "old"), keys.create("acme", "new")
    with pytest.raises(TooManyKeys):
        keys.create("acme", "third")
    assert [key.name for key in keys.list("acme")] == ["old", "new"]
    keys.revoke(keys.list("acme")[0].id)
    assert keys.find(old) is None
    assert keys.find(new) is not None
    keys.create("acme", "third")


def test_no_race_makes_more_keys(keys: ApiKeys, redis: Redis) -> None:
    def create(n: int) -> None:
        with suppress(TooManyKeys):
            keys.create("acme", str(n))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(16)))
    assert redis.scard(Key.API_KEYS + "acme") == LIVE_KEYS


@pytest.mark.parametrize("tenant", ["", "A", "a/b", "..", "a b", "ä", "a\n", "-a", "a" * 64])
def test_a_tenant_that_no_path_may_hold_gets_no_key(keys: ApiKeys, tenant: str) -> None:
    with pytest.raises(ValueError, match="a tenant is named"):
        keys.create(tenant, "laptop")
