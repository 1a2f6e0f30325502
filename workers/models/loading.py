"""From a profile and the operator's choices to a resident model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import diffusers.utils.logging
import torch
import transformers.utils.logging
from diffusers import FluxPipeline

from workers.addit.models import Models
from workers.models.errors import ModelFilesBroken
from workers.models.profiles import ModelProfile, SegmenterPlace, layers_by_depth
from workers.models.quantization import Quantization, quantize
from workers.models.segmenter import load_segmenter

Offload = Literal["none", "model", "group"]


@dataclass(frozen=True)
class LoadOptions:
    """The operator's choices.

    device: "auto", "cpu", "cuda", "cuda:1", …; dtype: "auto", "bfloat16" or "float32" (float16 gives NaN in
    FLUX)
    offload: keep idle models ("model") or blocks ("group") in host memory
    quantization: of the transformer's weights
    segmenter: replaces the profile's
    """

    device: str = "auto"
    dtype: str = "auto"
    offload: Offload = "none"
    quantization: Quantization = "none"
    segmenter: SegmenterPlace | None = None


def load(profile: ModelProfile, options: LoadOptions | None = None) -> Models:
    """Load the pipeline and its segmenter. Raises `ModelFilesBroken`, `MissingPackage`."""
    options = options or LoadOptions()
    device = pick_device(options.device)
    dtype = pick_dtype(options.dtype, device)
    pipe = _open_pipeline(profile.place, dtype, options.quantization)
    if device.type == "cpu":
        pipe.vae.float()  # convolutions in bfloat16 are slow and coarse on CPUs
    _place(pipe, device, options.offload)
    place = options.segmenter or profile.segmenter
    config = pipe.transformer.config
    return Models(
        pipe=pipe,
        segmenter=load_segmenter(place, device) if place else None,
        recorded_layers=profile.recorded_layers
        or layers_by_depth(config.num_layers, config.num_single_layers),
        text_len=profile.text_len,
        device=device,
        detector=profile.detector(device) if profile.detector else None,
        text_segmenter=profile.text_segmenter(device) if profile.text_segmenter else None,
        captioner=profile.captioner(device) if profile.captioner else None,
    )


def pick_device(name: str) -> torch.device:
    """The named device; "auto" is the first GPU, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """The named dtype; "auto" is bfloat16 wherever the device multiplies it natively, else float32."""
    if name == "auto":
        native = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported()
        return torch.bfloat16 if native else torch.float32
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _open_pipeline(place: str, dtype: torch.dtype, quantization: Quantization) -> FluxPipeline:
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
    try:
        pipe = FluxPipeline.from_pretrained(place, dtype=dtype, quantization_config=quantize(quantization))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelFilesBroken(f"{place} does not open as a FLUX pipeline: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith("safetensors"):
            raise ModelFilesBroken(f"{place}: a weight file is damaged: {error}") from error
        raise
    pipe.set_progress_bar_config(disable=True)
    for part in (pipe.transformer, pipe.vae, pipe.text_encoder, pipe.text_encoder_2):
        part.eval().requires_grad_(False)
    return pipe


def _place(pipe: FluxPipeline, device: torch.device, offload: Offload) -> None:
    if offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif offload == "group":
        pipe.enable_group_offload(onload_device=device, offload_type="block_level", num_blocks_per_group=1)
    else:
        pipe.to(device)
