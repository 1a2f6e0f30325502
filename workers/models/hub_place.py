"""The Hugging Face hub, or whatever answers as it does at HF_ENDPOINT, as a `Place` files come from."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from workers.models.errors import PullFailed
from workers.models.pulling import Offer, OfferedFile

REVISION = "main"
"""The one that loading by name looks for."""


@dataclass(frozen=True)
class Hub:
    """The library's token is used: HF_TOKEN, or that of `hf auth login`."""

    cache: Path
    api: HfApi = field(default_factory=HfApi)

    def offer(self, repository: str) -> Offer:
        """See `Place`."""
        with self._told(repository):
            commit = self.api.repo_info(repository, revision=REVISION).sha or REVISION
            tree = self.api.list_repo_tree(repository, recursive=True, revision=commit)
            files = [file for file in tree if isinstance(file, RepoFile)]
        return Offer(commit, tuple(_offered(file) for file in files))

    def read(self, repository: str, commit: str, path: str) -> str:
        """See `Place`."""
        with self._told(repository):
            file = self.api.hf_hub_download(repository, path, revision=commit, cache_dir=self.cache)
        return Path(file).read_text()

    def fetch(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> Path:
        """See `Place`. The library goes on in the middle of a file when a connection breaks, but not when the
        whole pull ended: then whole files alone are kept."""
        exact = [glob.escape(file.path) for file in files]
        with self._told(repository):
            folder = self.api.snapshot_download(
                repository, revision=REVISION, cache_dir=self.cache, allow_patterns=exact
            )
        if Path(folder).name != commit:
            raise PullFailed(f"{repository} changed while it was fetched", "Pull again.")
        return Path(folder)

    def missing(self, repository: str, commit: str, files: Sequence[OfferedFile]) -> int:
        """See `Place`."""
        return sum(
            file.size
            for file in files
            if not isinstance(
                try_to_load_from_cache(repository, file.path, cache_dir=self.cache, revision=commit), str
            )
        )

    @contextmanager
    def _told(self, repository: str) -> Iterator[None]:
        """What the library raises, as what to do next."""
        page = f"{self.api.endpoint}/{repository}"
        try:
            yield
        except GatedRepoError as error:
            raise PullFailed(
                f"{repository} is gated and this account may not read it",
                f"Accept its terms at {page} in a browser, make a token that may read gated repositories, and"
                " set HF_TOKEN to it (or run `hf auth login`).",
            ) from error
        except RepositoryNotFoundError as error:
            raise PullFailed(
                f"{self.api.endpoint} shows no {repository} to this account",
                f"Look whether {page} exists and whether HF_TOKEN is that of the account that accepted its"
                " terms; on a mirror, have it copied.",
            ) from error
        except EntryNotFoundError as error:
            raise PullFailed(f"{repository}: {error}", "Look whether the mirror is complete.") from error
        except HfHubHTTPError as error:
            raise PullFailed(
                f"{repository}: {self.api.endpoint} answered {error.response.status_code}",
                "Pull again later: whole files that came are kept.",
            ) from error
        except Exception as error:  # the transport's errors share no base class with the library's
            raise PullFailed(
                f"{repository}: {self.api.endpoint} was not reached ({type(error).__name__}: {error})",
                "Look at network and proxy, or name a mirror: HF_ENDPOINT=https://…, or --mirror FOLDER."
                " Whole files that came are kept.",
            ) from error


def _offered(file: RepoFile) -> OfferedFile:
    return OfferedFile(file.path, file.size, file.lfs.sha256 if file.lfs else file.blob_id)
