"""What a client asks for: one object into one picture."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, HttpUrl, model_validator

from api_schemas.base import RequestModel

MAX_SEEDS = 8
Prompt = Annotated[str, Field(min_length=1, max_length=2000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Priority = Literal["interactive", "bulk"]
Inversion = Literal["noising", "fixed_point"]
Localizer = Literal[
    "attention", "attention_points_sam", "attention_box_sam", "attention_mask_sam",
    "grounding_sam", "clipseg", "clipseg_sam",
]  # fmt: skip
Extra = Literal["mask", "attention", "cutout", "source", "overlay"]
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


class ImageSource(RequestModel):
    """A real picture."""

    kind: Literal["image"] = Field(default="image", description="A picture of yours.")
    image: ImageRef = Field(description="The picture to add to.")
    prompt: Prompt = Field(description="What it shows now.")


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


Source = Annotated[ImageSource | GeneratedSource, Field(discriminator="kind")]


class Options(RequestModel):
    """The method's knobs; what is left out comes from the preset."""

    num_inference_steps: int | None = Field(default=None, ge=2, le=100, description="Denoising steps.")
    guidance_scale: float | None = Field(default=None, ge=1, le=10, description="Of the target branch.")
    extended_scale: float | None = Field(
        default=None, ge=0.5, le=2.0,
        description="Gamma: weight of the target's own keys against the source's; higher adds more boldly.",
    )  # fmt: skip
    structure_transfer_step: int | None = Field(
        default=None, ge=0, le=99, description="Step at which the target takes over the source's structure."
    )
    blend_steps: list[Annotated[int, Field(ge=0, le=99)]] | None = Field(
        default=None,
        max_length=8,
        description="Steps after which the source is blended back outside the mask.",
    )
    localizer: Localizer | None = Field(default=None, description="How the subject's mask is found.")
    inversion: Inversion | None = Field(default=None, description="How a real source gets its noisy latents.")
    strict_background: bool | None = Field(
        default=None,
        description="Leave every pixel outside the mask exactly as it was (default for pictures).",
    )

    def at_steps(self, num_inference_steps: int) -> Options:
        """The same over another number of steps: indices keep their fraction, halves round up."""

        def moved(step: int) -> int:
            fraction = step * num_inference_steps / (self.num_inference_steps or num_inference_steps)
            return min(math.floor(fraction + 0.5), num_inference_steps - 1)

        transfer, blends = self.structure_transfer_step, self.blend_steps
        update = {
            "num_inference_steps": num_inference_steps,
            "structure_transfer_step": None if transfer is None else moved(transfer),
            "blend_steps": None if blends is None else list(dict.fromkeys(moved(step) for step in blends)),
        }
        return self.model_copy(update=update)


class Output(RequestModel):
    """What comes back."""

    format: Literal["png", "jpeg", "webp"] = Field(default="png", description="Of the result pictures.")
    include: list[Extra] = Field(default=["mask"], max_length=5, description="Further pictures per result.")


class WebhookTarget(RequestModel):
    """Where to report this job's end."""

    url: HttpUrl = Field(description="https, except where the operator allows loopback.")
    events: list[WebhookEvent] = Field(
        default=["insertion.succeeded", "insertion.failed", "insertion.canceled", "insertion.expired"],
        min_length=1, description="Which ends are reported.",
    )  # fmt: skip


class InsertionRequest(RequestModel):
    """Add one subject to one source."""

    source: Source = Field(description="The scene.")
    prompt: Prompt = Field(description="What the picture shall show, the new object included.")
    subject: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="The new object, in the words of `prompt`."
    )
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
    webhook: WebhookTarget | None = Field(default=None, description="Told when the job ends.")
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

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds must differ from each other")
        return self
