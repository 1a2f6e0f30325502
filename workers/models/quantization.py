"""Smaller weights for the transformer, through diffusers. Approximate: every kind has a price in quality."""

from __future__ import annotations

from typing import Any, Literal

import torch
from diffusers import BitsAndBytesConfig, PipelineQuantizationConfig, TorchAoConfig

from workers.models.errors import MissingPackage

Quantization = Literal["none", "fp8", "int8", "nf4"]


NEEDS = {"fp8": "torchao", "int8": "torchao", "nf4": "bitsandbytes"}


def quantize(kind: Quantization) -> PipelineQuantizationConfig | None:
    """What a pipeline's `from_pretrained` is told. fp8 also needs a GPU of compute capability 8.9 or higher.

    Raises `MissingPackage`: the packages are the operator's to install, no other worker needs them.
    """
    if kind == "none":
        return None
    try:
        weights = _nf4() if kind == "nf4" else _torchao(kind)
    except ImportError as error:
        raise MissingPackage(f"quantization {kind!r}", NEEDS[kind]) from error
    return PipelineQuantizationConfig(quant_mapping={"transformer": weights})


def _nf4() -> Any:
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def _torchao(kind: Quantization) -> Any:
    from torchao import quantization as torchao  # optional: only quantized workers install it

    if kind == "fp8":
        return TorchAoConfig(torchao.Float8DynamicActivationFloat8WeightConfig())
    return TorchAoConfig(torchao.Int8DynamicActivationInt8WeightConfig())
