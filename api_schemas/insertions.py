"""What a client asks for: an object, or some, into one picture."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from api_schemas.base import RequestModel
from api_schemas.subjects import Subject, Subjects

MAX_SEEDS = 8
MAX_PROMPT = 2000
Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Priority = Literal["interactive", "bulk"]
Inversion = Literal["noising", "euler", "midpoint", "fixed_point"]
Localizer = Literal[
    "attention", "attention_points_sam", "attention_box_sam", "attention_mask_sam",
    "attention_instance_sam", "grounding_sam", "clipseg", "clipseg_sam",
]  # fmt: skip
Extra = Literal["mask", "attention", "cutout", "source", "overlay"]
Mode = Literal["exact", "fast", "turbo"]
WebhookEvent = Literal["insertion.succeeded", "insertion.failed", "insertion.canceled", "insertion.expired"]


class ImageRef(RequestModel):
    """A picture, by exactly one of four ways."""

    id: str | None = Field(default=None, description="An image uploaded before: `img_…`.")
    url: HttpUrl | None = Field(default=None, description="Fetched once, on submission.")
    data: str | None = Field(default=None, description="Base64, or a `data:` URL.")
    part: str | None = Field(default=None, description="The name of a file part of this multipart request.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.id, self.url, self.data, self.part)) != 1:
            raise ValueError("give exactly one of id, url, data, part")
        return self


Pixel = Annotated[int, Field(ge=-8192, le=16384)]


def _with_corners(box: list[int]) -> list[int]:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise ValueError("left, top, right, bottom: right is beyond left, bottom beyond top")
    return box


Corners = Annotated[list[Pixel], Field(min_length=4, max_length=4), AfterValidator(_with_corners)]
Point = Annotated[list[Pixel], Field(min_length=2, max_length=2)]


class Region(RequestModel):
    """A part of the source picture, in its pixels as it is seen upright; exactly one of the three."""

    box: Corners | None = Field(default=None, description="Left, top, right, bottom.")
    points: Annotated[list[Point], Field(min_length=1, max_length=16)] | None = Field(
        default=None,
        description="x, y each: what lies around them, up to a quarter of the shorter side away.",
    )
    mask: ImageRef | None = Field(
        default=None, description="A picture, white there and black elsewhere, stretched over the source."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.box, self.points, self.mask)) != 1:
            raise ValueError("give exactly one of box, points, mask")
        return self


class ImageSource(RequestModel):
    """A real picture."""

    kind: Literal["image"] = Field(default="image", description="A picture of yours.")
    image: ImageRef = Field(description="The picture to add to.")
    prompt: Prompt | None = Field(
        default=None,
        description="What it shows now. If left out, `prompt` without the subject; where that leaves "
        "nothing, as with `add a dog`, what the model's captioner sees (see `captioner` in `/v1/models`).",
    )


class GeneratedSource(RequestModel):
    """A picture the model makes first."""

    kind: Literal["generated"] = Field(default="generated", description="Made by the model.")
    prompt: Prompt = Field(description="What it shows.")
    seed: Seed = Field(default=0, description="Its seed.")
    width: int | None = Field(
        default=None, ge=16, le=8192, description="Pixels; the model's native by default."
    )
    height: int | None = Field(
        default=None, ge=16, le=8192, description="Pixels; the model's native by default."
    )


class SceneSource(RequestModel):
    """A step of a scene: the insertion becomes a step upon it."""

    kind: Literal["scene"] = Field(default="scene", description="A scene of yours.")
    scene_id: str = Field(max_length=64, description="`scn_…`.")
    step: str | None = Field(
        default=None,
        max_length=64,
        description="Its insertion to build upon, or `first` for its first picture; its head by default.",
    )
    seed: Seed | None = Field(
        default=None, description="Which variation of that step; the one chosen before, or the surest."
    )
    prompt: Prompt | None = Field(
        default=None, description="What that step shows; by default what it was to show."
    )


FirstSource = Annotated[ImageSource | GeneratedSource, Field(discriminator="kind")]
Source = Annotated[ImageSource | GeneratedSource | SceneSource, Field(discriminator="kind")]


def kind_of(source: ImageSource | GeneratedSource | SceneSource) -> Literal["image", "generated"]:
    """Whether there is a picture to begin with. A scene's steps are pictures."""
    return "generated" if isinstance(source, GeneratedSource) else "image"


Gamma = Annotated[float, Field(ge=0.5, le=2.0)]


class WeightFrom(RequestModel):
    """A weight on attention keys from one step on, until the next entry's."""

    step: int = Field(ge=0, le=99, description="From this step on; the first entry begins at 0.")
    double: Gamma = Field(description="In double-stream blocks.")
    single: Gamma = Field(description="In single-stream blocks.")


def _ascending(entries: list[WeightFrom]) -> list[WeightFrom]:
    steps = [entry.step for entry in entries]
    if steps[0] != 0 or sorted(set(steps)) != steps:
        raise ValueError("steps begin at 0 and ascend")
    return entries


Schedule = Annotated[list[WeightFrom], Field(min_length=1, max_length=16), AfterValidator(_ascending)]


def move_step(step: int, steps_from: int, steps_to: int) -> int:
    """The step of `steps_to` at the fraction that `step` has of `steps_from`; halves round up."""
    return min(math.floor(step * steps_to / steps_from + 0.5), steps_to - 1)


Cells = Annotated[float, Field(ge=-64, le=64)]


class Options(RequestModel):
    """The method's knobs; what is left out comes from the preset."""

    num_inference_steps: int | None = Field(default=None, ge=2, le=100, description="Denoising steps.")
    guidance_scale: float | None = Field(default=None, ge=1, le=10, description="Of the target branch.")
    extended_scale: Gamma | Literal["auto"] | Schedule | None = Field(
        default=None,
        description="Gamma: weight of the target's own keys; higher adds more boldly. A number, a schedule "
        "along the steps, or `auto`: as much attention on the source as on the target.",
    )
    source_scale: Gamma | Schedule | None = Field(
        default=None, description="Weight of the source's keys; a number or a schedule along the steps."
    )
    structure_transfer_step: int | None = Field(
        default=None, ge=0, le=99, description="Step at which the target takes over the source's structure."
    )
    structure_transfer_t: float | None = Field(
        default=None, gt=0, le=1, description="The same as a time from 1 (noise) to 0, in place of a step."
    )
    blend_steps: list[Annotated[int, Field(ge=0, le=99)]] | None = Field(
        default=None,
        max_length=8,
        description="Steps after which the source is blended back outside the mask.",
    )
    localizer: Localizer | None = Field(default=None, description="How the subject's mask is found.")
    source_shift: Annotated[list[Cells], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="Cells of the latent grid, down and right: the target sees the source moved so far.",
    )
    inversion: Inversion | None = Field(default=None, description="How a real source gets its noisy latents.")
    use_offset: bool | None = Field(
        default=None, description="Correct the target by what the source's own steps miss of its path."
    )
    softness: float | None = Field(
        default=None, ge=0, le=8, description="Cells of the latent grid over which a blend fades out."
    )
    strict_background: bool | None = Field(
        default=None,
        description="Leave every pixel outside the mask exactly as it was (default for pictures).",
    )
    keep_shadow: bool | None = Field(
        default=None,
        description="With a strict background: let the object's shadow fall just outside the mask.",
    )
    keep_best: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SEEDS,
        description="Finish at most so many of the seeds, those that promise most at the first blend; the "
        "others, and those without the subject there, are dropped and cost no further steps. At least one "
        "is finished. If left out, all are.",
    )

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.structure_transfer_step is not None and self.structure_transfer_t is not None:
            raise ValueError("give structure_transfer_step or structure_transfer_t, not both")
        return self

    def at_steps(self, num_inference_steps: int) -> Options:
        """The same over another number of steps: indices keep their fraction, halves round up."""

        def moved(step: int) -> int:
            return move_step(step, self.num_inference_steps or num_inference_steps, num_inference_steps)

        def stretched(weight: object) -> object:
            if not isinstance(weight, list):
                return weight
            entries = {moved(at.step): at.model_copy(update={"step": moved(at.step)}) for at in weight}
            return [*entries.values()]

        transfer, blends = self.structure_transfer_step, self.blend_steps
        update = {
            "num_inference_steps": num_inference_steps,
            "extended_scale": stretched(self.extended_scale),
            "source_scale": stretched(self.source_scale),
            "structure_transfer_step": None if transfer is None else moved(transfer),
            "blend_steps": None if blends is None else list(dict.fromkeys(moved(step) for step in blends)),
        }
        return self.model_copy(update=update)


class Output(RequestModel):
    """What comes back."""

    format: Literal["png", "jpeg", "webp"] = Field(default="png", description="Of the result pictures.")
    include: list[Extra] = Field(default=["mask"], max_length=5, description="Further pictures per result.")
    previews: int = Field(
        default=0, ge=0, le=4, description="Small pictures of each variation as it forms: `preview` events."
    )


class WebhookTarget(RequestModel):
    """Where to report this job's end."""

    url: HttpUrl = Field(description="https, except where the operator allows loopback.")
    events: list[WebhookEvent] = Field(
        default=["insertion.succeeded", "insertion.failed", "insertion.canceled", "insertion.expired"],
        min_length=1, description="Which ends are reported.",
    )  # fmt: skip


class LoraScale(RequestModel):
    """One of the model's LoRAs, and how much of it."""

    name: str = Field(min_length=1, max_length=64, description="As the model's card names it.")
    scale: float = Field(default=1.0, ge=-2, le=2, description="What its weights are multiplied by.")


def _listed(value: object) -> object:
    """A list from scales by name, as records are kept and as clients wrote them before there was a list."""
    if not isinstance(value, dict):
        return value
    return [{"name": name, "scale": scale} for name, scale in value.items()]


def _each_once(loras: list[LoraScale]) -> list[LoraScale]:
    if len({lora.name for lora in loras}) < len(loras):
        raise ValueError("a LoRA is named once")
    return loras


Loras = Annotated[
    list[LoraScale],
    BeforeValidator(
        _listed,
        json_schema_input_type=list[LoraScale]
        | Annotated[
            dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[float, Field(ge=-2, le=2)]],
            Field(max_length=4),
        ],
    ),
    AfterValidator(_each_once),
]


class InsertionRequest(RequestModel):
    """Add a subject, or several at once, to one source."""

    source: Source = Field(description="The scene.")
    prompt: Prompt = Field(
        description="What the picture shall show, the new object included; or just what to add, in "
        "English: `add a dog`, `put a red hat on the man`, `a cup next to the laptop`. The job shows what "
        "was understood."
    )
    subject: Subject | Subjects | None = Field(
        default=None,
        description="The new object, in the words of `prompt`, or a list of those that are added together. "
        "If left out, what `prompt` names and `source.prompt` does not.",
    )
    region: Region | None = Field(default=None, description="Where the object shall be.")
    avoid: Region | None = Field(default=None, description="Where nothing of it shall be.")
    preset: str | None = Field(
        default=None, max_length=64, description="Named settings; by source kind if left out."
    )
    seeds: list[Seed] = Field(
        default=[], max_length=MAX_SEEDS, description="One variation each; one at random if left out."
    )
    options: Options = Field(default=Options(), description="Overrides of the preset.")
    output: Output = Field(default=Output(), description="What comes back.")
    model: str | None = Field(
        default=None, max_length=64, description="A served model; the default one if left out."
    )
    mode: Mode = Field(
        default="exact",
        description="Whether late steps may reuse what earlier ones computed: faster, not exact.",
    )
    loras: Loras = Field(
        default=[],
        max_length=4,
        description="The model's LoRAs that are worn. Also taken as an object of scales by name.",
    )
    webhook: WebhookTarget | None = Field(default=None, description="Told when the job ends.")
    if_not_added: Literal["report", "retry"] = Field(
        default="report",
        description="What a subject that was not added leads to: a result that says so, or at most three "
        "more tries: a bolder gamma, an earlier start, another seed.",
    )
    priority: Priority = Field(
        default="interactive", description="Interactive jobs get a head start over bulk ones."
    )
    deadline_seconds: int = Field(
        default=600, ge=1, le=86_400, description="From submission to result, at most."
    )
    retain_seconds: int = Field(
        default=86_400, ge=60, le=2_592_000, description="How long pictures are kept."
    )
    metadata: dict[str, Any] = Field(default={}, max_length=32, description="Yours; given back as it came.")

    def lora_scales(self) -> dict[str, float]:
        """How much of each LoRA, by name."""
        return {lora.name: lora.scale for lora in self.loras}

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds must differ from each other")
        return self


def masks_of(request: InsertionRequest) -> dict[str, ImageRef]:
    """The masks that areas are given by, by the area's field: `region`, `avoid`."""
    areas = {"region": request.region, "avoid": request.avoid}
    return {name: area.mask for name, area in areas.items() if area is not None and area.mask is not None}
