"""Fetching a profile's files into the hub's own cache, where loading finds them by repository."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Protocol

from workers.models.checksums import agrees
from workers.models.errors import PullFailed, UnknownProfile
from workers.models.licences import check_licence
from workers.models.profiles import HUB_PROFILES, ModelProfile
from workers.models.wanted_files import Repository, repositories, wanted

RESERVE = 2**30
"""Bytes of disk that are left free."""


@dataclass(frozen=True)
class OfferedFile:
    """etag: as in `checksums.agrees`, empty where the place does not know it."""

    path: str
    size: int
    etag: str


@dataclass(frozen=True)
class Offer:
    """A repository at one commit."""

    commit: str
    files: tuple[OfferedFile, ...]


class Place(Protocol):
    """Where files come from: the hub, a mirror of it, a folder."""

    def offer(self, repository: str) -> Offer:
        """Everything there. Raises `PullFailed`."""

    def read(self, repository: str, commit: str, path: str) -> str:
        """A small text file. Raises `PullFailed`."""

    def fetch(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> Path:
        """Bring those files into the cache that are not there; the snapshot's folder. Raises
        `PullFailed`."""

    def missing(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> int:
        """Bytes of `files` that the cache has not."""


@dataclass(frozen=True)
class Pulled:
    """A fetched and checked file. sum: its etag; "" where none was known to check it against."""

    repository: str
    path: str
    size: int
    sum: str


def pull(
    profile: ModelProfile,
    place: Place,
    cache: Path,
    accepted_licences: Collection[str],
    say: Callable[[str], None],
) -> list[Pulled]:
    """Fetch and check all that a profile is loaded from.

    Raises `LicenceNotAccepted` before anything is asked for, `UnknownProfile`, `PullFailed`.
    """
    if profile.name not in HUB_PROFILES:
        raise UnknownProfile(f"{profile.name} on a hub", tuple(HUB_PROFILES))
    check_licence(profile, accepted_licences)
    offers = [(one, *_chosen(place, one)) for one in repositories(profile)]
    needed = sum(place.missing(one.name, commit, files) for one, commit, files in offers)
    _check_disk(cache, needed)
    say(f"{needed / 2**30:.1f} GiB to fetch into {cache}")
    pulled: list[Pulled] = []
    for one, commit, files in offers:
        say(f"{one.name}: {len(files)} files, {sum(file.size for file in files) / 2**30:.1f} GiB")
        folder = place.fetch(one.name, commit, files)
        pulled += [_checked(one.name, folder, file) for file in files]
    return pulled


def _chosen(place: Place, repository: Repository) -> tuple[str, list[OfferedFile]]:
    offer = place.offer(repository.name)
    index = "{}"
    if repository.kind == "pipeline":
        index = place.read(repository.name, offer.commit, "model_index.json")
    names = set(wanted(repository, [file.path for file in offer.files], index))
    chosen = [file for file in offer.files if file.path in names]
    if not chosen:
        raise PullFailed(f"{repository.name} has none of the files that loading reads", "Look what is there.")
    return offer.commit, chosen


def _check_disk(cache: Path, needed: int) -> None:
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = disk_usage(there).free
    if needed and needed + RESERVE > free:
        raise PullFailed(
            f"{needed / 2**30:.1f} GiB are to be fetched, {free / 2**30:.1f} GiB are free at {there}",
            "Make room there, or set HF_HOME to a folder on a larger disk, for the workers too.",
        )


def _checked(repository: str, folder: Path, file: OfferedFile) -> Pulled:
    """A damaged file is removed, so that the next pull fetches it again."""
    at = folder / file.path
    if file.etag and not agrees(at, file.etag):
        at.resolve().unlink()
        at.unlink(missing_ok=True)
        raise PullFailed(
            f"{repository}: {file.path} is not what was promised and was removed",
            "Pull again: only this file is fetched. If it happens again, look at the disk and at any proxy.",
        )
    return Pulled(repository, file.path, file.size, file.etag)
