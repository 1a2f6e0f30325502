"""Where engines keep remembered sources on disk: a folder each, locked for as long as its process lives.

Nothing in there serves another process, so a folder goes when its engine is gone: its supervisor removes it
or, if that was killed as well, the next engine on this disk. A lock tells who lives in other containers too,
where process ids mean others. Loads no model library.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from api_schemas.base import new_id
from runtime.settings import Settings


def claim_folder(settings: Settings) -> Path:
    """A new folder's path, this process's own until it ends."""
    root = Path(settings.source_memory_folder)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        folder = root / new_id("engine")
        lock = _lock_of(folder)
        # Never closed: the end of the process, however it comes, is the end of the lock.
        flock(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600), LOCK_EX)
        if lock.exists():  # else it was taken for abandoned just before it was locked
            return folder


def remove_abandoned(settings: Settings) -> None:
    """Delete what engines that are gone left behind."""
    for lock in Path(settings.source_memory_folder).glob("engine_*.lock"):
        # BlockingIOError: its engine lives; FileNotFoundError: somebody else has removed it
        with suppress(BlockingIOError, FileNotFoundError), lock.open() as file:
            flock(file, LOCK_EX | LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")
