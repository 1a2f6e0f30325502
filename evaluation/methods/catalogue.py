"""The methods by name: Add-it with its ablations and sweeps, and the rivals by their published settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.methods.addit import Addit
from evaluation.methods.flowedit import FlowEdit
from evaluation.methods.method import Method
from evaluation.methods.pipelines import instruct_pix2pix, kontext, qwen_image_edit
from evaluation.methods.prompt_to_prompt import PromptToPrompt
from evaluation.methods.sdedit import SDEdit
from evaluation.methods.service import RunningService
from evaluation.methods.toyland_rival import ToylandRival
from toyland.score.sweeps import variants
from toyland.score.versions import digest_folder
from workers.addit.config import PAPER_REAL, AdditConfig
from workers.addit.errors import UnsupportedOption
from workers.models.profiles import ModelProfile

NEVER = -1
"""A step before all: nothing is extended until then."""


@dataclass(frozen=True)
class Entry:
    """group: several methods that are asked for together; about, needs: for people"""

    method: Method
    group: str
    about: str
    needs: str = "the base model"


@dataclass(frozen=True)
class Places:
    """What a person must give for some methods: a checkpoint's path, a service's address."""

    erasedraw: Path | None = None
    rival: Path | None = None
    service: str | None = None


def find_methods(wanted: list[str], profile: ModelProfile, places: Places) -> dict[str, Entry]:
    """Those of these names or groups. Raises `EvaluationError`."""
    known, found = catalogue(profile, places), dict[str, Entry]()
    for name in wanted:
        chosen = {key: entry for key, entry in known.items() if name in (key, entry.group)}
        if not chosen:
            raise EvaluationError(f"no method {name!r}; `python -m evaluation methods` lists them")
        found |= chosen
    return found


def catalogue(profile: ModelProfile, places: Places) -> dict[str, Entry]:
    """All methods there are for a base model."""
    return {**dict(_addit(profile)), **dict(_rivals(profile)), **dict(_given(places))}


def preset(profile: ModelProfile, **changes: object) -> Addit:
    """The paper's presets of the model, with some settings changed in both."""
    generated, real = (
        replace(profile.presets[name], **changes)  # type: ignore[arg-type]
        for name in ("paper-generated", "paper-real")
    )
    return Addit(generated, real)


def _addit(profile: ModelProfile) -> Iterator[tuple[str, Entry]]:
    ours, reference = preset(profile), profile.presets["reference-real"]
    yield "addit", Entry(ours, "presets", "the paper's settings, by the source's kind, as they are served")
    yield "addit-reference", Entry(replace(ours, real=reference), "presets", "the reference's, for pictures")
    yield (
        "addit-strict",
        Entry(
            preset(profile, strict_background=True, keep_shadow=False),
            "presets",
            "the source's own pixels around",
        ),
    )
    ablations: Mapping[str, tuple[dict[str, object], str]] = {
        "no-wesa": ({"extend_double_until": NEVER, "extend_single_until": NEVER}, "no extended attention"),
        "no-weights": ({"extended_scale": 1.0}, "extended attention with gamma 1"),
        "no-structure": ({"structure_transfer_step": 0}, "no structure transfer"),
        "no-blending": ({"blend_steps": ()}, "no latent blending"),
        "points-sam": ({"localizer": PAPER_REAL.localizer}, "the paper's localizer"),
    }
    for name, (changes, about) in ablations.items():
        yield f"addit-{name}", Entry(preset(profile, **changes), "ablations", about)
    for sweep in ("gamma", "structure"):
        for point, changed in variants(sweep, ours.real).items():
            with suppress(UnsupportedOption):  # a step beyond the few of a distilled model
                swept = Entry(preset(profile, **changed), sweep, f"{sweep} {point}")
                yield f"addit-{sweep}-{point}", swept


def _rivals(profile: ModelProfile) -> Iterator[tuple[str, Entry]]:
    served: AdditConfig = profile.presets["paper-real"]
    guidance = served.guidance_scale
    yield "sdedit", Entry(SDEdit(guidance=guidance), "flow-rivals", "arXiv 2108.01073, on the same base")
    yield (
        "prompt-to-prompt",
        Entry(PromptToPrompt(guidance=guidance), "flow-rivals", "arXiv 2208.01626, on the same base"),
    )
    yield "flowedit", Entry(FlowEdit(), "flow-rivals", "arXiv 2412.08629, on the same base")
    hub = "its checkpoint from the hub"
    yield "instruct-pix2pix", Entry(instruct_pix2pix(), "trained-rivals", "arXiv 2211.09800", hub)
    yield (
        "magicbrush",
        Entry(
            instruct_pix2pix("vinesmsuic/magicbrush-jul7", guidance=7.0),
            "trained-rivals",
            "arXiv 2306.10012, InstructPix2Pix fine-tuned; a copy in diffusers' form",
            hub,
        ),
    )
    yield "kontext", Entry(kontext(), "later-rivals", "FLUX.1 Kontext [dev]", hub)
    yield "qwen-image-edit", Entry(qwen_image_edit(), "later-rivals", "Qwen-Image-Edit", hub)


def _given(places: Places) -> Iterator[tuple[str, Entry]]:
    if places.erasedraw:
        yield (
            "erasedraw",
            Entry(instruct_pix2pix(str(places.erasedraw)), "given", "EraseDraw", "--erasedraw CHECKPOINT"),
        )
    if places.rival:
        yield (
            "toyland-rival",
            Entry(
                ToylandRival(str(places.rival), digest_folder(places.rival)),
                "given",
                "a small InstructPix2Pix of Toyland",
                "--rival FOLDER",
            ),
        )
    if places.service:
        yield (
            "service",
            Entry(
                RunningService(places.service),
                "given",
                "a running service",
                "--service URL --service-key FILE",
            ),
        )
