"""The artifact store: whole writes, checked keys, three errors."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from job_store.artifacts import (
    ArtifactError,
    ArtifactMissing,
    ArtifactStore,
    StorageFull,
    StorageUnavailable,
    attempt_key,
    image_key,
    job_prefix,
)

KEY = "t/acme/j/ins_1/0f/0.png"
NOT_KEYS = [
    "", "/", ".", "..", "/etc/passwd", "../secret", "t/../../secret", "t/acme/../other/0.png", "t//0.png",
    "./t/0.png", "t/./0.png", "t/.hidden", "t/a\0b", "\0", "t/a\nb", "t/0.png\n", "t\\..\\secret", "C:\\x",
    "~/x", "t/%2e%2e/x", "t/..%2fx", "%2fetc/passwd", "t/a b", "t/ä", "t/\u202e", "t/\uff0e\uff0e/x",
    "file:///etc/passwd", "s3://other/x", "a" * 200, "/".join("a" * 40), "t/*", "t/?", "t/[a]", "t/{a,b}",
    "t/a:b", "::file://x", "\ud800",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "some" / "artifacts"


@pytest.fixture
def artifacts(folder: Path) -> ArtifactStore:
    return ArtifactStore(f"file://{folder}")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_put_is_got(artifacts: ArtifactStore, folder: Path) -> None:
    artifacts.put(KEY, b"one")
    artifacts.put(KEY, b"three")
    artifacts.put(image_key("acme", "img_1"), b"")
    assert artifacts.get(KEY) == b"three"
    assert artifacts.size(KEY) == 5
    assert artifacts.get("t/acme/i/img_1.png") == b""
    assert files(folder) == ["t/acme/i/img_1.png", KEY]


def test_a_relative_folder_is_the_working_directorys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ArtifactStore("file://./data/artifacts").put(KEY, b"x")
    assert files(tmp_path) == [f"data/artifacts/{KEY}"]


def test_owners_are_jobs_and_pictures_whatever_else_lies_there(
    artifacts: ArtifactStore, folder: Path
) -> None:
    assert list(artifacts.owners()) == []
    for key in (KEY, f"{job_prefix('acme', 'ins_1')}source.png", image_key("acme", "img_1"), "x/y.png"):
        artifacts.put(key, b"x")
    artifacts.put(image_key("globex", "img_2"), b"x")
    (folder / "t/acme/i/.img_3.png.00.part").touch()
    owners = ["t/acme/j/ins_1/", "t/acme/i/img_1.png", "t/globex/i/img_2.png"]
    assert list(artifacts.owners()) == owners


def test_a_prefix_changes_with_the_last_of_its_files(artifacts: ArtifactStore, folder: Path) -> None:
    prefix, later = job_prefix("acme", "ins_1"), attempt_key("acme", "ins_1", "1f", "0.png")
    for key, moment in ((KEY, 1_000_000), (later, 2_000_000)):
        artifacts.put(key, b"x")
        os.utime(folder / key, (moment, moment))
    os.utime(folder / prefix, (500_000, 500_000))
    assert artifacts.changed_at(KEY).timestamp() == 1_000_000
    assert artifacts.changed_at(prefix).timestamp() == 2_000_000
    for absent in (job_prefix("acme", "ins_2"), image_key("acme", "img_1")):
        with pytest.raises(ArtifactMissing):
            artifacts.changed_at(absent)


def test_a_store_that_is_no_folder_of_files_tells_the_same() -> None:
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    artifacts, began = ArtifactStore("memory://bucket/artifacts"), datetime.now(UTC)
    assert list(artifacts.owners()) == []
    for key in (KEY, image_key("acme", "img_1")):
        artifacts.put(key, b"x")
    assert list(artifacts.owners()) == ["t/acme/j/ins_1/", "t/acme/i/img_1.png"]
    assert began <= artifacts.changed_at("t/acme/j/ins_1/") <= datetime.now(UTC)
    artifacts.remove_parts(datetime.now(UTC))
    assert artifacts.keys(job_prefix("acme", "ins_1")) == [KEY]
    assert artifacts.get(KEY) == b"x"


def test_parts_of_dead_writers_go_and_those_of_living_ones_stay(
    artifacts: ArtifactStore, folder: Path
) -> None:
    artifacts.put(image_key("acme", "img_1"), b"x")
    old, new = (folder / f"t/acme/i/.img_{name}.png.00.part" for name in ("2", "3"))
    for part, moment in ((old, 1_000), (new, 3_000)):
        part.touch()
        os.utime(part, (moment, moment))
    artifacts.remove_parts(datetime.fromtimestamp(2_000, UTC))
    assert files(folder) == ["t/acme/i/.img_3.png.00.part", "t/acme/i/img_1.png"]


def test_the_keys_under_a_prefix_are_those_of_whole_files(artifacts: ArtifactStore, folder: Path) -> None:
    prefix = job_prefix("acme", "ins_1")
    assert artifacts.keys(prefix) == []
    for key in (KEY, f"{prefix}mask.png", attempt_key("acme", "ins_10", "0f", "0.png")):
        artifacts.put(key, b"x")
    (folder / f"{prefix}0f/.1.png.00.part").touch()
    assert artifacts.keys(prefix) == [KEY, f"{prefix}mask.png"]


def test_keys_keep_tenants_jobs_and_attempts_apart() -> None:
    assert attempt_key("acme", "ins_1", "0f", "0.png") == KEY
    assert KEY.startswith(job_prefix("acme", "ins_1"))


def test_what_is_absent_is_missing(artifacts: ArtifactStore) -> None:
    artifacts.put(KEY, b"x")
    for key in ("t/acme/absent.png", "t/acme", f"{KEY}/deeper"):
        with pytest.raises(ArtifactMissing):
            artifacts.get(key)
    with pytest.raises(ArtifactMissing):
        artifacts.size("t/acme/absent.png")


@pytest.mark.fault(51)
@pytest.mark.parametrize("key", NOT_KEYS)
def test_a_key_that_is_none_is_missing_and_touches_nothing(
    artifacts: ArtifactStore, folder: Path, key: str
) -> None:
    outside = folder.parent / "secret"
    artifacts.put(KEY, b"x")
    outside.write_bytes(b"secret")
    for act in (artifacts.get, artifacts.size, artifacts.delete, lambda key: artifacts.put(key, b"evil")):
        with pytest.raises(ArtifactMissing):
            act(key)
    assert outside.read_bytes() == b"secret"
    assert files(folder) == [KEY]


@pytest.mark.fault(51)
def test_no_link_leads_out_of_the_folder_or_to_another_key(artifacts: ArtifactStore, folder: Path) -> None:
    artifacts.put(KEY, b"x")
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "t" / "file").symlink_to(folder.parent / "secret")
    (folder / "t" / "up").symlink_to(folder.parent)
    (folder / "t" / "same").symlink_to(folder / KEY)
    for key in ("t/file", "t/up/secret", "t/same"):
        for act in (artifacts.get, artifacts.size, artifacts.delete, lambda key: artifacts.put(key, b"evil")):
            with pytest.raises(ArtifactMissing):
                act(key)
    assert (folder.parent / "secret").read_bytes() == b"secret"


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    artifacts = ArtifactStore(f"file://{tmp_path}/data")
    artifacts.put(KEY, b"x")
    assert artifacts.get(KEY) == b"x"


def test_delete_takes_one_or_all_under_a_prefix(artifacts: ArtifactStore, folder: Path) -> None:
    others = ["t/acme/j/ins_10/0f/0.png", "t/acme/j/ins_2/0f/0.png", "t/other/j/ins_1/0f/0.png"]
    for key in (KEY, "t/acme/j/ins_1/aa/0.png", "t/acme/j/ins_1/aa/mask.png", *others):
        artifacts.put(key, b"x")
    artifacts.delete("t/acme/j/ins_1/aa/mask.png")
    assert "t/acme/j/ins_1/aa/0.png" in files(folder)
    artifacts.delete(job_prefix("acme", "ins_1"))
    artifacts.delete(job_prefix("acme", "ins_1"))
    artifacts.delete("t/acme/absent.png")
    assert files(folder) == sorted(others)


def test_readers_never_see_a_part(artifacts: ArtifactStore) -> None:
    pictures = [bytes([n]) * 400_000 for n in range(2)]
    artifacts.put(KEY, pictures[0])

    def write(n: int) -> None:
        artifacts.put(KEY, pictures[n % 2])

    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(write, n) for n in range(60)]
        seen = {artifacts.get(KEY) for _ in range(60)}
        for future in done:
            future.result()
    assert seen <= set(pictures)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: writing fails midway, as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_failed_write_leaves_the_old_bytes_and_no_litter(artifacts: ArtifactStore, folder: Path) -> None:
    artifacts.put(KEY, b"old")
    with largest_file(1000), pytest.raises(ArtifactError):
        artifacts.put(KEY, b"x" * 100_000)
    assert artifacts.get(KEY) == b"old"
    assert files(folder) == [KEY]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_is_storage_full(
    artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageFull):
        artifacts.put(KEY, b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_device_without_space_is_storage_full(
    artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.open", lambda *_, real=open: real("/dev/full", "wb"))
    with pytest.raises(StorageFull):
        artifacts.put(KEY, b"x")


def test_a_storage_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        ArtifactStore(f"file://{tmp_path}/file").put(KEY, b"x")
