"""Pictures in a bucket: the whole way of a job, and what becomes of it while the bucket's server fails."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from PIL import Image
from redis import Redis

import workers.attempt
import workers.janitor
from job_store.api_keys import ApiKeys
from job_store.artifacts import ArtifactStore, StorageUnavailable, attempt_key, job_prefix
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outlook import Outlook
from job_store.records import Claim
from runtime.valkey import EmbeddedValkey, embedded_valkey
from tests.figures import Figure
from tests.job_store.samples import pass_time
from tests.s3 import METHODS, URL, Bucket
from tests.service.conftest import make_settings, serving
from tests.service.pictures import encoded, gradient
from tests.workers.fleet import TENANT, Fleet, short
from tests.workers.test_attempt import Bench
from workers.failures import explain
from workers.janitor import Janitor
from workers.reconciler import Reconciler

ANSWERS = [500, 503, 403]


@pytest.fixture
def bench(s3: Bucket, redis: Redis, valkey: EmbeddedValkey, tmp_path: Path) -> Bench:
    """Work for an attempt whose pictures go to the bucket."""
    settings = short(valkey.url, tmp_path, artifact_url=URL)
    return Bench(JobStore(redis), ArtifactStore(URL), Outlook(redis), settings, tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is tried for less than a second."""
    monkeypatch.setattr(workers.attempt, "STORAGE_SECONDS", 0.2)


@pytest.fixture(scope="module")
def path(s3_server: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, httpx.Client]]:
    """A worker and a gateway on one bucket; a tenant's client of the gateway."""
    folder = tmp_path_factory.mktemp("s3")
    s3_server.heal()
    s3_server.empty()
    with ExitStack() as stack:
        valkey = stack.enter_context(embedded_valkey(folder / "valkey"))
        redis = stack.enter_context(connect(valkey.url))
        # The first picture that an engine stores has it load the whole client first, without a beat.
        patient = {"step_seconds": 60.0, "lease_seconds": 20.0}
        fleet = Fleet(redis, short(valkey.url, folder, artifact_url=URL, **patient), folder)
        stack.callback(fleet.end)
        fleet.workers(1)
        address = stack.enter_context(serving(make_settings(valkey, folder, artifact_url=URL)))
        headers = {"Authorization": f"Bearer {ApiKeys(redis).create(TENANT, 'test')}"}
        yield fleet, stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=90))


@pytest.fixture
def fleet(path: tuple[Fleet, httpx.Client]) -> Fleet:
    return path[0]


@pytest.fixture
def client(path: tuple[Fleet, httpx.Client], s3: Bucket) -> httpx.Client:
    """A tenant's, at the gateway before the empty bucket."""
    return path[1]


def submitted(client: httpx.Client, **fields: object) -> httpx.Response:
    """An insertion into an uploaded picture, done within a minute."""
    body = {"source": {"kind": "image", "image": {"id": upload(client).json()["id"]}, "prompt": "a room"},
            "prompt": "a dog", "subject": "dog", "seeds": [1]}  # fmt: skip
    return client.post("/v1/insertions", json={**body, **fields}, headers={"Prefer": "wait=60"})


def upload(client: httpx.Client) -> httpx.Response:
    data = encoded(gradient((64, 64)))
    return client.post("/v1/images", content=data, headers={"Content-Type": "image/png"})


def objects_of(claim: Claim, *names: str) -> set[str]:
    """Of an attempt, under these names."""
    return {attempt_key(TENANT, claim.record.id, claim.token, name) for name in names}


def swept(fleet: Fleet) -> None:
    """A pass of the reconciler over the same stores."""
    Reconciler(fleet.settings, fleet.redis).reconcile_once()


def test_a_job_goes_its_whole_way_through_a_bucket(fleet: Fleet, client: httpx.Client, s3: Bucket) -> None:
    job = submitted(client, output={"format": "webp", "include": ["mask", "source"]}).json()
    assert job["status"] == "succeeded", fleet.logs()
    [made] = job["result"]["images"]
    whole = httpx.get(made["url"])
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(whole.content)).size == (64, 64)
    part = httpx.get(made["url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert httpx.get(made["mask_url"]).status_code == 200
    assert httpx.get(made["url"].replace(TENANT, "globex")).status_code == 403
    uploads = {key for key in s3.objects() if "/i/" in key}
    assert len(s3.objects() - uploads) == 3
    assert client.delete(f"/v1/insertions/{job['id']}").status_code == 204
    swept(fleet)
    assert s3.objects() == uploads
    assert httpx.get(made["url"]).status_code == 404


def test_what_is_kept_too_long_leaves_the_bucket(fleet: Fleet, client: httpx.Client, s3: Bucket) -> None:
    short_lived, longer = (submitted(client, retain_seconds=seconds).json()["id"] for seconds in (60, 600))
    for job_id in (short_lived, longer):
        pass_time(fleet.redis, job_id, 61_000)
    swept(fleet)
    jobs = {key for key in s3.objects() if "/j/" in key}
    assert jobs
    assert all(key.startswith(job_prefix(TENANT, longer)) for key in jobs)
    assert client.get(f"/v1/insertions/{short_lived}").status_code == 404


@pytest.mark.fault(27)
@pytest.mark.parametrize("status", ANSWERS)
def test_a_gateway_without_its_bucket_says_so(
    client: httpx.Client, s3: Bucket, status: int, figure: Figure
) -> None:
    link = submitted(client).json()["result"]["images"][0]["url"]
    before = client.get("/v1/insertions").json()["data"]
    s3.status = status
    for answer in (upload(client), httpx.get(link, timeout=30)):
        assert answer.json()["code"] == "store_unavailable"
        figure(27, "status without a bucket", answer.status_code)
        assert answer.headers["Retry-After"]
    s3.heal()
    assert client.get("/v1/insertions").json()["data"] == before
    assert httpx.get(link).status_code == 200


@pytest.mark.fault(27)
@pytest.mark.parametrize("status", ANSWERS)
def test_a_failing_bucket_gives_the_job_another_try_and_then_a_clean_end(
    bench: Bench, s3: Bucket, impatient: None, status: int, figure: Figure
) -> None:
    claim = bench.claim()
    s3.status = status
    assert bench.do(claim).ending == "crashed"
    assert len([method for _, method, _ in s3.asked if method == "PUT"]) > 1
    bench.jobs.release(claim.record.id, claim.token, crashed=True, max_crashes=2)
    again = bench.reclaim()
    assert bench.do(again).ending == "failed"
    error = bench.jobs.get(claim.record.id).error
    assert error
    assert error == explain(StorageUnavailable("")).error
    s3.heal()
    Reconciler(bench.settings, connect(bench.settings.redis_url)).reconcile_once()
    figure(27, "parts of pictures left", len(s3.objects()))


@pytest.mark.fault(27)
def test_a_bucket_that_fails_for_a_while_costs_no_try(bench: Bench, s3: Bucket, figure: Figure) -> None:
    claim = bench.claim(output={"include": ["mask"]})
    s3.status, s3.times, s3.methods = 403, 4, frozenset({"PUT"})
    assert bench.do(claim).ending == "succeeded"
    figure(27, "refusals that cost no start", 4)
    figure(27, "starts", bench.jobs.get(claim.record.id).attempts)
    assert s3.objects() == objects_of(claim, "0.png", "0-mask.png")


@pytest.mark.fault(27)
def test_a_source_that_cannot_be_read_for_a_while_costs_no_try(bench: Bench, s3: Bucket) -> None:
    bench.artifacts.put("t/acme/i/img_1.png", encoded(gradient()))
    claim = bench.claim(source_key="t/acme/i/img_1.png")
    s3.status, s3.times, s3.methods = 403, 2, frozenset({"GET"})
    assert bench.do(claim).ending == "succeeded"


@pytest.mark.fault(27)
def test_pictures_that_could_not_be_removed_go_when_the_bucket_is_back(
    bench: Bench, s3: Bucket, redis: Redis, impatient: None, figure: Figure
) -> None:
    """The first picture is stored, then nothing can be written or removed any more."""
    claim = bench.claim(output={"include": ["mask"]})
    put = bench.artifacts.put

    def once(key: str, data: bytes) -> None:
        put(key, data)
        s3.status, s3.methods = 403, METHODS - {"GET"}

    bench.artifacts.put = once  # type: ignore[method-assign]
    assert bench.do(claim).ending == "crashed"
    assert len(s3.objects()) == 1
    s3.heal()
    bench.jobs.release(claim.record.id, claim.token, crashed=True, max_crashes=2)
    bench.artifacts.put = put  # type: ignore[method-assign]
    again = bench.reclaim()
    assert bench.do(again).ending == "succeeded"
    Reconciler(bench.settings, redis).reconcile_once()
    wanted = objects_of(again, "0.png", "0-mask.png")
    assert wanted <= s3.objects()
    figure(27, "parts of pictures left", len(s3.objects() - wanted))
    assert redis.exists(Key.LEFTOVERS) == 0


@pytest.mark.fault(27)
def test_the_janitor_removes_objects_without_a_record(
    bench: Bench, s3: Bucket, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = bench.claim()
    bench.do(claim)
    kept = s3.objects()
    for key in (attempt_key(TENANT, "ins_absent", "0f", "0.png"), "t/globex/i/img_absent.png"):
        bench.artifacts.put(key, b"x")
    janitor = Janitor(bench.settings, redis)
    janitor.clean_once()
    assert len(s3.objects()) == len(kept) + 2  # they are young
    monkeypatch.setattr(workers.janitor, "GRACE", -workers.janitor.GRACE)
    janitor.clean_once()
    assert s3.objects() == kept
