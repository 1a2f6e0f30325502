"""API keys: shown once, stored hashed, found only in full."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from redis import Redis

from api_schemas.keys import SCOPES
from job_store.api_keys import LIVE_KEYS, MOST_KEYS, ApiKeys, id_of
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
    assert (found.tenant, found.name, found.scopes) == ("acme", "laptop", SCOPES)
    assert [key.id for key in keys.list("acme")] == [found.id] == [id_of(full)]
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
    old, new = keys.create("acme", "shop"), keys.create("acme", "shop")
    with pytest.raises(TooManyKeys):
        keys.create("acme", "shop")
    assert [key.id for key in keys.list("acme")] == [id_of(old), id_of(new)]
    keys.revoke(id_of(old))
    assert keys.find(old) is None
    assert keys.find(new) is not None
    keys.create("acme", "shop")


def test_keys_for_several_things_are_bounded_too(keys: ApiKeys) -> None:
    for number in range(MOST_KEYS):
        keys.create("acme", str(number))
    with pytest.raises(TooManyKeys):
        keys.create("acme", "one more")


def test_a_key_may_do_what_its_scopes_say(keys: ApiKeys, redis: Redis) -> None:
    full = keys.create("acme", "shop", ["usage", "images"])
    assert keys.get(id_of(full)).scopes == ("images", "usage")
    redis.hdel(Key.API_KEY + id_of(full), "scopes")  # as it was stored before there were scopes
    assert keys.get(id_of(full)).scopes == SCOPES


def test_a_rotated_key_ends_and_the_new_one_may_do_the_same(keys: ApiKeys, redis: Redis) -> None:
    old = keys.create("acme", "shop", ["images"])
    _, new = keys.rotate(id_of(old), overlap_seconds=60)
    first, second = keys.list("acme")
    assert (second.id, second.name, second.scopes) == (id_of(new), "shop", ("images",))
    assert second.expires_at is None
    assert first.expires_at is not None
    assert 50 < (first.expires_at - second.created_at).total_seconds() < 70
    assert keys.find(old)
    with pytest.raises(TooManyKeys):  # while both live
        keys.rotate(id_of(new))
    redis.pexpire(Key.API_KEY + id_of(old), 1)
    while redis.exists(Key.API_KEY + id_of(old)):
        pass
    assert keys.find(old) is None
    assert keys.find(new)
    assert [key.id for key in keys.list("acme")] == [id_of(new)]
    keys.rotate(id_of(new), overlap_seconds=0)
    assert keys.find(new) is None
    with pytest.raises(NotFound):
        keys.rotate(id_of(new))


def test_a_rotation_lengthens_no_life(keys: ApiKeys) -> None:
    old = keys.create("acme", "shop", seconds=60)
    ends = keys.get(id_of(old)).expires_at
    keys.rotate(id_of(old), overlap_seconds=3600)
    assert keys.get(id_of(old)).expires_at == ends


def test_use_is_noted_by_the_minute_and_only_of_who_came_in(keys: ApiKeys, redis: Redis) -> None:
    full = keys.create("acme", "shop")
    keys.find(full[:-1] + ("0" if full[-1] != "0" else "1"))
    assert keys.get(id_of(full)).last_used_at is None
    keys.find(full)
    used = keys.get(id_of(full)).last_used_at
    assert used
    keys.find(full)
    assert keys.get(id_of(full)).last_used_at == used
    redis.hincrby(Key.API_KEY + id_of(full), "last_used_at", -61_000)
    keys.find(full)
    again = keys.get(id_of(full)).last_used_at
    assert again
    assert again >= used


def test_no_race_makes_more_keys(keys: ApiKeys, redis: Redis) -> None:
    def create(_: int) -> None:
        with suppress(TooManyKeys):
            keys.create("acme", "shop")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(16)))
    assert redis.scard(Key.API_KEYS + "acme") == LIVE_KEYS


@pytest.mark.parametrize("tenant", ["", "A", "a/b", "..", "a b", "ä", "a\n", "-a", "a" * 64])
def test_a_tenant_that_no_path_may_hold_gets_no_key(keys: ApiKeys, tenant: str) -> None:
    with pytest.raises(ValueError, match="a tenant is named"):
        keys.create(tenant, "laptop")
