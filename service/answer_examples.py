"""An example of every answer, as the API's description shows them: built of the models, so that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, HttpUrl

from api_schemas import admin, webhooks
from api_schemas.batches import Batch, BatchCounts, BatchList, BatchResult
from api_schemas.errors import Problem
from api_schemas.estimates import Estimate, EstimatedCost, EtaSeconds
from api_schemas.events import JobEvent
from api_schemas.health import Health
from api_schemas.image_edits import (
    EditedImage,
    ImageEditCompleted,
    ImageEditPartial,
    ImageEditResponse,
    OpenAIError,
    OpenAIErrorBody,
)
from api_schemas.images import ImageAsset
from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Options, WebhookTarget
from api_schemas.jobs import (
    Cost,
    InsertionJob,
    InsertionList,
    InsertionResult,
    JobUrls,
    QueueState,
    ResultImage,
    Timings,
)
from api_schemas.keys import KeyInfo, KeyList, NewKey
from api_schemas.models import ModelCard, ModelList
from api_schemas.scenes import Scene, SceneHead, SceneImage, SceneList, SceneStep
from api_schemas.usage import UsageOfDay, UsageReport

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = AT + timedelta(seconds=4)
NEXT_DAY = AT + timedelta(days=1)
HOST = "https://addit.example.com"
JOB, IMAGE, SCENE, ENDPOINT = "ins_9a3b1c", "img_4f0c2d", "scn_7be0a1", "we_51c2d9"
MESSAGE, BATCH, WORKER = f"msg_{JOB}", "bat_0d4e66", "worker_b2f1"
PNG = "iVBORw0KGgo="


def link(name: str) -> str:
    """A signed link, as it looks."""
    return f"{HOST}/v1/artifacts/t/acme/j/{JOB}/{name}.png?expires=1769867200&signature=5f1d"


request = InsertionRequest(
    source=ImageSource(image=ImageRef(id=IMAGE), prompt="a photo of a bed in a dark room"),
    prompt="a photo of a dog lying on a bed in a dark room",
    subject="dog",
    preset="paper-real",
    seeds=[1],
    model="flux-dev",
    webhook=WebhookTarget(url=HttpUrl("https://example.com/hooks/addit")),
    metadata={"order": "4711"},
)
urls = JobUrls(
    self=f"{HOST}/v1/insertions/{JOB}",
    events=f"{HOST}/v1/insertions/{JOB}/events",
    cancel=f"{HOST}/v1/insertions/{JOB}/cancel",
)
picture = ResultImage(
    id=IMAGE, seed=1, url=link("0"), mask_url=link("0-mask"), width=1024, height=768, subject_found=True,
    score=0.93, confidence=0.9, rank=1, box=[412, 300, 660, 590], extended_scale=1.05, background_psnr=41.2,
)  # fmt: skip
queued = InsertionJob(
    id=JOB,
    status="queued",
    created_at=AT,
    queue=QueueState(position=2, eta_seconds=EtaSeconds(p50=3.1, p90=4.0)),
    model="flux-dev",
    request=request,
    urls=urls,
    metadata=request.metadata,
)
succeeded = queued.model_copy(
    update={
        "status": "succeeded",
        "started_at": AT,
        "completed_at": LATER,
        "queue": None,
        "attempts": 1,
        "result": InsertionResult(
            images=[picture],
            timings=Timings(queue=0.01, encode=0.1, denoise=2.0, localize=0.1, decode=0.1),
            cost=Cost(forwards=46, gpu_seconds=2.3, source_memory="hit"),
        ),
    }
)
batch = Batch(
    id=BATCH,
    status="completed",
    created_at=AT,
    expires_at=NEXT_DAY,
    counts=BatchCounts(
        total=2, refused=1, left=0, queued=0, running=0, succeeded=1, failed=0, canceled=0, expired=0,
        deleted=0,
    ),
    results_url=f"{HOST}/v1/batches/{BATCH}/results",
)  # fmt: skip
scene = Scene(
    id=SCENE,
    created_at=AT,
    updated_at=LATER,
    expires_at=NEXT_DAY,
    source=ImageSource(image=ImageRef(id=IMAGE), prompt="a photo of a bed in a dark room"),
    image_id=IMAGE,
    url=link("first"),
    head=SceneHead(step=JOB, seed=1, image_id=f"{IMAGE}1", url=link("0")),
    history=[JOB],
    steps=[
        SceneStep(
            id=JOB,
            parent="first",
            parent_seed=None,
            status="succeeded",
            prompt=request.prompt,
            subject="dog",
            images=[
                SceneImage(
                    id=f"{IMAGE}1", seed=1, url=link("0"), cutout_url=link("0-cutout"),
                    mask_url=link("0-mask"), subject_found=True, rank=1,
                )
            ],
        )
    ],
    metadata={},
)  # fmt: skip
endpoint = webhooks.WebhookEndpoint(
    id=ENDPOINT, url="https://example.com/hooks/addit", events=["insertion.succeeded", "insertion.failed"],
    description="orders", enabled=True, created_at=AT,
)  # fmt: skip
delivery = webhooks.WebhookDelivery(
    id=MESSAGE,
    endpoint_id=ENDPOINT,
    event="insertion.succeeded",
    resource_id=JOB,
    status="delivered",
    created_at=LATER,
    attempts=[webhooks.WebhookAttempt(at=LATER, status=204, duration_ms=35)],
)
problem = Problem(
    title="Unprocessable Entity",
    status=422,
    code="unknown_words",
    detail="This model does not know: zebra.",
    data={"unknown": ["zebra"]},
    request_id="req_0f9a31",
)
card = ModelCard(
    name="flux-dev",
    description="FLUX.1-dev with SAM-2.",
    licence="FLUX.1 [dev] Non-Commercial License",
    native_width=1024,
    native_height=1024,
    size_multiple=16,
    max_pixels=2**21,
    max_aspect=3,
    presets={"paper-real": Options(num_inference_steps=30, guidance_scale=3.5, extended_scale=1.05)},
    default_presets={"image": "paper-real", "generated": "paper-generated"},
    localizers=["attention_points_sam"],
    max_prompt_tokens=512,
)
tenant = admin.TenantState(
    name="acme",
    limits=admin.TenantLimits(
        weight=2, max_running=4, max_queued=5000, per_minute=6000, max_retain_seconds=2592000
    ),
    own=["max_running", "weight"],
    queued=3,
    running=1,
)
queue = admin.QueueInfo(model="flux-dev", paused=False, queued=3, claimable=3, workers=2)
purge = admin.TenantPurge(tenant="acme", jobs=41, stopping=1, scenes=2, batches=0, images=7, keys=0)
tier = admin.SourceTier(tier="device", held_bytes=1_610_612_736, most_bytes=2_147_483_648)
worker = admin.WorkerInfo(
    name=WORKER, model="flux-dev", state="ready", drained=False, started_at=AT, last_ok=LATER,
    memory_used_bytes=38_654_705_664, memory_total_bytes=85_899_345_920, resident_bytes=4_294_967_296,
    sources=3, source_memory=[tier],
)  # fmt: skip
dead = admin.JobInfo(
    id=JOB, tenant="acme", model="flux-dev", status="failed", created_at=AT, completed_at=LATER, attempts=2,
    crashes=2, parent_id=None,
)  # fmt: skip
act = admin.ActInfo(
    at=AT,
    by="key 5e884898",
    what="set_limits",
    to="acme",
    before={"max_running": 2},
    after={"max_running": 4},
)
key = KeyInfo(
    id="0123456789ab",
    tenant="acme",
    name="shop",
    scopes=["insertions:read", "insertions:write"],
    created_at=AT,
    last_used_at=LATER,
    expires_at=None,
)
edited = {
    "b64_json": PNG,
    "image_index": 0,
    "created_at": 1769860804,
    "output_format": "png",
    "size": "1024x768",
}

ANSWERS: tuple[BaseModel, ...] = (
    succeeded,
    InsertionList(data=[succeeded], next_cursor="1769860800000000"),
    JobEvent(
        id="1769860802000-0",
        type="progress",
        at=AT,
        data={"stage": "denoise", "step": 12, "total": 30, "percent": 41.0},
    ),
    batch,
    BatchList(data=[batch]),
    BatchResult(line=2, problem=problem),
    Estimate(
        accepted=True,
        request=request,
        inferred=["subject"],
        cost=EstimatedCost(forwards=46, forwards_remembered=29, forwards_at_most=46),
        source_remembered=True,
        workers=2,
        jobs_before=3,
        eta_seconds=EtaSeconds(p50=3.1, p90=4.0),
    ),
    ImageAsset(
        id=IMAGE, created_at=AT, expires_at=NEXT_DAY, width=1024, height=768, sha256="9f86d081884c7d65",
        url=link("first"),
    ),
    ImageEditResponse(
        created=1769860804,
        data=[EditedImage(b64_json=PNG, revised_prompt=request.prompt)],
        output_format="png",
        size="1024x768",
    ),
    ImageEditPartial.model_validate({**edited, "partial_image_index": 0}),
    ImageEditCompleted.model_validate(edited),
    OpenAIError(
        error=OpenAIErrorBody(
            message="give exactly one picture",
            type="invalid_request_error",
            code="invalid_request",
            param="image",
        )
    ),
    ModelList(data=[card]),
    scene,
    SceneList(data=[scene]),
    UsageReport(
        since=date(2026, 1, 2),
        until=date(2026, 1, 31),
        data=[
            UsageOfDay(
                day=date(2026, 1, 31), succeeded=12, failed=1, canceled=0, expired=0, gpu_seconds=31.7,
                stored_bytes=9_437_184,
            )
        ],
    ),
    endpoint,
    webhooks.WebhookEndpointWithSecret(
        **endpoint.model_dump(),
        secret="whsec_bm90IGEgcmVhbCBzZWNyZXQ=",  # nosec B106 # "not a real secret"
    ),
    webhooks.WebhookEndpointList(data=[endpoint]),
    delivery,
    webhooks.WebhookDeliveryList(data=[delivery]),
    webhooks.Replayed(count=3),
    webhooks.WebhookBody(type="insertion.succeeded", timestamp=LATER, data=succeeded),
    webhooks.EndpointDisabledBody(type="webhook_endpoint.disabled", timestamp=LATER, data=endpoint),
    webhooks.EndpointTestBody(
        type="webhook_endpoint.test", timestamp=LATER, data=webhooks.TestData(endpoint_id=ENDPOINT)
    ),
    tenant,
    admin.TenantList(data=[tenant]),
    queue,
    admin.QueueList(data=[queue]),
    purge,
    admin.QueuePurge(model="flux-dev", canceled=3),
    tier,
    worker,
    admin.WorkerList(data=[worker]),
    dead,
    admin.DeadLetterList(data=[dead]),
    admin.ActList(data=[act]),
    key,
    KeyList(data=[key]),
    NewKey(**key.model_dump(), key="addit_0123456789ab_…"),
    Health(status="ready", models=["flux-dev"]),
)  # fmt: skip
"""One of each model that an answer or a webhook is made of. A new one belongs here: a test asks for it."""

EXAMPLES: Mapping[str, Any] = {type(one).__name__: one.model_dump(mode="json") for one in ANSWERS}
"""By the model's name."""
