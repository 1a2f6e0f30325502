"""What a client gets: the job, its progress and its result."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp
from api_schemas.errors import JobError
from api_schemas.estimates import EtaSeconds
from api_schemas.insertions import InsertionRequest

JobStatus = Literal["queued", "running", "succeeded", "failed", "canceled", "expired"]
TERMINAL: frozenset[JobStatus] = frozenset({"succeeded", "failed", "canceled", "expired"})
Stage = Literal["encode", "source", "denoise", "localize", "decode", "upload"]
WarningCode = Literal["out_of_domain", "subject_not_found", "resized", "upscaled", "encoded_anew"]


class Progress(ResponseModel):
    """How far a running job is."""

    stage: Stage = Field(description="What is being done.")
    step: int = Field(ge=0, description="Steps of the stage done.")
    total: int = Field(ge=0, description="Steps of the stage.")
    percent: float = Field(ge=0, le=100, description="Of the whole job.")


class QueueState(ResponseModel):
    """Where a job stands that has not ended."""

    position: int = Field(
        ge=0,
        description="Jobs that start before this one, by all tenants' shares, were no more to come; 0 when "
        "running or next.",
    )
    eta_seconds: EtaSeconds | None = Field(
        default=None, description="Until it is done; null while nobody can tell, or its queue is paused."
    )


class ResultWarning(ResponseModel):
    """Something the caller should know about a result that is delivered all the same."""

    code: WarningCode = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")


class Try(ResponseModel):
    """One attempt at a variation."""

    seed: int = Field(description="Its seed.")
    extended_scale: float | None = Field(description="Its gamma; null for a schedule along the steps.")
    structure_transfer_step: int = Field(description="Where the target started.")
    added: bool = Field(description="Whether every subject was found in the picture.")
    missing: list[str] = Field(default=[], description="The subjects that were not.")


class SubjectResult(ResponseModel):
    """One of a variation's subjects."""

    subject: str = Field(description="In the words of `prompt`.")
    found: bool = Field(description="Whether it was located in the picture.")
    score: float | None = Field(default=None, description="The localizer's own confidence, 0..1.")
    box: list[int] | None = Field(
        default=None, description="Of its mask: left, top, right, bottom in pixels."
    )
    reason: str | None = Field(default=None, description="Why it was not found, if not.")


class ResultImage(ResponseModel):
    """One variation."""

    id: str | None = Field(
        default=None, description="`img_…`: the picture as an image of yours, as long as its job is kept."
    )
    seed: int = Field(description="Its seed.")
    url: str = Field(description="The picture, a signed link.")
    mask_url: str | None = Field(default=None, description="Where the subjects are, white on black.")
    attention_url: str | None = Field(default=None, description="The subject's attention map.")
    cutout_url: str | None = Field(default=None, description="The subject alone, on transparency.")
    overlay_url: str | None = Field(
        default=None, description="The picture with attention, mask, and what the segmenter was asked."
    )
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    subject_found: bool = Field(description="Whether every subject was located in the picture.")
    reason: str | None = Field(default=None, description="Why not, if not.")
    score: float | None = Field(
        default=None, description="The localizer's own confidence, 0..1; of several subjects the least."
    )
    confidence: float | None = Field(
        default=None, description="How sure all signs are that every subject was added, 0..1."
    )
    rank: int | None = Field(
        default=None,
        description="Among the variations: by subjects found, then by confidence; 1 is the surest.",
    )
    box: list[int] | None = Field(
        default=None, description="Around all subjects' masks: left, top, right, bottom in pixels."
    )
    subjects: list[SubjectResult] = Field(
        default=[], description="Each subject by itself, in the order of the request."
    )
    extended_scale: float | None = Field(description="The gamma used; null for a schedule along the steps.")
    tries: list[Try] = Field(default=[], description="With `if_not_added: retry`: every try, the first too.")
    background_psnr: float | None = Field(
        default=None, description="Outside the mask against the source, dB; null when identical."
    )


class DroppedSeed(ResponseModel):
    """A variation that was not finished, as `keep_best` allows or its caller wished."""

    seed: int = Field(description="Its seed.")
    score: float | None = Field(
        description="How much it promised when it was dropped, 0..1; null where its caller dropped it."
    )
    reason: str = Field(description="Why it was dropped.")


class Timings(ResponseModel):
    """Seconds per stage."""

    queue: float = Field(default=0.0, description="Waiting for a worker.")
    encode: float = Field(
        default=0.0, description="Prompts and the source picture, with its caption where none was given."
    )
    source: float = Field(default=0.0, description="Generating or inverting the source.")
    denoise: float = Field(default=0.0, description="The denoising steps.")
    localize: float = Field(default=0.0, description="Finding the subject's mask.")
    decode: float = Field(default=0.0, description="Latents to pictures.")
    upload: float = Field(default=0.0, description="Storing the pictures.")


class Cost(ResponseModel):
    """What the job cost."""

    forwards: float = Field(
        description="Full batch-1 transformer forwards, partial ones by their share of blocks."
    )
    gpu_seconds: float = Field(description="Seconds the engine was busy with it.")
    source_memory: Literal["hit", "miss", "none"] = Field(
        description="Whether the source was remembered from an earlier job."
    )
    blend: Literal["replayed", "recomputed"] | None = Field(
        default=None,
        description="Of a job that re-masks another: whether what was before the blend was remembered.",
    )
    stored_bytes: int = Field(default=0, description="Of the pictures that were stored.")
    source_memory_bytes: int = Field(default=0, description="Of its keys and values, remembered now.")


class Inferred(ResponseModel):
    """The texts that were worked with, where the request left some of them to the model."""

    source_prompt: str = Field(description="What the source shows.")
    prompt: str = Field(description="What the result was to show.")
    subject: str | list[str] = Field(
        description="The new object, in the words of `prompt`; a list where there are several."
    )


class InsertionResult(ResponseModel):
    """What a succeeded job made."""

    images: list[ResultImage] = Field(description="In the order of the seeds, without those dropped.")
    dropped: list[DroppedSeed] = Field(
        default=[], description="Seeds not finished: those that `keep_best` left out, or that you dropped."
    )
    source_url: str | None = Field(default=None, description="The source as worked on.")
    warnings: list[ResultWarning] = Field(default=[], description="What to know about it.")
    timings: Timings = Field(description="Seconds per stage.")
    cost: Cost = Field(description="What it cost.")
    inferred: Inferred | None = Field(
        default=None,
        description="The texts worked with, where some followed from the picture alone; null where `request` "
        "has them all. Send them, edited, to correct what was misunderstood.",
    )


class JobUrls(ResponseModel):
    """Where to go from here."""

    self: str = Field(description="The job.")
    events: str = Field(description="Its events, Server-Sent Events.")
    cancel: str = Field(description="Where to POST to stop it.")


class InsertionJob(ResponseModel):
    """An insertion, from submission to its end."""

    id: str = Field(description="`ins_…`.")
    object: Literal["insertion"] = Field(default="insertion", description="What this is.")
    status: JobStatus = Field(description="queued, running, or how it ended.")
    created_at: Timestamp = Field(description="When it was accepted.")
    started_at: Timestamp | None = Field(default=None, description="When a worker first started it.")
    completed_at: Timestamp | None = Field(default=None, description="When it ended.")
    progress: Progress | None = Field(default=None, description="How far it is while it runs.")
    queue: QueueState | None = Field(default=None, description="Where it stands until it ends.")
    attempts: int = Field(default=0, description="How often a worker started it.")
    model: str = Field(description="Which model does it.")
    request: InsertionRequest = Field(
        description="As understood, defaults filled in, prompts and subject as far as the sentences tell."
    )
    dropped_seeds: list[int] = Field(
        default=[], description="Seeds that you dropped; of those that ended before, the result tells."
    )
    result: InsertionResult | None = Field(default=None, description="What it made, if it succeeded.")
    error: JobError | None = Field(default=None, description="Why it failed, if it did.")
    urls: JobUrls = Field(description="Where to go from here.")
    parent_id: str | None = Field(default=None, description="The job this one varies or builds upon.")
    scene_id: str | None = Field(default=None, description="The scene that it is a step of.")
    metadata: dict[str, Any] = Field(default={}, description="Yours, as it came.")


class InsertionList(ResponseModel):
    """A page of a tenant's jobs, newest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[InsertionJob] = Field(description="The jobs.")
    next_cursor: str | None = Field(default=None, description="`cursor` of the next page; null on the last.")
