"""The backbones under test, each over a small random pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tests.workers import pipelines
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.backbones.flux2 import Flux2Backbone
from workers.addit.backbones.sd3 import Sd3Backbone
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.processor import Attending

CPU = torch.device("cpu")
GRID = LatentGrid(4, 6)
PROMPTS = ("a photo of a beach", "a photo of a beach with a dog")

FAMILIES: dict[str, Callable[[], Backbone]] = {
    "flux": lambda: FluxBackbone(pipelines.flux(), 32, CPU),
    "schnell": lambda: FluxBackbone(pipelines.flux(guided=False), 32, CPU),
    "kontext": lambda: FluxBackbone(pipelines.kontext(), 32, CPU, shows_source=True),
    "flux2": lambda: Flux2Backbone(pipelines.klein(embedded_guidance=True), 48, CPU),
    "klein": lambda: Flux2Backbone(pipelines.klein(distilled=True), 48, CPU),
    "klein-base": lambda: Flux2Backbone(pipelines.klein(), 48, CPU),
    "sd3": lambda: Sd3Backbone(pipelines.sd3(), 32, CPU),
}


def noise(backbone: Backbone, *seeds: int) -> Tensor:
    """(B, L, C) latents."""
    return draw_noise(seeds or (0,), backbone.latent_channels, GRID, element=1)


def told(backbone: Backbone, guidance: float = 3.5) -> list[Conditioning]:
    """Of `PROMPTS`: the source's at guidance 1, and the target's, which some families show a source."""
    source, target = backbone.encode_prompts(PROMPTS, (1.0, guidance))
    return [source, backbone.shown(target, noise(backbone, 9))]


def leave_alone(layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
    """The exchange that exchanges nothing."""
    return query, key, value


@dataclass
class Spy:
    """An exchange that notes what came by."""

    seen: dict[str, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        self.seen[layer] = (query, key, value)
        return query, key, value


@dataclass
class Calls:
    """What a transformer was called with, and what it answered."""

    kwargs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)

    def listen(self, transformer: Any) -> Any:
        """Until the returned handle is removed."""

        def note(module: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
            self.kwargs.append(dict(kwargs))
            self.outputs.append(output[0])

        return transformer.register_forward_hook(note, with_kwargs=True)
