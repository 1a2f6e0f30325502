"""From a profile and the operator's choices to a resident model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

import diffusers
import diffusers.utils.logging
import torch
import transformers.utils.logging

from workers.addit.backbones.backbone import Backbone
from workers.addit.models import Models
from workers.addit.replaying import ReplayingBackbone
from workers.models.compiling import compile_blocks
from workers.models.cuda_graphs import CudaRecorder
from workers.models.errors import ModelFilesBroken
from workers.models.families import make_backbone
from workers.models.licences import check_licence
from workers.models.memory_presets import MEMORY_PRESETS, MemoryPreset, Offload
from workers.models.packing import pack_linears
from workers.models.profiles import PIPELINES, ModelProfile, SegmenterPlace, layers_by_depth
from workers.models.quantization import Quantization, quantize
from workers.models.segmenter import load_segmenter


@dataclass(frozen=True)
class LoadOptions:
    """The operator's choices.

    device: "auto", "cpu", "cuda", "cuda:1", …; dtype: "auto", "bfloat16" or "float32" (float16 gives NaN in
    FLUX)
    memory: what is quantized, and what waits in host memory
    segmenter: replaces the profile's
    compiled: compile the transformer's repeated blocks
    cuda_graphs: replay passes that repeat, where the device is CUDA and all weights stay on it
    accepted_licences: keys of the licences that the operator has accepted
    """

    device: str = "auto"
    dtype: str = "auto"
    memory: MemoryPreset = MEMORY_PRESETS["full"]
    segmenter: SegmenterPlace | None = None
    compiled: bool = False
    cuda_graphs: bool = True
    accepted_licences: Collection[str] = ()


def load(profile: ModelProfile, options: LoadOptions | None = None) -> Models:
    """Load the pipeline and its segmenter.

    Raises `LicenceNotAccepted` before anything is fetched, `ModelFilesBroken`, `MissingPackage`,
    `UnsupportedSetting`.
    """
    options = options or LoadOptions()
    check_licence(profile, options.accepted_licences)
    device = pick_device(options.device)
    dtype = pick_dtype(options.dtype, device)
    pipe = _open_pipeline(profile, dtype, options.memory.quantization)
    if device.type == "cpu":
        pipe.vae.float()  # convolutions in bfloat16 are slow and coarse on CPUs
    _place(pipe, device, options.memory.offload)
    if options.compiled:
        compile_blocks(pipe.transformer, options.memory.offload)
    elif device.type == "cpu":
        pack_linears(pipe.transformer)
    place = options.segmenter or profile.segmenter
    config = pipe.transformer.config
    return Models(
        pipe=pipe,
        backbone=_replaying(make_backbone(profile.family, pipe, profile.text_len, device), device, options),
        segmenter=load_segmenter(place, device) if place else None,
        recorded_layers=profile.recorded_layers
        or layers_by_depth(config.num_layers, config.get("num_single_layers", 0)),
        text_len=profile.text_len,
        device=device,
        detector=profile.detector(device) if profile.detector else None,
        text_segmenter=profile.text_segmenter(device) if profile.text_segmenter else None,
        captioner=profile.captioner(device) if profile.captioner else None,
        source_memory_bytes=Models.source_memory_bytes if options.memory.keeps_sources else 0,
        identity=f"{profile.place} {dtype} {options.memory.quantization}",
    )


def _replaying(backbone: Backbone, device: torch.device, options: LoadOptions) -> Backbone:
    if device.type != "cuda" or options.memory.offload != "none" or not options.cuda_graphs:
        return backbone
    return cast(Backbone, ReplayingBackbone(backbone, CudaRecorder(device)))


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


def _open_pipeline(profile: ModelProfile, dtype: torch.dtype, quantization: Quantization) -> Any:
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
    name, place = PIPELINES[profile.family], profile.place
    opening = getattr(diffusers, name).from_pretrained
    try:
        pipe = opening(place, dtype=dtype, quantization_config=quantize(quantization))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelFilesBroken(f"{place} does not open as a {name}: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith("safetensors"):
            raise ModelFilesBroken(f"{place}: a weight file is damaged: {error}") from error
        raise
    pipe.set_progress_bar_config(disable=True)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    return pipe


def _place(pipe: Any, device: torch.device, offload: Offload) -> None:
    if offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif offload == "group":
        streamed = device.type == "cuda"  # the next block comes while this one works
        pipe.enable_group_offload(
            onload_device=device, offload_type="block_level", num_blocks_per_group=1, use_stream=streamed
        )
    else:
        pipe.to(device)
