"""A folder that somebody carried here as a `Place` files come from: `FOLDER/owner/name/…`.

It is what `hf download owner/name --local-dir FOLDER/owner/name` makes, whose notes of each file's etag are
read; a SHA256SUMS beside the files serves as well. Files go into the hub's cache, as the hub's client lays
them there: hard links where that is possible.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.models.checksums import digest
from workers.models.errors import PullFailed
from workers.models.pulling import Offer, OfferedFile

NOTES = Path(".cache/huggingface/download")


@dataclass(frozen=True)
class Folder:
    """root: holds `owner/name`; cache: the hub's."""

    root: Path
    cache: Path

    def offer(self, repository: str) -> Offer:
        """See `Place`. The commit is a digest of names and sizes: the folder knows no other."""
        home = self.root / repository
        if not home.is_dir():
            raise PullFailed(
                f"there is no {home}",
                f"Where there is a network: hf download {repository} --local-dir {home}; bring it here.",
            )
        sums = read_sums(home)
        paths = [path for path in sorted(home.rglob("*")) if path.is_file()]
        names = [(path, path.relative_to(home).as_posix()) for path in paths]
        files = tuple(
            OfferedFile(name, path.stat().st_size, sums.get(name, _noted(home, name)))
            for path, name in names
            if not name.startswith(".")
        )
        return Offer(hashlib.sha256(repr(files).encode()).hexdigest()[:40], files)

    def read(self, repository: str, commit: str, path: str) -> str:
        """See `Place`."""
        try:
            return (self.root / repository / path).read_text()
        except OSError as error:
            raise PullFailed(
                f"{self.root / repository} has no {path}", "Bring the whole repository."
            ) from error

    def fetch(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> Path:
        """See `Place`."""
        home = self._home(repository)
        snapshot = home / "snapshots" / commit
        for file in files:
            if not (snapshot / file.path).exists():
                self._place(self.root / repository / file.path, home, snapshot / file.path, file.etag)
        (home / "refs").mkdir(parents=True, exist_ok=True)
        (home / "refs" / "main").write_text(commit)
        return snapshot

    def missing(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> int:
        """See `Place`."""
        snapshot = self._home(repository) / "snapshots" / commit
        return sum(file.size for file in files if not (snapshot / file.path).exists())

    def _home(self, repository: str) -> Path:
        return self.cache / f"models--{repository.replace('/', '--')}"

    def _place(self, source: Path, home: Path, target: Path, etag: str) -> None:
        blob = home / "blobs" / (etag or digest(source))
        blob.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not blob.exists():
            _link_or_copy(source, blob)
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(blob, target.parent))


def read_sums(folder: Path) -> dict[str, str]:
    """SHA-256 by path, of the SHA256SUMS in a folder; none where there is no such file."""
    file = folder / "SHA256SUMS"
    lines = file.read_text().splitlines() if file.is_file() else []
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return {name.lstrip("*"): said for said, name in pairs}


def _noted(home: Path, name: str) -> str:
    """The etag that the hub's client noted when it fetched a file: commit, etag and time, a line each."""
    note = home / NOTES / f"{name}.metadata"
    return note.read_text().splitlines()[1].strip() if note.is_file() else ""


def _link_or_copy(source: Path, blob: Path) -> None:
    """Under another name first: what has the blob's name is whole."""
    partial = blob.with_suffix(".incomplete")
    partial.unlink(missing_ok=True)
    try:
        partial.hardlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, partial)
    partial.rename(blob)
