"""Where engines keep remembered sources on disk: a folder each, named after its process.

Nothing in there serves another process, so a folder goes when its engine is gone: its supervisor removes it
or, if that was killed as well, the next engine of the machine. Loads no model library.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from runtime.settings import Settings


def engine_folder(settings: Settings, pid: int) -> Path:
    """The folder of the engine with this process id."""
    return Path(settings.source_memory_folder, str(pid))


def remove_folder(settings: Settings, pid: int) -> None:
    """Delete what an engine that is gone kept."""
    shutil.rmtree(engine_folder(settings, pid), ignore_errors=True)


def remove_abandoned(settings: Settings) -> None:
    """Delete what engines that are gone left behind."""
    for left in Path(settings.source_memory_folder).glob("*"):
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            remove_folder(settings, int(left.name))
