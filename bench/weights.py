"""Bytes of weights, as they lie on the card: by format, and by what waits elsewhere."""

from __future__ import annotations

from torch import nn

from workers.models.quantization import Quantization

NF4_BLOCK = 64
"""Weights that share one float32 scale (QLoRA, arXiv 2305.14314; bitsandbytes' default)."""


def weight_bytes(module: nn.Module, quantization: Quantization = "none") -> int:
    """Parameters and buffers; of quantized modules the linear layers' matrices alone are smaller."""
    return sum(_own_bytes(part, quantization) for part in module.modules())


def _own_bytes(module: nn.Module, quantization: Quantization) -> int:
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    plain = sum(tensor.nbytes for tensor in tensors)
    if quantization == "none" or not isinstance(module, nn.Linear):
        return plain
    numbers = module.weight.numel()
    return (
        plain
        - module.weight.nbytes
        + (
            numbers // 2 + 4 * numbers // NF4_BLOCK
            if quantization == "nf4"
            else numbers + 4 * module.out_features
        )
    )


def grouped_bytes(module: nn.Module) -> int:
    """Most that diffusers' block-level group offloading has on the card.

    All that is in no list of blocks, and two neighbouring blocks: one working, one on its way.
    """
    lists = [child for child in module.children() if isinstance(child, nn.ModuleList | nn.Sequential)]
    blocks = [weight_bytes(block) for child in lists for block in child]
    pairs = [sum(blocks[at : at + 2]) for at in range(len(blocks))]
    return weight_bytes(module) - sum(blocks) + max(pairs, default=0)
