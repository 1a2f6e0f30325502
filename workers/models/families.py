"""Which backbone speaks for a loaded pipeline."""

from __future__ import annotations

from typing import Any

import torch

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.backbones.flux2 import Flux2Backbone
from workers.addit.backbones.sd3 import Sd3Backbone
from workers.models.profiles import Family


def make_backbone(family: Family, pipe: Any, text_len: int, device: torch.device) -> Backbone:
    """The family's backbone over a pipeline; `text_len` tokens a prompt."""
    if family in ("flux2", "klein"):
        return Flux2Backbone(pipe, text_len, device)
    if family == "sd3":
        return Sd3Backbone(pipe, text_len, device)
    return FluxBackbone(pipe, text_len, device, shows_source=family == "kontext")
