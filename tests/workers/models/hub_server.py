"""A server that answers as the hub does, as far as fetching asks it, and fails when told to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.http_server import Handler, serving
from workers.models.checksums import digest

COMMIT = "a" * 40
LARGE = (".safetensors", ".pt", ".bin")


@dataclass
class FakeHub:
    """root: folders owner/name, served as repositories.

    gated: repositories that want this token; lies: files whose promised checksum is another one
    cut: files whose first answer ends after half of it; asked: (method, path, Range) of every request
    """

    root: Path
    url: str = ""
    gated: dict[str, str] = field(default_factory=dict)
    lies: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def files(self, repository: str) -> list[Path]:
        return sorted(path for path in (self.root / repository).rglob("*") if path.is_file())

    def etag(self, file: Path) -> str:
        if file.name in self.lies:
            return hashlib.sha256(b"something else").hexdigest()
        return digest(file, "sha256" if file.suffix in LARGE else "git")

    def tree(self, repository: str) -> list[dict[str, Any]]:
        return [self._entry(file, repository) for file in self.files(repository)]

    def _entry(self, file: Path, repository: str) -> dict[str, Any]:
        size, etag = file.stat().st_size, self.etag(file)
        entry = {"type": "file", "path": file.relative_to(self.root / repository).as_posix(), "size": size}
        if len(etag) == 40:
            return entry | {"oid": etag}
        return entry | {"oid": "b" * 40, "lfs": {"oid": etag, "size": size, "pointerSize": 134}}


def handler(hub: FakeHub) -> type[Handler]:
    class Answering(Handler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            hub.asked.append((self.command, self.path, self.headers.get("Range", "")))
            parts = self.path.partition("?")[0].strip("/").split("/")
            if parts[0] == "api":
                return self._api(f"{parts[2]}/{parts[3]}", parts[4])
            return self._file(f"{parts[0]}/{parts[1]}", "/".join(parts[4:]), body)

        def _api(self, repository: str, what: str) -> None:
            if not (hub.root / repository).is_dir():
                return self._refuse(404, "RepoNotFound")
            answer: Any = hub.tree(repository)
            if what == "revision":
                answer = {"id": repository, "sha": COMMIT, "siblings": [], "tags": [], "private": False}
            return self._send(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

        def _file(self, repository: str, path: str, body: bool) -> None:
            token, file = hub.gated.get(repository), hub.root / repository / path
            if token is not None and self.headers.get("Authorization") != f"Bearer {token}":
                return self._refuse(403, "GatedRepo")
            if not file.is_file():
                return self._refuse(404, "EntryNotFound")
            whole = file.read_bytes()
            headers = {"ETag": f'"{hub.etag(file)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            return self._send(206 if start else 200, headers, whole[start:], body, file.name)

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, {"X-Error-Code": code, "X-Error-Message": code}, b"")

        def _send(
            self, status: int, headers: dict[str, str], content: bytes, body: bool = True, name: str = ""
        ) -> None:
            self.send_response(status)
            for key, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(key, value)
            self.end_headers()
            if not body:
                return
            if name in hub.cut:
                hub.cut.discard(name)
                content = content[: len(content) // 2]
                self.close_connection = True
            self.wfile.write(content)

    return Answering


@contextmanager
def hub_served(hub: FakeHub) -> Iterator[FakeHub]:
    """The server at `hub.url`, until the end of the block."""
    with serving(handler(hub)) as hub.url:
        yield hub
