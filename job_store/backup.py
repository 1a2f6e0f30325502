"""Have a running server write its data down: `python -m job_store.backup redis://…`. Nobody need stop for it.

What it writes is of one moment. Prints the file's path, which is the server's own (docs/backup.md).
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from redis import Redis

from job_store.connection import connect
from job_store.server import Server

LOOK_SECONDS = 0.1


class NotWritten(Exception):
    """The server could not, for which its log has the reason."""


def write_down(redis: Redis) -> str:
    """Everything as it is now, in the file whose path is returned. Raises NotWritten, StoreUnavailable."""
    server = Server(redis)
    _wait(server)  # a file that is under way is of an earlier moment
    server.command("BGSAVE")
    if _wait(server)["rdb_last_bgsave_status"] != "ok":
        raise NotWritten
    folder, name = (server.command("CONFIG", "GET", option)[1].decode() for option in ("dir", "dbfilename"))
    return f"{folder}/{name}"


def _wait(server: Server) -> dict[str, Any]:
    """What the server says of its files once it writes none."""
    while True:
        told: dict[str, Any] = server.command("INFO", "persistence")
        if not told["rdb_bgsave_in_progress"] and not told["aof_rewrite_in_progress"]:
            return told
        time.sleep(LOOK_SECONDS)


def main() -> int:
    """Print where it lies."""
    parser = argparse.ArgumentParser(prog="python -m job_store.backup", description=__doc__)
    parser.add_argument("redis_url")
    with connect(parser.parse_args().redis_url) as redis:
        try:
            path = write_down(redis)
        except NotWritten:
            sys.stderr.write("the server could not write its data down; its log says why\n")
            return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
