"""Sources of deleted jobs, which workers must not remember any longer.

The scripts that delete a job number its source; every worker asks for those after the last number it heard
of. Nothing is lost to a worker that was away: if it missed too many to be listed, it forgets everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from job_store.server import Server


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten since a worker asked last.

    number: to ask with the next time
    source_ids: as in `JobRecord.source_id`; None means everything
    """

    number: int
    source_ids: frozenset[str] | None


class ForgottenSources:
    """All of them. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def since(self, number: int | None) -> Forgotten:
        """Those after `number`; nothing for None, who remembers nothing yet."""
        latest, everything, ids = self._server.run("forgotten", "" if number is None else number)
        return Forgotten(latest, None if everything else frozenset(source_id.decode() for source_id in ids))
