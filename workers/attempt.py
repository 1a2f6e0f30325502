"""One attempt at one record: run the model, store the pictures, end the record once. Knows no pipe and no RQ.

Every write carries the attempt's token. When the store refuses it, another attempt owns the record: this one
removes its own pictures and says nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

import structlog
from PIL import Image

from api_schemas.errors import JobError
from api_schemas.events import Preview
from api_schemas.insertions import masks_of
from api_schemas.jobs import InsertionResult, Progress, ResultImage, Stage
from job_store.artifacts import (
    ArtifactError,
    ArtifactMissing,
    ArtifactStore,
    StorageUnavailable,
    attempt_key,
    job_prefix,
    latents_key,
    made_latents_name,
    mask_key,
)
from job_store.errors import StaleToken, StoreUnavailable
from job_store.jobs import JobStore
from job_store.outlook import Outlook, shape_of
from runtime.content_credentials import Credentials
from runtime.moderation import Asked, Moderator, ModeratorUnavailable
from runtime.settings import Settings
from runtime.telemetry import following
from workers.addit.stage_clock import StageClock, heard_laps, seconds_away
from workers.failures import TOO_LATE, explain, let_go, where
from workers.laps import Laps
from workers.latent_files import pack, unpack
from workers.messages import Ended, Ending, Lap, Run, StopReason
from workers.outage import keep_trying
from workers.pictures import SUFFIX, Picture, decode, encode, made_by, pictures
from workers.runner import Latents, NothingLeft, Place, PreviewImage, Runner, RunOutput
from workers.sealing import sealed

COMMIT_SECONDS = 120.0  # a finished result is worth waiting for the store; by then the lease decides
STORAGE_SECONDS = 15.0  # tries of one picture; then another worker may reach the storage
MODERATOR_SECONDS = 15.0  # one that is restarted costs no result
QUIET_SECONDS = 5.0  # without progress reports after one failed: the model does not wait for the store

log = structlog.get_logger()
Value = TypeVar("Value")


Made: TypeAlias = RunOutput | Exception
"""What a run gave, or raised."""


class Interrupted(Exception):
    """Leaves a run through `on_step`; never leaves the attempt."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Ears(Protocol):
    """How the outside reaches a running attempt, and how it knows that the attempt is alive."""

    def stopped(self, token: str) -> StopReason | None:
        """Why the attempt is to stop, if it is."""

    def dropped(self, token: str) -> frozenset[int]:
        """The seeds that it is to go on without, beside those it began without."""

    def beat(self, token: str) -> None:
        """It has got one step further."""

    def lap(self, lap: Lap) -> None:
        """One of its stages has ended."""

    def room(self, token: str, rows: int) -> None:
        """Another of so many seeds at most is better done at once with it."""


@dataclass(frozen=True)
class Stores:
    """Where records and pictures live; what signs and who judges pictures, if anything and anybody."""

    jobs: JobStore
    artifacts: ArtifactStore
    outlook: Outlook
    credentials: Credentials | None = None
    moderator: Moderator | None = None


@dataclass(frozen=True)
class Given:
    """What a run is given beside its request."""

    source: Image.Image | None
    masks: Mapping[str, Image.Image]
    place: Place


class Attempt:
    """`do` it once. Times are monotonic seconds: this machine's clock may be wrong."""

    def __init__(self, run: Run, stores: Stores, settings: Settings, ears: Ears) -> None:
        self._record, self._token, self._seat = run.claim.record, run.claim.token, run.seat
        self._began = time.monotonic()
        self._ends_at = self._began + run.seconds
        self._stores, self._settings, self._ears = stores, settings, ears
        self._last: Progress | None = None
        self._quiet_until = 0.0
        self._denoise_steps = 0
        self._stored_bytes = 0
        self._laps = Laps(self._token, ears.lap if run.traced else None)
        self._source: bytes | None = None
        self._max_pixels = 0  # of the model, known once it runs
        self._given: Given | Exception | None = None
        self._away = 0.0  # seconds in which others had the model
        self._log = log.bind(job_id=self._record.id, attempt=self._record.attempts)

    @property
    def token(self) -> str:
        """What it proves itself with."""
        return self._token

    def do(self, runner: Runner) -> Ended:
        """Run, store, end; whatever happens comes back as an `Ended`."""
        return self.end(self.run(runner))

    def fetch(self) -> None:
        """Read what the run is given: ahead of it, by any thread, or else it does so itself."""
        with self._heard():
            try:
                self._given = self._read()
            except Exception as error:
                self._given = error

    def run(self, runner: Runner) -> Made:
        """What needs the model."""
        if self._given is None:
            self.fetch()
        given, self._given = self._given, None
        if not isinstance(given, Given):
            assert given is not None
            return given
        with self._heard():
            try:
                return self._insert(runner, given)
            except Exception as error:
                let_go(error)
                return error
            finally:
                self._away = seconds_away()

    def end(self, made: Made) -> Ended:
        """The rest, by any thread, whatever the model does meanwhile."""
        with self._heard():
            return self._end_with(made)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        with following(self._record.traceparent), heard_laps(self._laps.end):
            yield

    def _end_with(self, made: Made) -> Ended:
        try:
            if isinstance(made, Exception):
                raise made
            result = self._upload(made)
        except Interrupted as interruption:
            return Ended(self._token, self._stop(interruption.reason))
        except NothingLeft:
            return Ended(self._token, self._stop("canceled"))
        except Exception as error:
            return self._fail(error)
        ending = self._commit(result)
        if ending == "succeeded":
            self._note_pace(result)
            self._clear()
        return Ended(self._token, ending)

    def _note_pace(self, result: InsertionResult) -> None:
        """Tell how fast it was, for estimates. Nothing hangs on it."""
        first = result.images[0]
        with suppress(StoreUnavailable):
            shape = shape_of(first.width, first.height, self._max_pixels)
            seconds = time.monotonic() - self._began - self._away
            self._stores.outlook.note(self._record.model, shape, result.cost.forwards, seconds)

    def _insert(self, runner: Runner, given: Given) -> RunOutput:
        record, self._max_pixels = self._record, runner.card.max_pixels
        if runner.sharing is not None and self._seat != "alone":
            self._ears.room(self._token, runner.sharing.rows_beside(record.request, given.source))
        return runner.run(
            record.request,
            given.source,
            self._on_step,
            record.tenant,
            record.source_id,
            masks=given.masks,
            on_preview=self._on_preview,
            place=given.place,
            dropped=self._dropped,
        )

    def _read(self) -> Given:
        source_key = self._record.source_key
        self._source = self._get(source_key) if source_key else None
        source = decode(self._source) if self._source else None
        return Given(source, self._masks(), self._place())

    def _dropped(self) -> frozenset[int]:
        return self._ears.dropped(self._token).union(self._record.dropped_seeds)

    def _masks(self) -> dict[str, Image.Image]:
        record, fields = self._record, masks_of(self._record.request)
        return {name: decode(self._get(mask_key(record.tenant, record.id, name))) for name in fields}

    def _place(self) -> Place:
        """Among the runs whose blend states are kept."""
        record, mask = self._record, None
        if record.replay == "mask":
            mask = decode(self._get(mask_key(record.tenant, record.id, "mask")))
        return Place(
            record.id,
            (record.parent_id or "") if record.replay else "",
            mask,
            in_scene=record.scene_id is not None,
            continues=record.scene_id is not None and record.parent_id is not None,
            latents=self._latents(),
        )

    def _latents(self) -> Latents | None:
        """Those that the source was made as, of a scene's step or what varies one."""
        record = self._record
        if record.parent_id is None:
            return None
        with suppress(ArtifactMissing):
            return unpack(self._get(latents_key(record.tenant, record.id)))
        return None

    def _on_preview(self, shown: PreviewImage) -> None:
        """Store and tell. A preview that cannot be stored or told is left out, and all that nobody judged."""
        if self._stores.moderator is not None:
            return
        wanted = self._record.request.output.format
        key = self._key(f"preview-{shown.index}-{shown.number}.{SUFFIX[wanted]}")
        fields = {"number": shown.number, "index": shown.index, "seed": shown.seed, "step": shown.step}
        try:
            self._stores.artifacts.put(key, encode(shown.image, wanted, made_by(self._record.request)))
            preview = Preview.model_validate({**fields, "url": key})
            self._stores.jobs.show(self._record.id, self._token, preview)
        except StaleToken:
            raise Interrupted("superseded") from None
        except (StoreUnavailable, ArtifactError):
            self._log.warning("a preview was left out")

    def _on_step(self, stage: Stage, step: int, total: int, percent: float) -> None:
        self._ears.beat(self._token)
        self._denoise_steps += stage == "denoise"
        self._laps.step(stage, step, total)
        reason = self._ears.stopped(self._token)
        if reason is None and time.monotonic() > self._ends_at:
            reason = "deadline"
        if reason is not None:
            raise Interrupted(reason)
        self._report(Progress(stage=stage, step=step, total=total, percent=percent))

    def _report(self, progress: Progress) -> None:
        if progress == self._last or time.monotonic() < self._quiet_until:
            return
        try:
            self._stores.jobs.report(self._record.id, self._token, progress)
            self._last = progress
        except StaleToken:
            raise Interrupted("superseded") from None
        except StoreUnavailable:
            self._quiet_until = time.monotonic() + QUIET_SECONDS

    def _upload(self, output: RunOutput) -> InsertionResult:
        clock, keys = StageClock(), dict[tuple[int | None, str], str]()
        request, credentials = self._record.request, self._stores.credentials
        with clock("upload"):
            made = pictures(output, request.output, made_by(request))
            for done, picture in enumerate(self._judged(made)):
                self._on_step("upload", done, done + 1, self._last.percent if self._last else 0.0)
                data = sealed(picture, credentials, self._source)
                keys[picture.index, picture.field] = self._put(picture.name, data)
            for index, image in enumerate(output.images):
                if image.latents is not None:
                    self._put(made_latents_name(index), pack(image.latents))
        return self._result(output, keys, clock.seconds["upload"])

    def _judged(self, made: Iterable[Picture]) -> Iterable[Picture]:
        """The pictures, once all results among them may pass. Raises ModerationError."""
        moderator, record = self._stores.moderator, self._record
        if moderator is None:
            return made
        request, found = record.request, list(made)
        asked = Asked(
            record.id, record.tenant, record.model, request.prompt, request.subject, request.source.prompt
        )
        for picture in found:
            if picture.field == "url":
                judge = partial(moderator.judge_result, asked, picture.data, f"image/{picture.format}")
                keep_trying(judge, ModeratorUnavailable, MODERATOR_SECONDS, self._beat)
        return found

    def _get(self, key: str) -> bytes:
        artifacts = self._stores.artifacts
        return keep_trying(lambda: artifacts.get(key), StorageUnavailable, STORAGE_SECONDS, self._beat)

    def _put(self, name: str, data: bytes) -> str:
        key, artifacts = self._key(name), self._stores.artifacts
        self._stored_bytes += len(data)
        keep_trying(lambda: artifacts.put(key, data), StorageUnavailable, STORAGE_SECONDS, self._beat)
        return key

    def _result(
        self, output: RunOutput, keys: dict[tuple[int | None, str], str], upload_seconds: float
    ) -> InsertionResult:
        record = self._record
        queue_seconds = (record.started_at - record.created_at).total_seconds() if record.started_at else 0.0
        return InsertionResult(
            images=[
                ResultImage.model_validate(
                    {
                        **image.fields,
                        **{field: key for (of, field), key in keys.items() if of == index},
                        "width": image.image.width,
                        "height": image.image.height,
                    }
                )
                for index, image in enumerate(output.images)
            ],
            source_url=keys.get((None, "source_url")),
            dropped=list(output.dropped),
            warnings=list(output.warnings),
            timings=output.timings.model_copy(update={"queue": queue_seconds, "upload": upload_seconds}),
            cost=output.cost.model_copy(update={"stored_bytes": self._stored_bytes}),
            inferred=output.inferred,
        )

    def _commit(self, result: InsertionResult) -> Ending:
        record, steps = self._record, self._denoise_steps
        return self._end(lambda: self._stores.jobs.commit(record.id, self._token, result, steps), "succeeded")

    def _stop(self, reason: StopReason) -> Ending:
        self._discard()
        if reason == "deadline":
            return self._end_failed(TOO_LATE)
        if reason == "canceled":
            return self._end(lambda: self._stores.jobs.canceled(self._record.id, self._token), "canceled")
        self._log.warning("attempt superseded")
        return "superseded"

    def _fail(self, error: Exception) -> Ended:
        failure = explain(error)
        self._discard()
        code = failure.error.code
        self._log.error("attempt failed", code=code, error=where(error, self._settings.log_prompts))
        if failure.elsewhere and self._record.crashes + 1 < self._settings.max_crashes:
            return Ended(self._token, "crashed", failure.fatal, failure.doubtful)
        return Ended(self._token, self._end_failed(failure.error), failure.fatal, failure.doubtful)

    def _end_failed(self, error: JobError) -> Ending:
        return self._end(lambda: self._stores.jobs.fail(self._record.id, self._token, error), "failed")

    def _end(self, transition: Callable[[], None], ending: Ending) -> Ending:
        """Move the record to its end, waiting out an outage of the store."""

        def wait() -> None:
            self._log.warning("waiting for the store", ending=ending)
            self._beat()

        try:
            with StageClock()("commit"):
                keep_trying(transition, StoreUnavailable, COMMIT_SECONDS, wait)
        except StoreUnavailable:
            self._log.error("record not ended: no store", ending=ending)
            return "crashed"
        except StaleToken:
            self._log.warning("refused: another attempt owns the record", ending=ending)
            self._discard()
            return "superseded"
        self._log.info("attempt ended", ending=ending)
        return ending

    def _discard(self) -> None:
        """Remove this attempt's pictures; what cannot be removed now is left to the reconciler."""
        try:
            self._stores.artifacts.delete(self._key(""))
        except ArtifactError:
            self._log.warning("pictures of an attempt left behind")
            with suppress(StoreUnavailable):  # else they go with the job
                self._stores.jobs.purge_later(self._key(""))

    def _clear(self) -> None:
        """Remove what earlier attempts left that were killed with their supervisors. One that yet lives is
        refused when it commits, and removes its own."""
        if self._record.attempts == 1:
            return
        prefix = job_prefix(self._record.tenant, self._record.id)
        with suppress(ArtifactError):
            names = (key.removeprefix(prefix).split("/") for key in self._stores.artifacts.keys(prefix))
            for token in {name[0] for name in names if len(name) > 1} - {self._token}:
                self._stores.artifacts.delete(f"{prefix}{token}/")

    def _key(self, name: str) -> str:
        return attempt_key(self._record.tenant, self._record.id, self._token, name)

    def _beat(self) -> None:
        self._ears.beat(self._token)
