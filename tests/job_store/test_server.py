"""The door to Redis: every error of redis-py becomes ours, every script is sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis.exceptions
from redis import Redis

from job_store.errors import StoreUnavailable
from job_store.keys import Key
from job_store.server import SCRIPTS, Server, redis_errors, script_text


def kinds(of: type[Exception]) -> Iterator[type[Exception]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds(redis.exceptions.RedisError)), key=str))
def test_every_error_of_redis_is_unavailable(kind: type[Exception]) -> None:
    with pytest.raises(StoreUnavailable), redis_errors():
        raise kind.__new__(kind, "why")


def test_a_connection_that_uvloop_finds_closed_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable), redis_errors():
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(KeyError), redis_errors():
        raise KeyError("ours")


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.lua")), ids=lambda path: path.stem)
def test_every_script_is_loaded_and_says_what_it_may(redis: Redis, path) -> None:
    if path.stem != "prelude":
        assert path.read_text().startswith("#!lua")
        assert redis.script_load(script_text(path.stem))


def test_a_script_the_server_forgot_is_sent_again(redis: Redis) -> None:
    server = Server(redis)
    server.run("read", "ins_1")
    redis.script_flush()
    assert server.run("read", "ins_1") == [[]]


def test_no_key_begins_like_another_with_something_behind_it() -> None:
    open_ended = [key for key in Key if key.endswith(":")]
    for key in Key:
        assert not any(key != other and key.startswith(other) for other in open_ended)
