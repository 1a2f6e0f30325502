"""Pictures, in a folder or an S3 bucket. Keys are checked, writes are whole or not at all.

ArtifactError
├── ArtifactMissing         no such artifact, or not a key at all
├── StorageFull             no space, or over quota
└── StorageUnavailable      anything else: permissions, network, the bucket's server
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from job_store.errors import StoreError

_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,15}}")
_S3 = {
    "use_listings_cache": False,  # other processes write as well
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 20,
        "retries": {"mode": "standard", "total_max_attempts": 3},  # backs off with jitter
    },
}
_FULL = (errno.ENOSPC, errno.EDQUOT)


class ArtifactError(StoreError):
    """Any of them."""


class ArtifactMissing(ArtifactError):
    """There is nothing under this key, and if it is none of ours there cannot be."""


class StorageFull(ArtifactError):
    """The storage takes no more bytes."""


class StorageUnavailable(ArtifactError):
    """The storage does not serve us now."""


def job_prefix(tenant: str, job_id: str) -> str:
    """Where everything of a job lies."""
    return f"t/{tenant}/j/{job_id}/"


def attempt_key(tenant: str, job_id: str, token: str, name: str) -> str:
    """A file of one attempt at a job: no attempt ever touches another's files."""
    return f"{job_prefix(tenant, job_id)}{token}/{name}"


def source_key(tenant: str, job_id: str) -> str:
    """The picture that a job adds to, where it owns that."""
    return f"{job_prefix(tenant, job_id)}source.png"


def mask_key(tenant: str, job_id: str, field: str) -> str:
    """The mask that an area of a job's request is given by; `field` is the area's."""
    return f"{job_prefix(tenant, job_id)}{field}.png"


def latents_key(tenant: str, job_id: str) -> str:
    """The clean latents that a job's source was made as, where it continues a scene."""
    return f"{job_prefix(tenant, job_id)}latents.npy"


def made_latents_name(index: int) -> str:
    """The clean latents of the variation at `index`, among the files of its attempt."""
    return f"{index}-latents.npy"


def made_latents_key(picture_key: str, index: int) -> str:
    """The same beside the variation's picture."""
    return f"{picture_key.rpartition('/')[0]}/{made_latents_name(index)}"


def image_key(tenant: str, image_id: str) -> str:
    """An uploaded picture."""
    return f"t/{tenant}/i/{image_id}.png"


class ArtifactStore:
    """The artifacts under one URL: `file://` with an absolute or relative folder, `s3://bucket/folder`."""

    def __init__(self, url: str) -> None:
        fs, root = url_to_fs(url, **(_S3 if url.startswith("s3:") else {}))
        self._fs: Any = fs
        self._root = str(root).rstrip("/")
        self._local = bool(getattr(fs, "local_file", False))
        # s3fs would repeat botocore's tries five times: 25 for one picture, 8 minutes at a silent server.
        fs.retries = 1

    def put(self, key: str, data: bytes) -> None:
        """Store, replacing what was there; a reader sees the old or the new bytes, never a part."""
        path = self._path(key)
        with _errors_of(key, StorageUnavailable):
            if self._local:
                self._put_file(path, data)
            else:
                self._fs.pipe_file(path, data)

    def get(self, key: str) -> bytes:
        """The bytes."""
        with _errors_of(key):
            data: bytes = self._fs.cat_file(self._path(key))
            return data

    def size(self, key: str) -> int:
        """How many bytes there are."""
        with _errors_of(key):
            return int(self._fs.info(self._path(key))["size"])

    def delete(self, prefix: str) -> None:
        """Remove one artifact, or all under a prefix that ends with a slash; nothing there is no error."""
        path = self._path(prefix.removesuffix("/"))
        with suppress(ArtifactMissing), _errors_of(prefix):
            self._fs.rm(path, recursive=prefix.endswith("/"))

    def owners(self) -> Iterator[str]:
        """The prefix of every job and the key of every uploaded picture that has files here."""
        for tenant in self._names("t"):
            for job_id in self._names(f"t/{tenant}/j"):
                yield job_prefix(tenant, job_id)
            for name in self._names(f"t/{tenant}/i"):
                yield f"t/{tenant}/i/{name}"

    def keys(self, prefix: str) -> list[str]:
        """Everything under a prefix that ends with a slash, but not what is only being written."""
        found: list[str] = []
        with suppress(ArtifactMissing), _errors_of(prefix):
            found = self._fs.find(self._path(prefix.removesuffix("/")))
        keys = (str(path).removeprefix(f"{self._root}/") for path in found)
        return sorted(key for key in keys if _KEY.fullmatch(key))

    def changed_at(self, prefix: str) -> datetime:
        """When anything of an artifact, or under a prefix, was last written. Raises ArtifactMissing."""
        path = self._path(prefix.removesuffix("/"))
        with _errors_of(prefix):
            folder = [path] if self._local else []  # one that is empty yet will get its file
            paths = [*folder, *self._fs.find(path)] if prefix.endswith("/") else [path]
            times = [self._fs.modified(one) for one in paths]
        if not times:
            raise ArtifactMissing(prefix)
        newest: datetime = max(times)
        return newest

    def remove_parts(self, before: datetime) -> None:
        """Remove what writers of pictures that died before this moment left of them; a bucket has none."""
        for part in Path(self._root).glob("t/*/i/.*.part") if self._local else ():
            with suppress(FileNotFoundError), _errors_of(part.name):
                if part.stat().st_mtime < before.timestamp():
                    part.unlink()

    def _names(self, folder: str) -> list[str]:
        """Of what lies in a folder, as far as they may stand in keys."""
        paths: list[str] = []
        with suppress(ArtifactMissing), _errors_of(folder):
            paths = self._fs.ls(self._path(folder), detail=False)
        names = (str(path).rstrip("/").rpartition("/")[2] for path in paths)
        return sorted(name for name in names if _KEY.fullmatch(name))

    def _put_file(self, path: str, data: bytes) -> None:
        folder, name = os.path.split(path)
        part = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.part")  # no key begins a name with a dot
        os.makedirs(folder, exist_ok=True)
        try:
            with open(part, "xb") as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise

    def _path(self, key: str) -> str:
        """Where a key lies, if it is one and no link leads out of the root."""
        path = f"{self._root}/{key}"
        if not _KEY.fullmatch(key):
            raise ArtifactMissing(key)
        if self._local and os.path.realpath(path) != os.path.join(os.path.realpath(self._root), key):
            raise ArtifactMissing(key)
        return path


@contextmanager
def _errors_of(key: str, absent: type[ArtifactError] = ArtifactMissing) -> Iterator[None]:
    """Turn what any file system raises into an ArtifactError; `absent` for what is not there."""
    try:
        yield
    except ArtifactError:
        raise
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise absent(key) from error
    except OSError as error:
        raise (StorageFull if error.errno in _FULL else StorageUnavailable)(f"{key}: {error}") from error
    except Exception as error:  # botocore's errors share no base with OSError
        raise StorageUnavailable(f"{key}: {error}") from error
