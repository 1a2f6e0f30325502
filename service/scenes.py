"""Steps of scenes: from a submission that names one to the job that builds upon it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from api_schemas.base import new_id
from api_schemas.estimates import Estimate
from api_schemas.insertions import (
    Extra,
    GeneratedSource,
    ImageRef,
    ImageSource,
    InsertionRequest,
    SceneSource,
)
from api_schemas.jobs import ResultImage
from api_schemas.scenes import FIRST
from job_store.artifacts import ArtifactMissing, made_latents_key
from job_store.errors import NotFound
from job_store.records import JobRecord, NewJob, ScenePlace
from job_store.result_images import result_image_id
from job_store.scenes import SceneRecord
from service.admission import accept, admit, check_webhook, choose_card, idempotency_of, without_masks
from service.errors import Refusal
from service.estimating import estimate
from service.gateway import Gateway
from service.own_files import own_latents, own_masks, own_picture
from service.problems import to_problem
from service.regions import check_areas
from service.resolve import resolve
from service.sources import take_masks
from service.submission import Submission

STANDING = ("queued", "running", "succeeded")
"""States of a step that a scene's head can be; it falls back to the step before any other."""


@dataclass(frozen=True)
class Ground:
    """What a step builds upon.

    step: the insertion, None for the first picture; seed: of its variation; source: it as any other source;
    key: artifact key of the picture, and size (width, height), unless it is generated; index: of the
    variation; model: that made it
    """

    source: ImageSource | GeneratedSource
    step: str | None = None
    seed: int | None = None
    key: str | None = None
    size: tuple[int, int] | None = None
    index: int = 0
    model: str | None = None


def admit_any(
    gateway: Gateway,
    tenant: str,
    submission: Submission,
    idempotency_key: str | None,
    traceparent: str | None,
) -> tuple[JobRecord, bool]:
    """`admission.admit`, or a step of the scene that is named. Raises `Refusal` and `StoreError`."""
    source = submission.request.source
    if not isinstance(source, SceneSource):
        return admit(gateway, tenant, submission, idempotency_key, traceparent)
    idempotency = idempotency_of(idempotency_key, submission.fingerprint)
    # Asked first: the head that a repeated submission means is not the present one.
    earlier = gateway.store.replayed(tenant, idempotency) if idempotency else None
    if earlier is not None:
        return earlier, False
    scene = named_scene(gateway, tenant, source)
    card = choose_card(gateway, submission.request.model)
    check_webhook(submission.request, gateway.settings.allow_loopback_egress)
    ground = find_ground(gateway, scene, source)
    asked = buildable(replace(submission, request=opened(submission.request, ground)))
    request = resolve(asked.request, card, ground.size, lambda: secrets.randbelow(2**32))
    if not request.options.blend_steps:
        raise Refusal(
            "unsupported_option", "A scene is built of edits that blend.", data={"option": "blend_steps"}
        )
    check_areas(request, ground.size)
    masks = take_masks(gateway, tenant, asked)
    job_id = new_id("ins")
    own_masks(gateway, tenant, job_id, masks)
    job = NewJob(
        id=job_id,
        tenant=tenant,
        model=card.name,
        request=without_masks(request, masks),
        source_key=_own_picture(gateway, tenant, ground, job_id, card.name),
        traceparent=traceparent,
        parent_id=ground.step,
        source_id=_source_id(tenant, card.name, scene, ground, request),
        scene=ScenePlace(scene.id, ground.seed),
    )
    return accept(gateway, job, idempotency)


def estimate_any(
    gateway: Gateway, tenant: str, submission: Submission, scope: Mapping[str, object]
) -> Estimate:
    """`estimating.estimate`, also of a step of a scene. Raises `StoreError`."""
    source = submission.request.source
    if not isinstance(source, SceneSource):
        return estimate(gateway, tenant, submission, scope)
    try:
        scene = named_scene(gateway, tenant, source)
        ground = find_ground(gateway, scene, source)
        submission = buildable(replace(submission, request=opened(submission.request, ground)))
    except Refusal as refusal:
        return Estimate(accepted=False, problem=to_problem(refusal, scope))

    def source_id(request: InsertionRequest, model: str) -> str:
        return _source_id(tenant, model, scene, ground, request)

    return estimate(gateway, tenant, submission, scope, source_id)


def named_scene(gateway: Gateway, tenant: str, source: SceneSource) -> SceneRecord:
    """Raises `Refusal` source_unavailable."""
    try:
        return gateway.scenes.get(source.scene_id, tenant)
    except NotFound:
        raise Refusal("source_unavailable", f"There is no scene {source.scene_id!r}.") from None


def opened(request: InsertionRequest, ground: Ground) -> InsertionRequest:
    """The request with what its step shows in place of the scene."""
    source, told = ground.source, request.source.prompt
    return request.model_copy(
        update={"source": source.model_copy(update={"prompt": told}) if told else source}
    )


def buildable(submission: Submission) -> Submission:
    """The submission with the settings that a scene needs. Raises `Refusal` unsupported_option for others."""
    request = submission.request
    if request.options.strict_background is False:
        text = "A scene is built of edits with a strict background."
        raise Refusal("unsupported_option", text, data={"option": "strict_background"})
    if request.output.format != "png":
        text = "The pictures of a scene are PNG: others would not keep what is untouched."
        raise Refusal("unsupported_option", text, data={"option": "output.format"})
    needed: list[Extra] = ["mask", "cutout"]
    needed += ["source"] if isinstance(request.source, GeneratedSource) else []
    include = list(dict.fromkeys([*request.output.include, *needed]))
    changes = {
        "options": request.options.model_copy(update={"strict_background": True}),
        "output": request.output.model_copy(update={"include": include}),
    }
    return replace(submission, request=request.model_copy(update=changes))


def find_ground(gateway: Gateway, scene: SceneRecord, source: SceneSource) -> Ground:
    """What a submission builds upon. Raises `Refusal`: wrong_state, source_unavailable."""
    step, seed = source.step, source.seed
    if step is None:
        step, chosen = standing_head(gateway, scene)
        seed = chosen if seed is None else seed
    elif step == FIRST:
        step = None
    return _first(gateway, scene) if step is None else _upon(gateway, scene, step, seed)


def standing_head(gateway: Gateway, scene: SceneRecord) -> tuple[str | None, int | None]:
    """(the head or the nearest step before it that did not fail, its chosen seed)."""
    way = scene.way_to(scene.head)
    records = dict(zip(way, gateway.store.find(way), strict=True))
    for step in reversed(way):
        record = records[step]
        if record is not None and record.status in STANDING:
            return step, scene.head_seed if step == scene.head else None
    return None, None


def _first(gateway: Gateway, scene: SceneRecord) -> Ground:
    if scene.image_id is None:
        return Ground(scene.source)
    try:
        image = gateway.images.get(scene.image_id, scene.tenant)
    except NotFound:
        raise Refusal("source_unavailable", "The scene's first picture is gone.") from None
    return Ground(scene.source, key=image.key, size=(image.width, image.height))


def _upon(gateway: Gateway, scene: SceneRecord, step: str, seed: int | None) -> Ground:
    try:
        scene.step(step)
        record = gateway.store.get(step, scene.tenant)
    except NotFound:
        raise Refusal("source_unavailable", f"The scene has no step {step!r}.") from None
    if record.status != "succeeded" or record.result is None:
        raise Refusal("wrong_state", f"Not now: the step {step} is {record.status}; give another, or wait.")
    index, image = variation(record, seed)
    prompt = record.result.inferred.prompt if record.result.inferred else record.request.prompt
    source = ImageSource(image=ImageRef(id=result_image_id(step, index)), prompt=prompt)
    size = (image.width, image.height)
    return Ground(source, step, image.seed, image.url, size, index, record.model)


def variation(record: JobRecord, seed: int | None) -> tuple[int, ResultImage]:
    """(index, picture) of a succeeded step's variation, the surest without a seed.

    Raises `Refusal` source_unavailable.
    """
    assert record.result is not None
    images = list(enumerate(record.result.images))
    if seed is None:
        return min(images, key=lambda one: one[1].rank or len(images))
    for index, image in images:
        if image.seed == seed:
            return index, image
    raise Refusal("source_unavailable", f"The step {record.id} has no variation of the seed {seed}.")


def _own_picture(gateway: Gateway, tenant: str, ground: Ground, job_id: str, model: str) -> str | None:
    """Where the job finds its picture: that of a step, and the latents it was made as, it owns a copy of.

    Latents mean something to the model that made them alone.
    """
    if ground.step is None or ground.key is None:
        return ground.key
    try:
        picture = gateway.artifacts.get(ground.key)
    except ArtifactMissing:
        raise Refusal("source_unavailable", f"The picture of the step {ground.step} is gone.") from None
    key = own_picture(gateway, tenant, job_id, picture)
    if ground.model == model:
        own_latents(gateway, tenant, job_id, made_latents_key(ground.key, ground.index))
    return key


def _source_id(tenant: str, model: str, scene: SceneRecord, ground: Ground, request: InsertionRequest) -> str:
    """The same for all branches from one variation of one step."""
    where = f"{scene.id} {ground.step} {ground.seed}"
    return sha256(f"{tenant} {model} {where} {request.source.prompt}".encode()).hexdigest()[:32]
