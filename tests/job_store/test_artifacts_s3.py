"""The artifact store on a real S3 API: the same promises, and what a failing server leads to."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from job_store import artifacts as module
from job_store.artifacts import (
    ArtifactMissing,
    ArtifactStore,
    StorageUnavailable,
    attempt_key,
    image_key,
    job_prefix,
)
from tests.figures import Figure
from tests.job_store.test_artifacts import KEY, NOT_KEYS
from tests.s3 import URL, Bucket

READ_SECONDS = 0.3


@pytest.fixture
def artifacts(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> ArtifactStore:
    """One that is as patient as any, but counts in tenths of seconds."""
    config: dict[str, object] = {**vars(module)["_S3"]["config_kwargs"], "read_timeout": READ_SECONDS}
    monkeypatch.setitem(module._S3, "config_kwargs", config)
    return ArtifactStore(URL)


def test_what_is_put_is_got(artifacts: ArtifactStore, s3: Bucket) -> None:
    artifacts.put(KEY, b"one")
    artifacts.put(KEY, b"three")
    artifacts.put(image_key("acme", "img_1"), b"")
    assert (artifacts.get(KEY), artifacts.size(KEY)) == (b"three", 5)
    assert artifacts.get(image_key("acme", "img_1")) == b""
    assert s3.objects() == {KEY, image_key("acme", "img_1")}
    for key in ("t/acme/absent.png", "t/acme", f"{KEY}/deeper"):
        with pytest.raises(ArtifactMissing):
            artifacts.get(key)
    with pytest.raises(ArtifactMissing):
        artifacts.size("t/acme/absent.png")


def test_delete_takes_one_or_all_under_a_prefix(artifacts: ArtifactStore, s3: Bucket) -> None:
    others = {"t/acme/j/ins_10/0f/0.png", "t/acme/j/ins_2/0f/0.png", "t/other/j/ins_1/0f/0.png"}
    for key in (KEY, "t/acme/j/ins_1/aa/0.png", "t/acme/j/ins_1/aa/mask.png", *others):
        artifacts.put(key, b"x")
    artifacts.delete("t/acme/j/ins_1/aa/mask.png")
    assert s3.objects() == {KEY, "t/acme/j/ins_1/aa/0.png", *others}
    for gone in (job_prefix("acme", "ins_1"), job_prefix("acme", "ins_1"), "t/acme/absent.png"):
        artifacts.delete(gone)
    assert s3.objects() == others


def test_owners_and_their_age(artifacts: ArtifactStore, s3: Bucket) -> None:
    assert list(artifacts.owners()) == []
    for key in (KEY, attempt_key("acme", "ins_1", "1f", "0.png"), image_key("acme", "img_1")):
        artifacts.put(key, b"x")
    s3.put("elsewhere/t/acme/j/ins_2/0f/0.png", b"x")
    assert list(artifacts.owners()) == ["t/acme/j/ins_1/", "t/acme/i/img_1.png"]
    for owner in artifacts.owners():
        assert abs(artifacts.changed_at(owner) - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ArtifactMissing):
        artifacts.changed_at(job_prefix("acme", "ins_2"))


@pytest.mark.fault(51)
@pytest.mark.parametrize("key", NOT_KEYS)
def test_a_key_that_is_none_never_reaches_the_server(artifacts: ArtifactStore, s3: Bucket, key: str) -> None:
    for act in (artifacts.get, artifacts.size, artifacts.delete, lambda key: artifacts.put(key, b"evil")):
        with pytest.raises(ArtifactMissing):
            act(key)
    assert s3.asked == []


@pytest.mark.fault(51)
def test_no_key_reaches_what_lies_beside_the_folder(artifacts: ArtifactStore, s3: Bucket) -> None:
    s3.put("secret", b"secret")
    s3.put("artifacts/t/../../secret", b"a key like any other to S3")
    for key in ("../secret", "t/../../secret", "secret"):
        with pytest.raises(ArtifactMissing):
            artifacts.get(key)


def pauses(bucket: Bucket) -> list[float]:
    """Seconds between the tries."""
    moments = [moment for moment, *_ in bucket.asked]
    return [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]


@pytest.mark.fault(27)
@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails_for_a_moment_is_tried_again(
    artifacts: ArtifactStore, s3: Bucket, status: int, figure: Figure
) -> None:
    s3.status, s3.times = status, 2
    artifacts.put(KEY, b"x")
    assert s3.objects() == {KEY}
    tries = [path for _, method, path in s3.asked if method == "PUT"]
    assert set(tries) == {f"/pictures/artifacts/{KEY}"}
    figure(27, "tries of a call", len(tries))


@pytest.mark.fault(27)
def test_pauses_between_tries_are_drawn_anew_each_time(
    artifacts: ArtifactStore, s3: Bucket, figure: Figure
) -> None:
    drawn = []
    for _ in range(4):
        s3.status, s3.times = 500, 1
        s3.asked.clear()
        artifacts.put(KEY, b"x")
        drawn += pauses(s3)
    assert len(drawn) == 4
    figure(27, "pauses differ by", 1000 * (max(drawn) - min(drawn)))  # of up to a second each


@pytest.mark.fault(27)
@pytest.mark.parametrize(("status", "tries"), [(500, 3), (503, 3), (403, 1)])
def test_one_that_keeps_failing_is_unavailable(
    artifacts: ArtifactStore, s3: Bucket, status: int, tries: int
) -> None:
    artifacts.put(KEY, b"old")
    s3.status = status
    for act in (artifacts.get, artifacts.size, artifacts.delete, lambda key: artifacts.put(key, b"new")):
        s3.asked.clear()
        with pytest.raises(StorageUnavailable):
            act(KEY)
        assert len(s3.asked) == tries
    s3.heal()
    assert artifacts.get(KEY) == b"old"


@pytest.mark.fault(27)
def test_a_silent_server_is_given_up_after_three_silences(
    artifacts: ArtifactStore, s3: Bucket, figure: Figure
) -> None:
    s3.delay = 60.0
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        artifacts.put(KEY, b"x")
    figure(27, "given up beyond its silences", time.monotonic() - began - 3 * READ_SECONDS)
    figure(27, "tries of a call", len(s3.asked))


@pytest.mark.fault(27)
def test_a_bucket_that_is_not_there_is_unavailable_to_a_writer(s3: Bucket) -> None:
    with pytest.raises(StorageUnavailable):
        ArtifactStore("s3://absent/artifacts").put(KEY, b"x")
