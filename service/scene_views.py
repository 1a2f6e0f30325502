"""How scenes are answered: the record with what became of its steps, and links."""

from __future__ import annotations

from collections.abc import Mapping

from api_schemas.jobs import ResultImage
from api_schemas.scenes import FIRST, Scene, SceneHead, SceneImage, SceneStep
from job_store.errors import NotFound
from job_store.records import JobRecord
from job_store.result_images import result_image_id
from job_store.scenes import SceneRecord, StepRecord
from service.gateway import Gateway
from service.scenes import standing_head, variation

Jobs = Mapping[str, JobRecord | None]


def scene_body(gateway: Gateway, scene: SceneRecord) -> Scene:
    """The scene as its tenant sees it."""
    ids = [step.id for step in scene.steps]
    jobs = dict(zip(ids, gateway.store.find(ids), strict=True))
    image_id, url = _first_picture(gateway, scene, jobs)
    step, seed = standing_head(gateway, scene)
    return Scene(
        id=scene.id,
        created_at=scene.created_at,
        updated_at=scene.updated_at,
        expires_at=scene.expires_at,
        source=scene.source,
        image_id=image_id,
        url=url,
        head=_head(gateway, jobs, step, seed, (image_id, url)),
        history=scene.way_to(step),
        steps=[_step(gateway, one, jobs[one.id]) for one in scene.steps],
        metadata=scene.metadata,
    )


def _first_picture(gateway: Gateway, scene: SceneRecord, jobs: Jobs) -> tuple[str | None, str | None]:
    """(id, link) of the first picture; a generated one is that of the steps upon it, and has no id."""
    if scene.image_id is not None:
        try:
            image = gateway.images.get(scene.image_id, scene.tenant)
        except NotFound:
            return None, None
        return image.id, gateway.links.artifact(image.key)
    made = (jobs[step.id] for step in scene.steps if step.parent is None)
    keys = (job.result.source_url for job in made if job is not None and job.result is not None)
    key = next((key for key in keys if key is not None), None)
    return None, gateway.links.artifact(key) if key else None


def _head(
    gateway: Gateway, jobs: Jobs, step: str | None, seed: int | None, first: tuple[str | None, str | None]
) -> SceneHead:
    job = jobs.get(step) if step else None
    if step is None or job is None:
        return SceneHead(step=FIRST, seed=None, image_id=first[0], url=first[1])
    if job.result is None:
        return SceneHead(step=step, seed=seed, image_id=None, url=None)
    index, image = variation(job, seed)
    link = gateway.links.artifact(image.url)
    return SceneHead(step=step, seed=image.seed, image_id=result_image_id(step, index), url=link)


def _step(gateway: Gateway, step: StepRecord, job: JobRecord | None) -> SceneStep:
    told = {"id": step.id, "parent": step.parent or FIRST, "parent_seed": step.parent_seed}
    if job is None:
        return SceneStep.model_validate({**told, "status": "deleted"})
    inferred = job.result.inferred if job.result else None
    images = enumerate(job.result.images if job.result else ())
    return SceneStep.model_validate(
        {
            **told,
            "status": job.status,
            "prompt": inferred.prompt if inferred else job.request.prompt,
            "subject": inferred.subject if inferred else job.request.subject,
            "images": [_image(gateway, job.id, index, image) for index, image in images],
        }
    )


def _image(gateway: Gateway, job_id: str, index: int, image: ResultImage) -> SceneImage:
    link = gateway.links.artifact
    return SceneImage(
        id=result_image_id(job_id, index),
        seed=image.seed,
        url=link(image.url),
        cutout_url=link(image.cutout_url) if image.cutout_url else None,
        mask_url=link(image.mask_url) if image.mask_url else None,
        subject_found=image.subject_found,
        rank=image.rank,
    )
