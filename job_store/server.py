"""The one door to Redis: our scripts and single commands go in, results and errors of our own come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from api_schemas.errors import JobError
from job_store import errors
from job_store.keys import Key

SCRIPTS = Path(__file__).parent / "scripts"

# The ends that no worker reports, as the scripts write them.
_ERRORS = {
    "worker_crashed": JobError(code="worker_crashed", message="Its worker crashed each time."),
    "deadline_exceeded": JobError(code="deadline_exceeded", message="It was started but not done in time."),
}
_REFUSALS: dict[str, type[Exception]] = {
    "missing": errors.NotFound,
    "stale": errors.StaleToken,
    "state": errors.WrongState,
    "reused": errors.IdempotencyKeyReused,
    "full": errors.QueueFull,
    "quota": errors.QuotaExceeded,
    "rate": errors.RateLimited,
    "elsewhere": errors.HeldElsewhere,
    "unfit": errors.NoneFits,
    "drained": errors.WorkerDrained,
    "too_many_keys": errors.TooManyKeys,
    "too_many_endpoints": errors.TooManyEndpoints,
    "scene_full": errors.SceneFull,
    "endpoint_disabled": errors.EndpointDisabled,
}


@contextmanager
def redis_errors() -> Iterator[None]:
    """Raise StoreUnavailable for whatever redis-py raises.

    A RuntimeError is uvloop's: a connection was reset while it was being made, and redis-py lets it through.
    """
    try:
        yield
    except (RedisError, RuntimeError) as error:
        raise errors.StoreUnavailable(str(error)) from error


@cache
def script_text(name: str) -> str:
    """A script as the server gets it: its flags, the names of the keys, the shared part, its own."""
    flags, body = (SCRIPTS / f"{name}.lua").read_text().split("\n", 1)
    keys = ", ".join(f"{key.name} = '{key}'" for key in Key)
    ends = ", ".join(f"{code} = [[{error.model_dump_json()}]]" for code, error in _ERRORS.items())
    tables = f"local KEY = {{{keys}}}\nlocal ERROR = {{{ends}}}\n"
    return f"{flags}\n{tables}{(SCRIPTS / 'prelude.lua').read_text()}{body}"


class Server:
    """A Redis that errors come out of as StoreError only."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py's own annotations end at execute_command
        self._scripts: dict[str, Any] = {}  # making one hashes its text

    def run(self, script: str, *args: str | float) -> list[Any]:
        """Run scripts/`script`.lua and give what it returned after "ok". Raises what it refused with."""
        with redis_errors():
            if script not in self._scripts:
                self._scripts[script] = self._redis.register_script(script_text(script))
            answer: list[Any] = self._scripts[script](args=args)
        word, rest = answer[0], answer[1:]
        if word != b"ok":
            raise _REFUSALS[word.decode()](*(value.decode() for value in rest))
        return rest

    def command(self, *words: str | int) -> Any:
        """Run one command."""
        with redis_errors():
            return self._redis.execute_command(*words)
