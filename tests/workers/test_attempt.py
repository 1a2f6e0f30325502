"""One attempt against the real store, with nobody around it."""

from __future__ import annotations

import errno
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa
import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from redis import Redis

import workers.attempt
from api_schemas.base import new_id
from api_schemas.events import Preview
from api_schemas.insertions import GeneratedSource, InsertionRequest
from api_schemas.jobs import DroppedSeed
from job_store.artifacts import (
    ArtifactStore,
    attempt_key,
    image_key,
    latents_key,
    made_latents_key,
    mask_key,
)
from job_store.jobs import JobStore
from job_store.outlook import Outlook
from job_store.records import Claim, JobRecord, NewJob, ScenePlace
from job_store.scenes import SceneStore
from runtime.content_credentials import Credentials
from runtime.moderation import Moderator
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey
from tests.certificates import chain_in
from tests.job_store.samples import events_of
from tests.runtime.judge import Judge, judging
from tests.runtime.test_content_credentials import actions_of, read
from tests.workers.fleet import MODEL, TENANT, short
from tests.workers.scripted_runner import ScriptedRunner, image_of
from workers.attempt import Attempt, Stores
from workers.messages import Ended, Lap, Run, StopReason
from workers.pictures import encode
from workers.runner import (
    ALONE,
    NO_MASKS,
    DroppedSeeds,
    Masks,
    OnPreview,
    OnStep,
    Place,
    RunOutput,
    no_preview,
    none_dropped,
)

LEASE_MS = 30_000
UPLOADED = {"kind": "image", "image": {"id": "img_1"}, "prompt": "a room"}


@dataclass
class Ears:
    """Says stop after so many steps."""

    reason: StopReason | None = None
    after: int = 0
    beats: int = 0
    laps: list[Lap] = field(default_factory=list)
    unwanted: frozenset[int] = frozenset()
    rows: int | None = None

    def dropped(self, token: str) -> frozenset[int]:
        return self.unwanted if self.beats > self.after else frozenset()

    def stopped(self, token: str) -> StopReason | None:
        return self.reason if self.beats > self.after else None

    def beat(self, token: str) -> None:
        self.beats += 1

    def lap(self, lap: Lap) -> None:
        self.laps.append(lap)

    def room(self, token: str, rows: int) -> None:
        self.rows = rows


@dataclass
class Bench:
    """A store with work in it."""

    jobs: JobStore
    artifacts: ArtifactStore
    outlook: Outlook
    settings: Settings
    folder: Path

    def claim(self, prompt: str = "a dog", source_key: str | None = None, **fields: Any) -> Claim:
        given = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": prompt, "subject": "dog"}
        request = InsertionRequest.model_validate(given | fields)
        self.jobs.submit(NewJob(new_id("ins"), TENANT, MODEL, request, source_key))
        return self.reclaim()

    def reclaim(self) -> Claim:
        claim = self.jobs.claim(MODEL, "worker-1", LEASE_MS)
        assert claim is not None
        return claim

    def do(
        self,
        claim: Claim,
        ears: Ears | None = None,
        seconds: float = 60,
        credentials: Credentials | None = None,
        moderator: Moderator | None = None,
    ) -> Ended:
        stores = Stores(self.jobs, self.artifacts, self.outlook, credentials, moderator)
        return Attempt(Run(claim, seconds), stores, self.settings, ears or Ears()).do(ScriptedRunner())

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.glob("artifacts/t/*/j/**/*") if path.is_file()]


@pytest.fixture
def bench(redis: Redis, valkey: EmbeddedValkey, tmp_path: Path) -> Bench:
    settings = short(valkey.url, tmp_path)
    artifacts = ArtifactStore(settings.artifact_url)
    return Bench(JobStore(redis), artifacts, Outlook(redis), settings, tmp_path)


@pytest.mark.fault(1)
def test_what_a_killed_attempt_had_stored_goes_when_another_succeeds(bench: Bench) -> None:
    killed = bench.claim()
    job_id = killed.record.id
    bench.artifacts.put(attempt_key(TENANT, job_id, killed.token, "0.png"), b"half of a result")
    bench.artifacts.put(mask_key(TENANT, job_id, "region"), b"what the request came with")
    bench.jobs.release(job_id, killed.token, crashed=True, max_crashes=9)
    again = bench.reclaim()
    assert bench.do(again) == Ended(again.token, "succeeded")
    assert {path.parent.name for path in bench.files} == {again.token, job_id}
    assert bench.artifacts.keys(f"t/{TENANT}/j/{job_id}/") == [
        *(attempt_key(TENANT, job_id, again.token, name) for name in ("0-mask.png", "0.png")),
        mask_key(TENANT, job_id, "region"),
    ]


def test_a_picture_comes_in_and_its_result_keeps_its_size(bench: Bench) -> None:
    source_key = image_key(TENANT, "img_1")
    bench.artifacts.put(source_key, encode(image_of(0, (80, 56), empty=False).image, "png"))
    claim = bench.claim(source_key=source_key, output={"include": ["mask", "source"]})
    assert bench.do(claim) == Ended(claim.token, "succeeded")
    record = bench.jobs.get(claim.record.id)
    assert record.result
    [image] = record.result.images
    assert (image.width, image.height, image.score, image.box) == (80, 56, 0.9, [1, 2, 3, 4])
    assert image.url == attempt_key(TENANT, record.id, claim.token, "0.png")
    assert record.result.source_url == attempt_key(TENANT, record.id, claim.token, "source.png")
    assert record.result.timings.upload > 0
    assert len(bench.files) == 3


def test_results_are_signed_where_there_is_something_to_sign_with(bench: Bench, tmp_path: Path) -> None:
    chain = chain_in(tmp_path)
    credentials = Credentials(chain.certificate.read_bytes(), chain.key.read_bytes(), "es256")
    bench.artifacts.put(image_key(TENANT, "img_1"), encode(image_of(0, (80, 56), empty=False).image, "png"))
    include = {"include": ["mask", "source"]}
    claim = bench.claim(source_key=image_key(TENANT, "img_1"), output=include, source=UPLOADED)
    assert bench.do(claim, credentials=credentials).ending == "succeeded"
    result = bench.jobs.get(claim.record.id).result
    assert result
    [image] = result.images
    state, manifest = read(bench.artifacts.get(image.url), "png", chain)
    assert (state, [one["title"] for one in manifest["ingredients"]]) == ("Trusted", ["source"])
    assert [one["action"] for one in actions_of(manifest)] == ["c2pa.opened", "c2pa.edited"]
    assert image.mask_url
    assert result.source_url
    for unsigned in (image.mask_url, result.source_url):
        assert c2pa.Reader.try_create("image/png", BytesIO(bench.artifacts.get(unsigned))) is None
    assert result.cost.stored_bytes == sum(path.stat().st_size for path in bench.files)


def test_a_generated_picture_is_signed_as_created(bench: Bench, tmp_path: Path) -> None:
    chain = chain_in(tmp_path)
    credentials = Credentials(chain.certificate.read_bytes(), chain.key.read_bytes(), "es256")
    claim = bench.claim()
    bench.do(claim, credentials=credentials)
    _, manifest = read(
        bench.artifacts.get(attempt_key(TENANT, claim.record.id, claim.token, "0.png")), "png", chain
    )
    assert [one["action"] for one in actions_of(manifest)] == ["c2pa.created"]


@pytest.fixture
def judge() -> Iterator[Judge]:
    with judging() as judge:
        yield judge


def moderated(bench: Bench, judge: Judge, **changes: Any) -> Moderator:
    settings = bench.settings.model_copy(update={**judge.settings, **changes})
    return Moderator(settings)


def test_a_result_is_judged_before_anything_is_stored(bench: Bench, judge: Judge) -> None:
    claim = bench.claim(seeds=[1, 2], output={"previews": 1, "format": "webp"})
    judge.sees = lambda asked: bench.files == [] and {"allowed": True}
    assert bench.do(claim, moderator=moderated(bench, judge)).ending == "succeeded"
    assert [(asked["kind"], asked["media_type"]) for asked in judge.asked] == [("result", "image/webp")] * 2
    for asked in judge.asked:
        assert Image.open(BytesIO(b64decode(asked["picture"]))).size == (64, 48)
        assert (asked["job_id"], asked["tenant"]) == (claim.record.id, TENANT)
        assert (asked["prompt"], asked["subject"], asked["source_prompt"]) == ("a dog", "dog", "a room")


def test_a_refused_result_is_not_delivered(bench: Bench, judge: Judge, redis: Redis) -> None:
    claim = bench.claim(seeds=[1, 2], output={"previews": 1})
    judge.sees = lambda asked: {"allowed": len(judge.asked) < 2, "reason": "a dog of the wrong kind"}
    assert bench.do(claim, moderator=moderated(bench, judge)).ending == "failed"
    error = bench.jobs.get(claim.record.id).error
    assert error
    assert (error.code, error.message) == (
        "result_refused",
        "The result is not delivered: a dog of the wrong kind.",
    )
    assert bench.files == []
    assert "preview" not in [kind for kind, _ in events_of(redis, claim.record.id)]


@pytest.mark.parametrize(("policy", "ending"), [("closed", "failed"), ("open", "succeeded")])
def test_without_a_moderator_the_policy_decides(
    bench: Bench, judge: Judge, monkeypatch: pytest.MonkeyPatch, policy: str, ending: str
) -> None:
    monkeypatch.setattr(workers.attempt, "MODERATOR_SECONDS", 0.2)
    claim = bench.claim()
    judge.sees = lambda asked: {"no": "verdict"}
    assert bench.do(claim, moderator=moderated(bench, judge, moderation_fails=policy)).ending == ending
    error = bench.jobs.get(claim.record.id).error
    assert (error.code if error else None) == ("moderation_unavailable" if ending == "failed" else None)
    assert (bench.files == []) == (ending == "failed")
    assert len(judge.asked) > (policy == "closed")


def test_seeds_that_were_not_finished_are_on_record(bench: Bench) -> None:
    claim = bench.claim(seeds=[7, 8, 9], options={"keep_best": 2})
    assert bench.do(claim).ending == "succeeded"
    result = bench.jobs.get(claim.record.id).result
    assert result
    assert [image.seed for image in result.images] == [7, 8]
    assert result.dropped == [DroppedSeed(seed=9, score=0.25, reason="out of luck")]


def test_seeds_that_were_dropped_before_or_on_the_way_are_left_out(bench: Bench) -> None:
    claim = bench.claim(seeds=[7, 8, 9])
    bench.jobs.drop_seed(claim.record.id, TENANT, 9, 1)
    bench.jobs.release(claim.record.id, claim.token, crashed=False, max_crashes=2)
    assert bench.do(bench.reclaim(), Ears(unwanted=frozenset({7}))).ending == "succeeded"
    result = bench.jobs.get(claim.record.id).result
    assert result
    assert [image.seed for image in result.images] == [8]
    assert sorted(one.seed for one in result.dropped) == [7, 9]


def test_without_a_seed_left_the_job_is_canceled(bench: Bench) -> None:
    claim = bench.claim(seeds=[7, 8])
    assert bench.do(claim, Ears(unwanted=frozenset({7, 8}))) == Ended(claim.token, "canceled")
    assert bench.jobs.get(claim.record.id).status == "canceled"
    assert bench.files == []


def test_a_source_that_is_gone_is_said_to_be_gone(bench: Bench) -> None:
    claim = bench.claim(source_key=image_key(TENANT, "img_gone"))
    assert bench.do(claim).ending == "failed"
    error = bench.jobs.get(claim.record.id).error
    assert error
    assert error.code == "source_unavailable"


@pytest.mark.fault(6)
def test_an_overtaken_attempt_stops_at_its_next_step(bench: Bench) -> None:
    stale = bench.claim()
    bench.jobs.release(stale.record.id, stale.token, crashed=False, max_crashes=2)
    fresh = bench.reclaim()
    assert bench.do(stale) == Ended(stale.token, "superseded")
    assert bench.files == []
    assert bench.do(fresh).ending == "succeeded"
    assert len(bench.files) == 2


@pytest.mark.fault(6)
def test_a_result_that_comes_too_late_is_refused_and_its_pictures_removed(bench: Bench) -> None:
    stale = bench.claim()

    class OvertakenAtTheEnd(Ears):
        def beat(self, token: str) -> None:
            super().beat(token)
            if self.beats == 4:  # two steps, two pictures: only the commit is left
                bench.jobs.release(stale.record.id, stale.token, crashed=False, max_crashes=2)
                assert bench.files

    assert bench.do(stale, OvertakenAtTheEnd()) == Ended(stale.token, "superseded")
    assert bench.files == []
    assert bench.do(bench.reclaim()).ending == "succeeded"


@pytest.mark.fault(19)
@pytest.mark.parametrize("after", range(4))
def test_canceled_in_any_step_of_run_or_upload_nothing_is_left(bench: Bench, after: int) -> None:
    claim = bench.claim()
    ears = Ears("canceled", after)
    assert bench.do(claim, ears) == Ended(claim.token, "canceled")
    assert ears.beats == after + 1
    assert bench.jobs.get(claim.record.id).status == "canceled"
    assert bench.files == []


@pytest.mark.fault(16)
def test_a_late_attempt_fails_with_its_deadline(bench: Bench) -> None:
    claim = bench.claim()
    assert bench.do(claim, seconds=0) == Ended(claim.token, "failed")
    error = bench.jobs.get(claim.record.id).error
    assert error
    assert error.code == "deadline_exceeded"


class FullFileSystem(MemoryFileSystem):  # type: ignore[misc]
    """A disk that takes one picture and no more."""

    protocol = "full"
    store: dict[str, Any] = {}
    pseudo_dirs: list[str] = [""]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        if self.store:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().pipe_file(path, value, mode, **kwargs)


@pytest.fixture
def full(bench: Bench) -> Iterator[Bench]:
    fsspec.register_implementation("full", FullFileSystem, clobber=True)
    yield replace(bench, artifacts=ArtifactStore("full://disk"))
    FullFileSystem.store.clear()


@pytest.mark.fault(26)
def test_a_full_disk_gives_the_job_another_try_and_then_a_clean_end(full: Bench) -> None:
    claim = full.claim()
    assert full.do(claim).ending == "crashed"
    assert FullFileSystem.store == {}
    full.jobs.release(claim.record.id, claim.token, crashed=True, max_crashes=2)
    again = full.reclaim()
    assert full.do(again).ending == "failed"
    error = full.jobs.get(claim.record.id).error
    assert error
    assert error.code == "internal"
    assert FullFileSystem.store == {}


def test_a_success_tells_its_pace(bench: Bench) -> None:
    claim, began = bench.claim(), time.monotonic()
    bench.do(claim)
    elapsed = time.monotonic() - began
    (pace,) = bench.outlook.paces(MODEL, "12")  # 64 x 48 pixels
    assert 0 < 2 * pace <= elapsed  # two forwards; storing included
    bench.do(bench.claim("nan"))
    assert len(bench.outlook.paces(MODEL, "12")) == 1


def test_previews_are_stored_and_told(bench: Bench, redis: Redis) -> None:
    claim = bench.claim(seeds=[7, 8], output={"previews": 2, "format": "jpeg"})
    bench.do(claim)
    told = [
        Preview.model_validate_json(data)
        for kind, data in events_of(redis, claim.record.id)
        if kind == "preview"
    ]
    assert [(shown.number, shown.index, shown.seed) for shown in told] == [
        (0, 0, 7), (0, 1, 8), (1, 0, 7), (1, 1, 8)
    ]  # fmt: skip
    assert all(bench.artifacts.get(shown.url).startswith(b"\xff\xd8") for shown in told)


def test_a_preview_that_cannot_be_stored_is_left_out(full: Bench) -> None:
    claim = full.claim(output={"previews": 1, "include": []}, seeds=[1])
    assert full.do(claim).ending in ("crashed", "failed")  # the result itself finds no room either


@dataclass
class Onlooker(ScriptedRunner):
    """Notes the masks that come with a request."""

    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        on_step: OnStep,
        owner: str = "",
        source_id: str = "",
        *,
        masks: Masks = NO_MASKS,
        on_preview: OnPreview = no_preview,
        place: Place = ALONE,
        dropped: DroppedSeeds = none_dropped,
    ) -> RunOutput:
        self.seen |= {name: mask.size for name, mask in masks.items()}
        return super().run(request, source, on_step, owner, source_id, masks=masks)


def test_the_masks_of_a_request_reach_the_runner(bench: Bench) -> None:
    claim = bench.claim(region={"mask": {"id": "img_1"}}, avoid={"box": [0, 0, 9, 9]})
    record, runner = claim.record, Onlooker()
    mask = encode(image_of(1, (40, 30), empty=False).image, "png")
    bench.artifacts.put(mask_key(TENANT, record.id, "region"), mask)
    stores = Stores(bench.jobs, bench.artifacts, bench.outlook)
    ended = Attempt(Run(claim, 60), stores, bench.settings, Ears()).do(runner)
    assert ended.ending == "succeeded"
    assert runner.seen == {"region": (40, 30)}


@dataclass
class SceneRunner(ScriptedRunner):
    """Gives back latents where it is to, and notes where it stands."""

    places: list[Place] = field(default_factory=list)

    def run(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        on_step: OnStep,
        owner: str = "",
        source_id: str = "",
        *,
        on_preview: OnPreview = no_preview,
        place: Place = ALONE,
        masks: Masks = NO_MASKS,
        dropped: DroppedSeeds = none_dropped,
    ) -> RunOutput:
        self.places.append(place)
        made = super().run(request, source, on_step)
        latents = np.full((4, 16), 0.5, np.float16) if place.in_scene else None
        return replace(made, images=tuple(replace(image, latents=latents) for image in made.images))


def test_latents_of_a_scenes_steps_go_from_job_to_job(bench: Bench, redis: Redis) -> None:
    source = GeneratedSource(prompt="a room")
    scene = SceneStore(redis).create(new_id("scn"), TENANT, source, image_id=None, metadata={}, seconds=600)
    runner, stores = SceneRunner(), Stores(bench.jobs, bench.artifacts, bench.outlook)
    request = InsertionRequest(source=source, prompt="a dog", subject="dog", seeds=[1])

    def do(job: NewJob) -> JobRecord:
        bench.jobs.submit(job)
        claim = bench.reclaim()
        Attempt(Run(claim, 60), stores, bench.settings, Ears()).do(runner)
        return bench.jobs.get(job.id)

    place = ScenePlace(scene.id)
    one = do(NewJob(new_id("ins"), TENANT, MODEL, request, None, scene=place))
    assert one.result
    kept = bench.artifacts.get(made_latents_key(one.result.images[0].url, 0))
    two = NewJob(new_id("ins"), TENANT, MODEL, request, None, scene=place, parent_id=one.id)
    bench.artifacts.put(latents_key(TENANT, two.id), kept)
    do(two)
    do(NewJob(new_id("ins"), TENANT, MODEL, request, None, parent_id=one.id))
    first, second, variation = runner.places
    assert (first.in_scene, first.continues, first.latents) == (True, False, None)
    assert second.latents is not None
    assert (second.latents == np.float16(0.5)).all()
    assert (second.continues, variation.in_scene, variation.latents) == (True, False, None)


def test_stages_are_told_with_their_steps_where_somebody_traces(bench: Bench) -> None:
    claim, ears = bench.claim(), Ears()
    stores = Stores(bench.jobs, bench.artifacts, bench.outlook)
    Attempt(Run(claim, 60, traced=True), stores, bench.settings, ears).do(ScriptedRunner())
    stages = ["encode", "source", "localize", "denoise", "decode", "upload", "commit"]
    assert [lap.stage for lap in ears.laps] == stages
    steps = {lap.stage: [(step.stage, step.number) for step in lap.steps] for lap in ears.laps if lap.steps}
    assert steps == {"denoise": [("denoise", 1), ("denoise", 2)], "upload": [("upload", 0), ("upload", 1)]}
    untraced = Ears()
    bench.do(bench.claim(), untraced)
    assert untraced.laps == []


def test_a_stage_that_failed_is_told_as_far_as_it_came(bench: Bench) -> None:
    claim, ears = bench.claim("oom"), Ears()
    stores = Stores(bench.jobs, bench.artifacts, bench.outlook)
    assert (
        Attempt(Run(claim, 60, traced=True), stores, bench.settings, ears).do(ScriptedRunner()).fatal is False
    )
    assert [lap.stage for lap in ears.laps] == ["encode", "source", "denoise", "commit"]
    assert [step.number for step in ears.laps[2].steps] == [1]
