"""Absolute addresses in answers: the API's own and signed ones of pictures."""

from __future__ import annotations

import time

from job_store.links import sign
from runtime.settings import Settings


class Links:
    """Makes links from the settings. Raises `ValueError` when there is no secret to sign with."""

    def __init__(self, settings: Settings) -> None:
        if not settings.signing_secret.get_secret_value():
            raise ValueError("ADDIT_SIGNING_SECRET must be set: it signs the links to pictures")
        self.base_url = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
        self._secret, self._seconds = settings.signing_secret.get_secret_value(), settings.link_seconds

    def to(self, path: str) -> str:
        """An address of the API."""
        return self.base_url + path

    def artifact(self, key: str) -> str:
        """A signed link, good for `link_seconds` at most and three quarters of it at least.

        Time counts in quarters, so that a job that did not change reads the same and keeps its ETag.
        """
        quarter = max(1, self._seconds // 4)
        now = time.time() // quarter * quarter
        return self.to(sign(key, self._secret, now, self._seconds))
